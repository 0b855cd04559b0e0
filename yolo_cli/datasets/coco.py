"""Data sets in COCO form: a JSON file with ``images``, ``annotations`` and ``categories``.

``bbox`` is ``[x, y, width, height]`` in pixels of the upright image, from 0. Class ids are 0, 1, 2 … in
the order of the category ids; where files (of several splits) number their categories differently, the
category *name* decides. ``iscrowd`` and ``area`` are kept. The split follows from the name of the
file or folder (``instances_val2017.json``, ``train/_annotations.coco.json``). Images are searched for beside
the file and the data set's folder, in the usual folders. An image without annotations is a negative, since
the file lists it. Entries of several ids for one file are one image with the boxes of all.
"""

from __future__ import annotations

import mmap
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.coco_columns import annotation_columns, as_rows, brief, column, numbers_of
from yolo_cli.datasets.coco_images import ImageEntry, image_entries
from yolo_cli.datasets.coco_samples import CocoPart, make_samples
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import below, empty_splits, in_order, name_findings
from yolo_cli.datasets.numbering import positions, shift_between
from yolo_cli.datasets.sample import UNSPLIT, Dataset
from yolo_cli.datasets.splits import split_called, split_in, splits_among
from yolo_cli.errors import DataError
from yolo_cli.files import is_leftover
from yolo_cli.limits import MAX_TEXT, check_keypoint_names, open_file
from yolo_cli.text import number, read_json, without_collection

__all__ = ["annotation_files", "read_coco"]

_LISTS = (rb'"images"\s*:\s*\[\s*[{\]]', rb'"annotations"\s*:\s*\[\s*[{\]]')
_KEYS = ("images", "annotations", "categories")


def annotation_files(folder: Path) -> list[Path]:
    """The COCO files of a folder: in it, in ``annotations``, or in folders named after splits.

    If there are files called ``instances_…``, as in COCO itself, the others (captions, key points) are
    skipped.
    """
    subs = [sub for sub in sorted(folder.iterdir()) if sub.is_dir()]
    places = [folder, *(sub for sub in subs if sub.name.lower() == "annotations" or split_called(sub.name))]
    files = [path for place in places for path in sorted(place.glob("*.json")) if not is_leftover(path.name)]
    found = [path for path in files if _is_coco(path)]
    return [path for path in found if path.stem.startswith("instances_")] or found


def read_coco(files: Sequence[Path], root: Path) -> Dataset:
    """Read a COCO data set with one file per split; it may be empty.

    Raises:
        DataError: if a file is not a COCO file, its numbering does not fit, or two are of the same split.
    """
    with without_collection():
        parts = [_read(path, root, split) for path, split in _splits(files, root).items()]
        return _joined(parts, root)


def _joined(parts: Sequence[CocoPart], root: Path) -> Dataset:
    """The data set of one part for each split."""
    names = tuple(dict.fromkeys(name for part in parts for _, name in sorted(part.categories)))
    made = [make_samples(part, names, root) for part in parts]
    samples = [sample for found, _ in made for sample in found]
    findings = [
        *(finding for part in parts for finding in _name_faults(part, parts[0], names)),
        *name_findings(names, parts[0].where),
        *empty_splits(((part.split, part.where) for part in parts), samples),
        *(fault for part in parts for fault in part.findings),
        *(fault for _, faults in made for fault in faults),
    ]
    points, skeleton = next(filter(any, (part.keypoints for part in parts)), ((), ()))
    return Dataset(
        root,
        "coco",
        names,
        in_order(samples),
        tuple(sorted(set(findings))),
        {part.split: _category_ids(part, names) for part in parts},
        keypoint_names=points,
        skeleton=skeleton,
    )


def _splits(files: Sequence[Path], root: Path) -> dict[Path, str]:
    """The split of each file; DataError if two have the same."""
    among = splits_among(path.stem for path in files)
    several = len(files) > 1  # then train_fixed.json cannot be a data set beside train.json
    found: dict[Path, str] = {}
    for path in files:
        folder = path.parent.name if path.parent != root else ""
        words = (
            among.get(path.stem),
            split_called(path.stem),
            split_called(folder),
            split_in(path.stem) if several else None,
        )
        split = next(filter(None, words), UNSPLIT)
        twin = next((other for other, taken in found.items() if taken == split), None)
        if twin is not None:
            which = f"{below(twin, root)} and {below(path, root)}"
            raise DataError(f"{root}: {which} both hold the split {split!r}; give one with --data FILE")
        found[path] = split
    return found


