"""Data sets in COCO form: a JSON file with ``images``, ``annotations`` and ``categories``.

``bbox`` is ``[x, y, width, height]`` in pixels of the upright image, from 0. Class ids are 0, 1, 2 … in
the order of the category ids; where files (of several splits) number their categories differently, the
category *name* decides. ``iscrowd`` and ``area`` are kept. The split follows from the name of the
file or folder (``instances_val2017.json``, ``train/_annotations.coco.json``). Images are searched for beside
the file and the data set's folder, in the usual folders. An image without annotations is a negative, since
the file lists it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_cli.datasets.extras import Extra, extras_wanted, plain_values
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import (
    Row,
    below,
    empty_splits,
    extras_of,
    gather,
    in_order,
    is_there,
    name_findings,
    place_of,
    plain,
    split_called,
    without_repeats,
)
from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.errors import DataError
from yolo_cli.text import fixed_slashes, number, read_json, shorten

__all__ = ["annotation_files", "read_coco"]

_SNIFF = 1 << 16
_KEYS = re.compile(rb'"(?:images|annotations|categories)"\s*:\s*\[')


@dataclass(frozen=True, slots=True)
class _File:
    """One annotation file: its lists, whose entries are unchecked, and its split."""

    path: Path
    split: str
    images: list[Any]
    annotations: list[Any]
    categories: tuple[tuple[int, str], ...]
    keypoints: tuple[tuple[str, ...], tuple[tuple[int, int], ...]] = ((), ())
    """Names of the key points, and the pairs of the skeleton, from 0."""


def annotation_files(folder: Path) -> list[Path]:
    """The COCO files of a folder: in it, in ``annotations``, or in folders named after splits.

    If there are files called ``instances_…``, as in COCO itself, the others (captions, key points) are
    skipped.
    """
    subs = [sub for sub in sorted(folder.iterdir()) if sub.is_dir()]
    places = [folder, *(sub for sub in subs if sub.name.lower() == "annotations" or split_called(sub.name))]
    found = [path for place in places for path in sorted(place.glob("*.json")) if _is_coco(path)]
    return [path for path in found if path.stem.startswith("instances_")] or found


def read_coco(files: Sequence[Path], root: Path) -> Dataset:
    """Read a COCO data set with one file per split; it may be empty.

    Raises:
        DataError: if a file is not a COCO file, or two files are of the same split.
    """
    read = [_read(path, root) for path in files]
    for i, file in enumerate(read):
        twin = next((other for other in read[:i] if other.split == file.split), None)
        if twin is not None:
            which = f"{below(twin.path, root)} and {below(file.path, root)}"
            raise DataError(f"{root}: {which} both hold the split {file.split!r}; give one with --data FILE")
    names = tuple(dict.fromkeys(name for file in read for _, name in sorted(file.categories)))
    findings = [finding for file in read for finding in _name_faults(file, read[0], names, root)]
    findings += name_findings(names, below(read[0].path, root))
    parts = [_samples(file, root, names) for file in read]
    samples, repeats = without_repeats(sample for found, _ in parts for sample in found)
    findings += empty_splits(((file.split, below(file.path, root)) for file in read), samples)
    findings += [*repeats, *(fault for _, faults in parts for fault in faults)]
    categories = {file.split: _category_ids(file, names) for file in read}
    points, skeleton = next(filter(any, (file.keypoints for file in read)), ((), ()))
    return Dataset(
        root,
        "coco",
        names,
        in_order(samples),
        tuple(sorted(set(findings))),
        categories,
        keypoint_names=points,
        skeleton=skeleton,
    )


def _is_coco(path: Path) -> bool:
    """Whether the beginning of a file has one of the three keys of the format."""
    try:
        with path.open("rb") as file:
            return _KEYS.search(file.read(_SNIFF)) is not None
    except OSError:
        return False


def _read(path: Path, root: Path) -> _File:
    """Read one file and check that it has all three lists."""
    value = read_json(path)
    keys = ("images", "annotations", "categories")
    images, annotations, categories = (value.get(key) if isinstance(value, dict) else None for key in keys)
    if not (isinstance(images, list) and isinstance(annotations, list) and isinstance(categories, list)):
        raise DataError(f"{path}: is not a COCO file: it needs the lists images, annotations and categories")
    words = [path.stem, path.parent.name if path.parent != root else ""]
    split = next(filter(None, map(split_called, words)), UNSPLIT)
    named = tuple(_category(entry, path) for entry in categories)
    return _File(path, split, images, annotations, named, _keypoints(categories))


def _keypoints(categories: Sequence[Any]) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Names of the key points of the first category that has some, and its skeleton, from 0."""
    entry: Any = next((entry for entry in categories if isinstance(entry.get("keypoints"), list)), {})
    pairs = entry.get("skeleton") if isinstance(entry.get("skeleton"), list) else []
    flat = [_numbers(pair, 2) for pair in pairs or []]
    skeleton = tuple((int(pair[0]) - 1, int(pair[1]) - 1) for pair in flat if len(pair) == 2)
    return tuple(map(str, entry.get("keypoints", ()))), skeleton


