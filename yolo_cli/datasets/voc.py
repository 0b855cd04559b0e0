"""Data sets in Pascal VOC form: one XML file per image, ``ImageSets/Main/*.txt`` for the splits.

VOC counts pixels from 1 and includes the last one: ``xmin ymin xmax ymax`` becomes left ``xmin - 1``, top
``ymin - 1``, right ``xmax``, bottom ``ymax`` on our continuous axis from 0 (devkit_doc of VOC 2012, §4).
Fractions of pixels, as in rescaled copies, are treated likewise. Boxes with ``xmax`` <= ``xmin`` or ``ymax``
<= ``ymin`` are degenerate, although VOC's rule would allow them one pixel: in practice they are accidental
clicks. ``difficult`` is kept.

The image is the one with the XML file's name, with any suffix; ``filename`` is ignored. ``trainval.txt`` and
lists for one class are skipped if there is a ``train.txt``. Without ImageSets, folders named after splits
give the splits. Class names are those of ``labels.txt`` or ``classes.txt`` if there is one, else all that
occur, in alphabetical order (VOC's own order).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from yolo_cli.datasets.extras import Extra, Value, extras_wanted
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import (
    Row,
    below,
    empty_splits,
    extras_of,
    gather,
    images_below,
    in_order,
    name_findings,
    place_of,
    split_called,
    without_repeats,
)
from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.errors import DataError
from yolo_cli.files import find_files
from yolo_cli.text import fixed_slashes, number, read_lines, shorten

__all__ = ["has_voc", "read_voc", "read_xml"]

_NAME_FILES = ("labels.txt", "classes.txt")
_IMAGE_FOLDERS = ("JPEGImages", "images")
_LABEL_FOLDERS = ("Annotations", "annotations")
_LIST_FOLDERS = ("ImageSets/Main", "ImageSets", ".")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class _Object(NamedTuple):
    """One ``object`` of an annotation: its index from 1, class name, corners from 1, ``difficult``."""

    row: int
    name: str
    corners: tuple[float, float, float, float]
    difficult: bool
    extra: Extra | None = None


@dataclass(frozen=True, slots=True)
class _Annotation:
    """One image and its annotation."""

    image: Path
    split: str
    label: str
    objects: tuple[_Object, ...] = ()
    size: tuple[int, int] | None = None


def has_voc(folder: Path) -> bool:
    """Whether a folder has XML annotations, in ``Annotations``, folders named after splits, or itself."""
    return any(_is_annotation(path) for path in _xml_files(folder))


def read_voc(root: Path, allow_unlabelled: bool = False) -> Dataset:
    """Read a VOC data set from its folder; it may be empty.

    Raises:
        DataError: if a list of images or classes cannot be read.
    """
    labels = {_stem(path, root, _LABEL_FOLDERS): path for path in _xml_files(root)}
    images = _images(root)
    lists = _lists(root)
    members = _members(lists, labels, images)
    read = [_annotation(root, split, stem, images.get(stem), labels.get(stem)) for split, stem in members]
    annotations = [found for found, _ in read if found and (found.label or allow_unlabelled)]
    names, source = _class_names(root, annotations)
    made = [_sample(annotation, root, names) for annotation in annotations]
    samples, repeats = without_repeats(sample for sample, _ in made)
    findings = [*name_findings(names, source), *repeats, *_orphans(root, labels, images, members)]
    named = ((word, below(path, root)) for word, path in lists.items() if word != "trainval")
    findings += empty_splits(named, samples)
    findings += [fault for _, faults in (*read, *made) for fault in faults]
    if allow_unlabelled:
        findings = [finding for finding in findings if finding.code != "Y201"]
    return Dataset(root, "voc", names, in_order(samples), tuple(sorted(set(findings))))


def read_xml(path: Path, tag: str = "annotation") -> Element:
    """The root of an annotation file, which must have this tag.

    Entities are refused, as they could expand to fill the memory.

    Raises:
        DataError: if the file cannot be read, is not XML, holds entities, or is not an annotation.
    """
    try:
        root = fromstring(path.read_bytes())
    except OSError as fault:
        raise DataError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    except DefusedXmlException as fault:
        raise DataError(f"{path}: holds XML entities, which are refused; write it without a DTD") from fault
    except ParseError as fault:
        raise DataError(f"{path}:{fault.position[0]}: is not XML (cut short?): {fault.msg}") from fault
    except (ValueError, LookupError) as fault:
        raise DataError(f"{path}: is not XML: {shorten(fault)}") from fault
    if root.tag != tag:
        raise DataError(f"{path}: has no <{tag}> at its root, but {shorten(root.tag, 40)!r}")
    return root


def _xml_files(folder: Path) -> Iterator[Path]:
    """The XML files of a data set, each folder's in the order of their names."""
    usual = next((folder / name for name in _LABEL_FOLDERS if (folder / name).is_dir()), None)
    if usual is not None:
        yield from map(Path, find_files(usual, (".xml",)))
        return
    yield from map(Path, find_files(folder, (".xml",), recursive=False))
    for sub in sorted(folder.iterdir()):
        if sub.is_dir() and split_called(sub.name):
            yield from map(Path, find_files(sub, (".xml",)))