def _is_coco(path: Path) -> bool:
    """Whether a file holds a list of images and one of annotations, both of objects, wherever they are."""
    try:
        with (
            open_file(path, str(path), MAX_TEXT) as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            text: Any = data
            if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
                text = data[:].decode("utf-16", "replace").encode()
            return all(re.search(pattern, text) for pattern in _LISTS)
    except (OSError, ValueError, DataError):  # ValueError: an empty file
        return False


def _names_both_lists(descriptor: int) -> bool:
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        text: Any = data
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = data[:].decode("utf-16", "replace").encode()
        return all(re.search(pattern, text) for pattern in _LISTS)


def _read(path: Path, root: Path, split: str) -> CocoPart:
    """Read one file, check that it has all three lists, and turn its annotations into columns."""
    value = read_json(path)
    lists: tuple[Any, ...] = tuple(value.get(key) if isinstance(value, dict) else None for key in _KEYS)
    if not all(isinstance(each, list) for each in lists):
        raise DataError(f"{path}: is not a COCO file: it needs the lists images, annotations and categories")
    where = below(path, root)
    images, findings = image_entries(lists[0], where)
    categories = tuple(_category(entry, path) for entry in lists[2])
    known = {category_id: index for index, (category_id, _) in reversed([*enumerate(categories)])}
    rows = as_rows(lists[1])
    image = _image_positions(column(rows, "image_id"), images, path, complete=not findings)  # (N,)
    category = _category_positions(column(rows, "category_id"), known, path)  # (N,)
    points = _keypoints(lists[2])
    check_keypoint_names(points[0], os.fspath(path))
    columns = annotation_columns(rows, image, category, where, len(points[0]))
    return CocoPart(path, where, split, images, columns, categories, tuple(findings), points)


def _image_positions(
    given: Sequence[Any], images: Sequence[ImageEntry], path: Path, *, complete: bool
) -> NDArray[np.int64]:
    """The index of each annotation's image, (N,), or -1, by its id, else by its file's name or stem.

    ``complete`` says that no entry of an image was refused; else annotations may be those of a refused one.

    Raises:
        DataError: if annotations number the images otherwise, so that all would be another image's.
    """
    by_id = {entry.image_id: index for index, entry in reversed([*enumerate(images)])}
    found = positions(given, by_id)  # (N,)
    if not (found < 0).any() or not complete:
        return found
    ids = set(filter(_is_id, given))
    shift = shift_between(ids, by_id)
    # One odd id is not enough: nearly every image must have a box in the other numbering.
    if shift and ((found < 0).all() or len(ids) >= 0.9 * len(by_id)):
        raise DataError(_shifted(path, "image", ids, by_id, shift))
    return found if (found >= 0).any() else _by_name(given, images, path)


def _by_name(given: Sequence[Any], images: Sequence[ImageEntry], path: Path) -> NDArray[np.int64]:
    """The index of each annotation's image, (N,), by file names; DataError if these do not fit, either."""
    for part in (str, lambda path: path.name, lambda path: path.stem):
        by_name = {part(PurePosixPath(entry.file_name)): index for index, entry in enumerate(images)}
        found = positions(given, by_name)  # (N,)
        if len(by_name) == len(images) and (found >= 0).all():
            return found
    ids = ", ".join(repr(entry.image_id) for entry in images[:3])
    raise DataError(
        f"{path}: none of its annotations is of one of its images: the first has the image_id "
        f"{brief(given[0])}, the images are {ids}, …"
    )


def _category_positions(given: Sequence[Any], known: Mapping[int, int], path: Path) -> NDArray[np.int64]:
    """The index of each annotation's category, (N,), or -1; DataError if they are numbered otherwise."""
    found = positions(given, known)  # (N,)
    if (found < 0).any():
        ids = set(filter(_is_id, given))
        shift = shift_between(ids, known)
        if shift and ((found < 0).all() or {each + shift for each in ids} == set(known)):
            raise DataError(_shifted(path, "category", ids, known, shift))
    return found


def _shifted(path: Path, what: str, given: Iterable[Any], known: Iterable[Any], shift: int) -> str:
    """The message for annotations that number images or categories otherwise than the file itself."""
    given, known = sorted(given), sorted(known)
    return (
        f"{path}: the {what}_id of its annotations is from {given[0]} to {given[-1]}, the ids themselves are "
        f"from {known[0]} to {known[-1]}; add {shift} to every {what}_id"
    )


def _is_id(value: Any) -> bool:
    return isinstance(value, (int, str, float))


def _keypoints(categories: Sequence[Any]) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Names of the key points of the first category that has some, and its skeleton, from 0."""
    entry: Any = next((entry for entry in categories if isinstance(entry.get("keypoints"), list)), {})
    pairs = entry.get("skeleton") if isinstance(entry.get("skeleton"), list) else []
    flat = [numbers_of(pair, 2) for pair in pairs or []]
    names = tuple(map(str, entry.get("keypoints", ())))
    pairs = [
        (int(pair[0]) - 1, int(pair[1]) - 1) for pair in flat if len(pair) == 2 and np.isfinite(pair).all()
    ]
    return names, tuple(pair for pair in pairs if min(pair) >= 0 and max(pair) < len(names))


def _category(entry: Any, path: Path) -> tuple[int, str]:
    """Id and name of a category; raises DataError without them."""
    own = number(entry.get("id")) if isinstance(entry, dict) else None
    if own is None or not own.is_integer() or not isinstance(entry.get("name"), str):
        raise DataError(f"{path}: a category needs a whole number as id and a name; one is {brief(entry)}")
    return int(entry["id"]), entry["name"]


def _name_faults(file: CocoPart, first: CocoPart, names: tuple[str, ...]) -> Iterator[Finding]:
    """Findings for categories that are duplicate, missing, or different from those of the first file."""
    where = file.where
    ids = Counter(category_id for category_id, _ in file.categories)
    own = {name for _, name in file.categories}
    for category_id in (i for i, count in ids.items() if count > 1):
        yield Finding("Y402", where, f"the category id {category_id} occurs twice")
    for name, count in Counter(name for _, name in file.categories).items():
        if count > 1:
            yield Finding("Y406", where, f"{count} categories have the name {name!r}; they are taken for one")
    others = {name: category_id for category_id, name in first.categories}
    for category_id, name in file.categories:
        if file is not first and others.get(name, category_id) != category_id:
            what = f"{name!r} is category {category_id} here and {others[name]} in {first.where}"
            yield Finding("Y407", where, f"{what}; the name decides")
    for name in names:
        if name not in own:
            yield Finding("Y402", where, f"has no category {name!r}, which another split has")


def _category_ids(file: CocoPart, names: tuple[str, ...]) -> tuple[int, ...]:
    """The file's category id of each class; -1 for a missing class."""
    ids = {name: category_id for category_id, name in reversed(file.categories)}
    return tuple(ids.get(name, -1) for name in names)