def _category(entry: Any, path: Path) -> tuple[int, str]:
    """Id and name of a category; raises DataError without them."""
    if not (
        isinstance(entry, dict) and isinstance(entry.get("id"), int) and isinstance(entry.get("name"), str)
    ):
        raise DataError(f"{path}: a category needs a whole number as id and a name; one is {_brief(entry)}")
    return entry["id"], entry["name"]


def _brief(entry: Any) -> str:
    """A short description of a wrong entry, whose text could be huge."""
    return (
        f"an object with {shorten(', '.join(map(str, entry)))}"
        if isinstance(entry, dict)
        else type(entry).__name__
    )


def _name_faults(file: _File, first: _File, names: tuple[str, ...], root: Path) -> Iterator[Finding]:
    """Findings for categories that are duplicate, missing, or different from those of the first file."""
    where = below(file.path, root)
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
            what = f"{name!r} is category {category_id} here and {others[name]} in {below(first.path, root)}"
            yield Finding("Y407", where, f"{what}; the name decides")
    for name in names:
        if name not in own:
            yield Finding("Y402", where, f"has no category {name!r}, which another split has")


def _category_ids(file: _File, names: tuple[str, ...]) -> tuple[int, ...]:
    """The file's category id of each class; -1 for a missing class."""
    ids = {name: category_id for category_id, name in reversed(file.categories)}
    return tuple(ids.get(name, -1) for name in names)


def _samples(file: _File, root: Path, names: tuple[str, ...]) -> tuple[list[Sample], list[Finding]]:
    """The images of one file with their boxes, and findings."""
    where = below(file.path, root)
    images, findings = _images(file, where)
    rows, faults = _rows(file, where, names, images)
    findings += faults
    places = _image_places(file.path, root)
    samples = []
    for image_id, entry in images.items():
        path = _image(fixed_slashes(entry["file_name"]), places)
        name = below(path, root)
        if not is_there(path):
            findings.append(Finding("Y102", name, f"the image is listed in {where} but missing"))
            continue
        size = _declared_size(entry)
        frame = size if size and min(size) > 0 else None
        ground_truth, kept, more = gather(rows[image_id], frame, lambda row: place_of("coco", where, row))
        findings += [Finding(f.code, f.where, f"{name}: {f.what}") for f in more]
        samples.append(
            Sample(
                name,
                path,
                file.split,
                image_id,
                where,
                ground_truth,
                kept,
                declared_size=size,
                extras=extras_of(rows[image_id], kept),
            )
        )
    return samples, findings


def _images(file: _File, where: str) -> tuple[dict[int | str, dict[str, Any]], list[Finding]]:
    """The entries of images by id, and findings for those that cannot be used."""
    images: dict[int | str, dict[str, Any]] = {}
    findings = []
    for index, entry in enumerate(file.images):
        place = f"{where}:images[{index}]"
        image_id = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(image_id, (int, str)) or not isinstance(entry.get("file_name"), str):
            findings.append(
                Finding("Y204", place, f"an image needs id and file_name; this is {_brief(entry)}")
            )
        elif image_id in images:
            findings.append(Finding("Y205", place, f"the id {image_id} belongs to an earlier image"))
        else:
            images[image_id] = entry
    return images, findings