def _is_annotation(path: Path) -> bool:
    """Whether the beginning of a file has VOC's root element."""
    try:
        with path.open("rb") as file:
            return re.search(rb"<annotation[\s>]", file.read(1024)) is not None
    except OSError:
        return False


def _stem(path: Path, root: Path, folders: tuple[str, ...]) -> str:
    """The key that matches an image with its label: the path below its folder, without suffix."""
    parts = path.relative_to(root).with_suffix("").parts
    return "/".join(parts[1:] if parts[0] in folders else parts)


def _images(root: Path) -> dict[str, Path]:
    """Every image of a data set by its stem."""
    folder = next((root / name for name in _IMAGE_FOLDERS if (root / name).is_dir()), root)
    return {_stem(path, root, _IMAGE_FOLDERS): path for path in images_below(folder)}


def _lists(root: Path) -> dict[str, Path]:
    """The image lists of a data set, by name."""
    words = ("train", "val", "test", "trainval")
    tries = ((word, root / folder / f"{word}.txt") for folder in _LIST_FOLDERS[::-1] for word in words)
    return {word: path for word, path in tries if path.is_file()}  # the first folder comes last, and wins


def _members(
    lists: Mapping[str, Path], labels: Mapping[str, Path], images: Mapping[str, Path]
) -> list[tuple[str, str]]:
    """Split and stem of every image of the data set, by its lists, else by folders."""
    known = labels.keys() | images.keys()
    stems = {word: _listed(path, known) for word, path in lists.items()}
    both = stems.pop("trainval", [])
    if "train" not in stems:
        held_out = {stem for listed in stems.values() for stem in listed}
        stems["train"] = [stem for stem in both if stem not in held_out]
    if any(stems.values()):
        return [(split, stem) for split, listed in stems.items() for stem in listed]
    words = {stem: map(split_called, stem.split("/")[:-1]) for stem in sorted(images)}
    return [(next(filter(None, found), UNSPLIT), stem) for stem, found in words.items()]


def _listed(path: Path, known: Set[str]) -> list[str]:
    """The stems in a list. A second column, as in lists for one class, is ignored."""
    lines = read_lines(path)
    return [line if line in known else line.rsplit(maxsplit=1)[0] for line in lines if line]


def _orphans(
    root: Path, labels: Mapping[str, Path], images: Mapping[str, Path], members: list[tuple[str, str]]
) -> Iterator[Finding]:
    """Findings for XML files without an image; a member without one is a missing image instead."""
    listed = {stem for _, stem in members}
    for stem, path in labels.items():
        if stem not in images and stem not in listed:
            yield Finding("Y202", below(path, root), "the label belongs to no image")


def _annotation(
    root: Path, split: str, stem: str, image: Path | None, label: Path | None
) -> tuple[_Annotation | None, list[Finding]]:
    """One image and its annotation, or None if they cannot be used, and findings."""
    if image is None:
        return None, [Finding("Y102", stem, f"the image is listed in {split} but missing")]
    if label is None:
        return _Annotation(image, split, ""), [
            Finding("Y201", below(image, root), "the image has no XML file")
        ]
    where = below(label, root)
    try:
        xml = read_xml(label)
    except DataError as fault:
        return None, [Finding("Y203", where, fault.text.replace(str(label), "the label"))]
    objects, findings = _objects(xml, where)
    named = (xml.findtext("filename") or image.name).strip()
    if PurePath(fixed_slashes(named)).stem not in (image.stem, image.name):
        findings.append(Finding("Y206", where, f"filename is {shorten(named)}, the image {image.name}"))
    return _Annotation(image, split, where, objects, _size(xml)), findings


