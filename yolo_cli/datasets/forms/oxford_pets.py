"""Oxford-IIIT Pets: ``annotations/xmls/*.xml``, ``annotations/trainval.txt``, ``test.txt`` and ``images``.

The XML files are VOC's, with the head of one animal and the class ``cat`` or ``dog``; pixels count from 1
(robots.ox.ac.uk/~vgg/data/pets, README in annotations.tar.gz). ``trainval`` becomes train. Images of the
lists without an XML file (all of test, and a few of trainval) are unlabelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.forms.assembling import Entry, Export, Shape, assemble
from yolo_cli.datasets.forms.form import Form, matcher
from yolo_cli.datasets.forms.values import numbers, size_of
from yolo_cli.datasets.layout import below
from yolo_cli.datasets.sample import UNSPLIT, Dataset
from yolo_cli.datasets.voc_xml import read_xml
from yolo_cli.errors import DataError
from yolo_cli.files import find_files
from yolo_cli.text import read_lines

__all__ = ["OXFORD_PETS"]

_LISTS = {"trainval.txt": "train", "test.txt": "test"}
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the data set from its lists and XML files."""
    folder = files[0].parent
    splits = dict(_listed(folder))
    entries: list[Entry] = []
    findings: list[Finding] = []
    for path in map(Path, find_files(folder / "xmls", (".xml",))):
        try:
            entries.append(_entry(path, splits.pop(path.stem, UNSPLIT)))
        except DataError as fault:
            findings.append(Finding("Y203", below(path, root), fault.text.replace(str(path), "the label")))
    export = Export(root, "oxford-pets", entries, (), tuple(findings), lists_all=False)
    return assemble(export, allow_unlabelled)


def _listed(folder: Path) -> Iterator[tuple[str, str]]:
    """Stem and split of the images of the lists, whose lines are a stem and three numbers."""
    for name, split in _LISTS.items():
        for line in read_lines(folder / name) if (folder / name).is_file() else []:
            if line and not line.startswith("#"):
                yield line.split()[0], split


def _entry(path: Path, split: str) -> Entry:
    """The image of one XML file."""
    xml = read_xml(path)
    size = size_of(xml.findtext("size/height"), xml.findtext("size/width"))
    entry = Entry(path.stem, path, split, size=size)
    for row, element in enumerate(xml.findall("object"), start=1):
        name = (element.findtext("name") or "").strip()
        found = numbers(element.findtext(f"bndbox/{corner}") for corner in _CORNERS)
        if found and name:
            entry.shapes.append(Shape(row, name, (found[0] - 1, found[1] - 1, found[2], found[3])))
        else:
            entry.refused.append((row, "the object needs a name and xmin, ymin, xmax, ymax in a bndbox"))
    return entry


_is_list = matcher(r"(?m)^[^#\s]\S* \d+ \d+ \d+\s*$")


OXFORD_PETS = Form(
    "oxford-pets",
    "Oxford-IIIT Pets",
    (".txt",),
    lambda path: (path.parent / "xmls").is_dir() and _is_list(path),
    _read,
    overrules=("voc",),
    names=(*_LISTS, "list.txt"),
)
