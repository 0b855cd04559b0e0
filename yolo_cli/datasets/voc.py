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
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from unicodedata import normalize
from xml.etree.ElementTree import Element

from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import (
    Row,
    below,
    empty_splits,
    extras_of,
    gather,
    images_below,
    in_order,
    is_usable,
    name_findings,
    of_image,
    place_of,
    without_repeats,
)
from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.datasets.splits import split_called, splits_of
from yolo_cli.datasets.voc_xml import Thing, objects_of, read_xml, size_of
from yolo_cli.errors import DataError
from yolo_cli.files import find_files
from yolo_cli.images import FOREIGN, SUFFIXES
from yolo_cli.limits import open_file
from yolo_cli.text import fixed_slashes, read_lines, read_list, shorten

__all__ = ["has_voc", "read_voc"]

_NAME_FILES = ("labels.txt", "classes.txt", "label_list.txt", "labelmap.txt")
_IMAGE_FOLDERS = ("JPEGImages", "images")
_LABEL_FOLDERS = ("Annotations", "annotations")
_LIST_FOLDERS = ("ImageSets/Main", "ImageSets", ".")


@dataclass(frozen=True, slots=True)
class _Annotation:
    """One image and its annotation."""

    image: Path
    split: str
    label: str
    objects: tuple[Thing, ...] = ()
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
    read = [_annotation(root, split, stem, images, labels.get(stem)) for split, stem in members]
    annotations = [found for found, _ in read if found and (found.label or allow_unlabelled)]
    names, source = _class_names(root, annotations)
    ids = {name: number for number, name in reversed([*enumerate(names)])}
    made = [_sample(annotation, root, ids) for annotation in annotations]
    samples, repeats = without_repeats(sample for sample, _ in made if sample)
    findings = [*name_findings(names, source), *repeats, *_orphans(root, labels, images, members)]
    named = ((word, below(path, root)) for word, path in lists.items() if word != "trainval")
    findings += empty_splits(named, samples)
    findings += [fault for _, faults in (*read, *made) for fault in faults]
    if allow_unlabelled:
        findings = [finding for finding in findings if finding.code != "Y201"]
    return Dataset(root, "voc", names, in_order(samples), tuple(sorted(set(findings))))


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
        with open_file(path, str(path)) as file:
            return re.search(rb"<annotation[\s>]", file.read(4096).replace(b"\0", b"")) is not None  # UTF-16
    except (OSError, DataError):
        return False


def _stem(path: Path, root: Path, folders: tuple[str, ...]) -> str:
    """The key that matches an image with its label: the path below its folder, without suffix.

    Accents are in one form: see `yolo_cli.files.as_stored`.
    """
    parts = path.relative_to(root).with_suffix("").parts
    return normalize("NFC", "/".join(parts[1:] if parts[0] in folders else parts))


def _images(root: Path) -> dict[str, list[Path]]:
    """The images of a data set by their stem."""
    folder = next((root / name for name in _IMAGE_FOLDERS if (root / name).is_dir()), root)
    found: dict[str, list[Path]] = {}
    for path in images_below(folder):
        found.setdefault(_stem(path, root, _IMAGE_FOLDERS), []).append(path)
    return found


def _lists(root: Path) -> dict[str, Path]:
    """The image lists of a data set, by name."""
    words = ("train", "val", "test", "trainval")
    tries = ((word, root / folder / f"{word}.txt") for folder in _LIST_FOLDERS[::-1] for word in words)
    return {word: path for word, path in tries if path.is_file()}  # the first folder comes last, and wins