def _objects(xml: Element, where: str) -> tuple[tuple[_Object, ...], list[Finding]]:
    """The objects of an annotation, and findings for invalid ones."""
    objects, findings = [], []
    for row, element in enumerate(xml.findall("object"), start=1):
        name = (element.findtext("name") or "").strip()
        box = element.find("bndbox")
        texts = [None] * 4 if box is None else [box.findtext(corner) for corner in _CORNERS]
        values = [value for value in map(number, texts) if value is not None]
        if not name or len(values) != 4:
            what = (
                "the object needs a name"
                if not name
                else "the object needs xmin, ymin, xmax, ymax in a bndbox"
            )
            findings.append(Finding("Y204", place_of("voc", where, row), what))
        else:
            difficult = bool(number(element.findtext("difficult")))
            extra = Extra(attributes=_attributes(element)) if extras_wanted() else None
            corners = (values[0], values[1], values[2], values[3])
            objects.append(_Object(row, name, corners, difficult, extra))
    return tuple(objects), findings


def _attributes(element: Element) -> dict[str, Value]:
    """VOC's pose and flags where they are set, and the attributes that CVAT adds to an object."""
    found: dict[str, Value] = {}
    pose = element.findtext("pose") or "Unspecified"
    if pose != "Unspecified":
        found["pose"] = pose
    for flag in ("truncated", "occluded"):
        if number(element.findtext(flag)):
            found[flag] = True
    for entry in element.findall("attributes/attribute"):
        found[entry.findtext("name") or ""] = entry.findtext("value") or ""
    return found


def _size(xml: Element) -> tuple[int, int] | None:
    """Height and width of the image according to its annotation, or None."""
    width, height = number(xml.findtext("size/width")), number(xml.findtext("size/height"))
    if width is None or height is None or not (abs(width) < 1e9 and abs(height) < 1e9):
        return None
    return int(height), int(width)


def _class_names(root: Path, annotations: list[_Annotation]) -> tuple[tuple[str, ...], str]:
    """Class names, from a file if there is one, else all that occur; and their source."""
    path = next((root / name for name in _NAME_FILES if (root / name).is_file()), None)
    if path is not None:
        return tuple(filter(None, read_lines(path))), path.name
    names = {thing.name for annotation in annotations for thing in annotation.objects}
    return tuple(sorted(names)), "object names"


def _sample(annotation: _Annotation, root: Path, names: tuple[str, ...]) -> tuple[Sample, list[Finding]]:
    """An image with its boxes, and findings for objects of unknown classes."""
    label, size = annotation.label, annotation.size
    rows = [_row(thing, names) for thing in annotation.objects if thing.name in names]
    findings = [
        Finding("Y401", place_of("voc", label, thing.row), f"there is no class {shorten(thing.name)!r}")
        for thing in annotation.objects
        if thing.name not in names
    ]
    frame = size if size and min(size) > 0 else None
    ground_truth, kept, faults = gather(rows, frame, lambda row: place_of("voc", label, row))
    image = annotation.image
    sample = Sample(
        below(image, root),
        image,
        annotation.split,
        image.stem,
        label,
        ground_truth,
        kept,
        declared_size=size,
        extras=extras_of(rows, kept),
    )
    return sample, findings + faults


def _row(thing: _Object, names: tuple[str, ...]) -> Row:
    """An object as a row: VOC's inclusive pixels from 1 become edges from 0."""
    left, top, right, bottom = thing.corners
    shift = 1 if right > left and bottom > top else 0  # a degenerate box must not become one pixel wide
    return Row(
        thing.row,
        names.index(thing.name),
        (left - shift, top - shift, right, bottom),
        difficult=thing.difficult,
        extra=thing.extra,
    )