def _rows(
    file: _File, where: str, names: tuple[str, ...], images: Mapping[int | str, Any]
) -> tuple[Mapping[int | str, list[Row]], list[Finding]]:
    """The rows of each image by its id, and findings for annotations that are not a class and box."""
    class_ids = {category_id: names.index(name) for category_id, name in file.categories}
    rows: defaultdict[int | str, list[Row]] = defaultdict(list)
    findings = list(_repeated_ids(file, where))
    for index, entry in enumerate(file.annotations):
        code, what = _annotation_fault(entry, class_ids, images)
        if code:
            findings.append(Finding(code, place_of("coco", where, index), what))
        else:
            rows[entry["image_id"]].append(_row(entry, index, class_ids[entry["category_id"]]))
    return rows, findings


def _repeated_ids(file: _File, where: str) -> Iterator[Finding]:
    """A finding for every annotation with a duplicate id."""
    seen: set[int | str] = set()
    for index, entry in enumerate(file.annotations):
        own = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(own, (int, str)):
            if own in seen:
                yield Finding("Y207", place_of("coco", where, index), f"an earlier one has the id {own}, too")
            seen.add(own)


def _annotation_fault(
    entry: Any, class_ids: Mapping[int, int], images: Mapping[int | str, Any]
) -> tuple[str, str]:
    """Code and description of the fault of an annotation; "" if there is none."""
    if not isinstance(entry, dict):
        return "Y204", f"an annotation must be an object; this is {_brief(entry)}"
    image_id, category_id = entry.get("image_id"), entry.get("category_id")
    if not isinstance(image_id, (int, str)) or image_id not in images:
        return "Y202", f"the image_id {shorten(image_id, 40)} belongs to no image"
    if not isinstance(category_id, (int, str)) or category_id not in class_ids:
        return "Y401", f"the category_id {shorten(category_id, 40)} belongs to no category"
    bbox = entry.get("bbox")
    if not isinstance(bbox, list) or len(bbox) != 4 or any(number(value) is None for value in bbox):
        return "Y204", "bbox must be [x, y, width, height], four numbers"
    return "", ""


def _row(entry: Mapping[str, Any], index: int, class_id: int) -> Row:
    """A valid annotation as a row."""
    x, y, w, h = (float(value) for value in entry["bbox"])
    area = number(entry.get("area"))
    crowd = bool(number(entry.get("iscrowd")))
    area = float("nan") if area is None else area
    extra = _extra(entry) if extras_wanted() else None
    return Row(index, class_id, (x, y, x + w, y + h), crowd, area=area, wh=(w, h), extra=extra)


def _extra(entry: Mapping[str, Any]) -> Extra:
    """What an annotation has besides its box; parts that are not in COCO's form are left out."""
    outline = entry.get("segmentation")
    rings = [_numbers(ring, 2) for ring in outline] if isinstance(outline, list) else []
    own = entry.get("id")
    return Extra(
        tuple(ring for ring in rings if len(ring) >= 6),
        tuple(zip(*[iter(_numbers(entry.get("keypoints"), 3))] * 3, strict=True)),
        plain_values(entry.get("attributes")),
        outline if isinstance(outline, dict) else None,
        own if isinstance(own, (int, str)) else None,
    )


def _numbers(values: Any, step: int) -> tuple[float, ...]:
    """A list of numbers whose length is a multiple of ``step``; () for anything else."""
    found = tuple(map(number, values)) if isinstance(values, list) else ()
    return () if None in found or len(found) % step else found  # type: ignore[return-value]  # None is not in it


def _declared_size(entry: Mapping[str, Any]) -> tuple[int, int] | None:
    """Height and width of an image in its entry, or None."""
    width, height = number(entry.get("width")), number(entry.get("height"))
    if width is None or height is None or not (abs(width) < _SNIFF**2 and abs(height) < _SNIFF**2):
        return None
    return int(height), int(width)


def _image_places(path: Path, root: Path) -> list[Path]:
    """Folders in which the images of an annotation file may be, most usual first."""
    word = path.stem.rsplit("_", 1)[-1]  # "val2017" of instances_val2017
    split = split_called(word) or split_called(path.parent.name) or ""
    places = []
    for base in dict.fromkeys((path.parent, root)):
        places += [
            base,
            base / "images",
            base / word,
            base / "images" / word,
            base / "data",
            base / "JPEGImages",
        ]
        places += [base / split, base / "images" / split, base / split / "images"] if split else []
    return list(dict.fromkeys(places))


def _image(file_name: str, places: Sequence[Path]) -> Path:
    """The path of an image: the first place that has it, else the expected one."""
    tries = (place / file_name for place in places)
    return plain(next((path for path in tries if is_there(path)), places[0] / file_name))