def _members(
    lists: Mapping[str, Path], labels: Mapping[str, Path], images: Mapping[str, list[Path]]
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
    folders = {stem: tuple(stem.split("/")[:-1]) for stem in sorted(images)}
    splits = splits_of(folders.values())
    return [(splits.get(folder, UNSPLIT), stem) for stem, folder in folders.items()]


def _listed(path: Path, known: Set[str]) -> list[str]:
    """The stems in a list, with or without suffix and folder; a second column is ignored."""
    found = []
    for _, line in read_list(path):
        words = (line, *line.split()[:1])
        tries = list(dict.fromkeys(normalize("NFC", stem) for text in words for stem in _stems(text)))
        found.append(next((stem for stem in tries if stem in known), tries[-1]))
    return found


def _stems(text: str) -> Iterator[str]:
    """The keys that a path in a list may mean: as it is, without suffix, and below its usual folder."""
    yield text
    path = PurePosixPath(text)
    bare = path.with_suffix("") if path.suffix.lower() in (*SUFFIXES, *FOREIGN, ".xml") else path
    yield str(bare)
    at = next((i for i, part in enumerate(bare.parts) if part in (*_IMAGE_FOLDERS, *_LABEL_FOLDERS)), -1)
    yield "/".join(bare.parts[at + 1 :])
    yield bare.name


def _orphans(
    root: Path, labels: Mapping[str, Path], images: Mapping[str, list[Path]], members: list[tuple[str, str]]
) -> Iterator[Finding]:
    """Findings for XML files without an image; a member without one is a missing image instead."""
    listed = {stem for _, stem in members}
    for stem, path in labels.items():
        if stem not in images and stem not in listed:
            yield Finding("Y202", below(path, root), "the label belongs to no image")


def _annotation(
    root: Path, split: str, stem: str, images: Mapping[str, list[Path]], label: Path | None
) -> tuple[_Annotation | None, list[Finding]]:
    """One image and its annotation, or None if they cannot be used, and findings."""
    found = images.get(stem, [])
    if label is None:
        missing = [_left_out("Y201", root, image, split, "the image has no XML file") for image in found]
        gone = Finding("Y102", stem, f"the image is listed in {split} but missing", stem, split)
        unlabelled = _Annotation(found[0], split, "") if len(found) == 1 else None
        return unlabelled, missing or [gone]
    where = below(label, root)
    try:
        xml = read_xml(label)
    except DataError as fault:
        what = fault.text.replace(str(label), "the label")
        return None, [Finding("Y203", where, what, below((found or [label])[0], root), split)]
    image, others = _own_image(root, stem, xml, images)
    if image is None:
        what = f"its label {where} is that of {len(found)} images; rename them"
        return None, [_left_out("Y210", root, each, split, what) for each in found]
    name = below(image, root)
    if not is_usable(image, size_of(xml)):
        return None, [Finding("Y102", stem, f"the image is listed in {split} but missing", name, split)]
    objects, faults = objects_of(xml, where)
    findings = [replace(fault, image=name, split=split) for fault in faults]
    findings += [_left_out("Y201", root, other, split, "the image has no XML file") for other in others]
    if faults:
        return None, findings
    return _Annotation(image, split, where, objects, size_of(xml)), [
        *findings,
        *_other_name(xml, image, where),
    ]


def _own_image(
    root: Path, stem: str, xml: Element, images: Mapping[str, list[Path]]
) -> tuple[Path | None, list[Path]]:
    """The image of an annotation, or None if several could be, and the other images of its stem.

    Of several images with the annotation's stem, ``filename`` decides. Without one, ``filename`` does, too.
    """
    found = images.get(stem, [])
    named = PurePosixPath(fixed_slashes((xml.findtext("filename") or "").strip())).name
    if len(found) > 1:
        own = next((path for path in found if path.name == named), None)
        return own, [path for path in found if path != own]
    if found:
        return found[0], []
    folder = next((name for name in _IMAGE_FOLDERS if (root / name).is_dir()), "JPEGImages")
    parent = str(PurePosixPath(stem).parent)
    place = root / folder / ("" if parent == "." else parent) / (named or f"{stem}.jpg")
    return place, []


def _other_name(xml: Element, image: Path, where: str) -> Iterator[Finding]:
    """A finding if an annotation names another image than the one with its own name."""
    named = (xml.findtext("filename") or image.name).strip()
    if PurePath(fixed_slashes(named)).stem not in (image.stem, image.name):
        yield Finding("Y206", where, f"filename is {shorten(named)}, the image {image.name}")


def _left_out(code: str, root: Path, image: Path, split: str, what: str) -> Finding:
    """The finding about an image that is left out."""
    name = below(image, root)
    return Finding(code, name, what, name, split)


def _class_names(root: Path, annotations: list[_Annotation]) -> tuple[tuple[str, ...], str]:
    """Class names, from a file if there is one, else all that occur; and their source."""
    path = next((root / name for name in _NAME_FILES if (root / name).is_file()), None)
    if path is not None:
        listed = (line.split(":")[0] if path.name == "labelmap.txt" else line for line in read_lines(path))
        # CVAT's labelmap.txt has colours behind the names, a comment, and a class "background".
        dropped = ("", "background") if path.name == "labelmap.txt" else ("",)
        return tuple(name for name in listed if name not in dropped and name[:2] != "# "), path.name
    names = {thing.name for annotation in annotations for thing in annotation.objects}
    return tuple(sorted(names)), "object names"


def _sample(
    annotation: _Annotation, root: Path, ids: Mapping[str, int]
) -> tuple[Sample | None, list[Finding]]:
    """An image with its boxes, or None if an object was refused, and findings."""
    label, size = annotation.label, annotation.size
    rows = [_row(thing, ids[thing.name]) for thing in annotation.objects if thing.name in ids]
    findings = [
        Finding("Y401", place_of("voc", label, thing.row), f"there is no class {shorten(thing.name)!r}")
        for thing in annotation.objects
        if thing.name not in ids
    ]
    frame = size if size and min(size) > 0 else None
    boxes, kept, faults = gather(rows, frame, lambda row: place_of("voc", label, row))
    image, split = annotation.image, annotation.split
    name = below(image, root)
    extras = extras_of(rows, kept)
    sample = Sample(name, image, split, image.stem, label, boxes, kept, declared_size=size, extras=extras)
    gone, found = of_image(findings + faults, name, split, label, len(kept))
    return None if gone else sample, list(found)


def _row(thing: Thing, class_id: int) -> Row:
    """An object as a row: VOC's inclusive pixels from 1 become edges from 0."""
    left, top, right, bottom = thing.corners
    shift = 1 if right > left and bottom > top else 0  # a degenerate box must not become one pixel wide
    return Row(
        thing.row,
        class_id,
        (left - shift, top - shift, right, bottom),
        difficult=thing.difficult,
        extra=thing.extra,
    )
