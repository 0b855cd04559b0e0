"""Locate the parts of a YOLO data set: images by split, labels, class names.

For the form itself, see :mod:`yolo_cli.datasets.yolo`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import below, images_below, is_there, plain
from yolo_cli.datasets.sample import UNSPLIT
from yolo_cli.datasets.splits import split_called, splits_among, splits_of
from yolo_cli.datasets.yolo_keypoints import keypoint_keys
from yolo_cli.datasets.yolo_names import (
    count_findings,
    described_names,
    name_lines,
    names_beside,
    names_inside,
    names_of,
    numbered_names,
    text_value,
)
from yolo_cli.errors import DataError
from yolo_cli.files import as_stored, is_leftover, locate
from yolo_cli.images import FOREIGN, SUFFIXES
from yolo_cli.text import fixed_slashes, read_lines, read_list, read_yaml, shorten

__all__ = ["IMAGE_FOLDERS", "Plan", "descriptions", "image_of", "label_of", "label_places", "plan_of"]

IMAGE_FOLDERS = ("images", "jpegimages", "raw")
"""Folders, in lower case, that have a twin ``labels``: those of Darknet's ``replace_image_to_label``."""
_INNER_LEVELS = 2
_KEYS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The layout of a data set.

    Attributes:
        root: the folder that names are relative to.
        source: the file or folder that describes it, below ``root``.
        images: the images of each split, as named; some may not exist.
        names: the class names, or None if no file has them.
        findings: paths that do not exist, and class names that disagree.
        kpt_shape: the number of key points of a box, and of the numbers of each; None without key points.
        flip_idx: the key point that each becomes in a mirrored image.
        keypoint_names: of each key point; their numbers if no file has names.
        skeleton: the pairs of key points, from 0, to draw lines between.
    """

    root: Path
    source: str
    images: Mapping[str, tuple[Path, ...]]
    names: tuple[str, ...] | None
    findings: tuple[Finding, ...] = ()
    kpt_shape: tuple[int, int] | None = None
    flip_idx: tuple[int, ...] = ()
    keypoint_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()


def descriptions(folder: Path) -> list[Path]:
    """The descriptions of YOLO data sets in a folder: description files in it, else the folder itself.

    Images below one of its subfolders that has a description belong to that: class 0 of one data set is not
    that of another.
    """
    if described := _described(folder):
        return described
    images = [image for group in _bare_images(folder).values() for image in group]
    above = {image: _folders_above(image, folder) for image in images}
    inner = {sub: _described(sub) for sub in sorted({sub for subs in above.values() for sub in subs})}
    bare = (image for image, subs in above.items() if not any(inner[sub] for sub in subs))
    own = [folder] if any(label_of(image) for image in bare) else []
    return own + [path for paths in inner.values() for path in paths]


def _described(folder: Path) -> list[Path]:
    """The description files in a folder."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not is_leftover(path.name)]
    return [path for path in files if path.suffix == ".data" or _describes(path)]


def _folders_above(image: Path, folder: Path) -> list[Path]:
    """The first folders on the way from a folder to an image; none of them is a folder of images."""
    parts = image.relative_to(folder).parts[:-1]
    whole = itertools.takewhile(lambda part: part.lower() not in IMAGE_FOLDERS, parts[:_INNER_LEVELS])
    return [folder.joinpath(*parts[: depth + 1]) for depth, _ in enumerate(whole)]


def plan_of(place: Path) -> Plan:
    """Find images and class names from a ``data.yaml``, a ``.data`` file or a folder.

    Raises:
        DataError: if the description is broken.
    """
    if place.is_dir():
        bare = _bare_images(place)
        names, findings = names_beside(place, *described_names(place))
        return Plan(place, place.name, bare, names or _names_inside(place, bare), tuple(findings))
    keys = _darknet_keys(place) if place.suffix == ".data" else read_yaml(place, strings=True)
    base = plain(place.parent / text_value(keys.get("path") or ".", place, "path"))
    root = base if base.is_dir() else place.parent
    images: dict[str, tuple[Path, ...]] = {}
    findings = []
    for key, split in _KEYS.items():
        found, faults = _entries(place, root, key, keys.get(key))
        findings += faults
        if found:
            images[split] = images.get(split, ()) + found
    if not _KEYS.keys() & keys.keys():
        if _image_places(root) == [root] and (fault := _too_wide(root, place)):
            raise DataError(f"{place}: path leads to {root}, which {fault}")
        images = _bare_images(root)
    names, faults = names_beside(root, names_of(keys.get("names"), place), below(place, root))
    findings += [*faults, *count_findings(keys.get("nc"), names, below(place, root))]
    where, named = below(place, root), names or numbered_names(keys.get("nc"))
    return Plan(root, where, images, named, tuple(findings), **keypoint_keys(keys, place))


def _names_inside(root: Path, images: Mapping[str, Iterable[Path]]) -> tuple[str, ...] | None:
    """The class names of files beside the images or labels of a part, as labelImg writes them."""
    parents = sorted({image.parent for group in images.values() for image in group})
    folders = {sub: None for parent in parents for sub in _folders_above(parent / "x", root)}
    return names_inside(
        root, folders | {p.parent: None for each in parents for p in label_places(each / "x")}
    )


def label_places(image: Path) -> list[Path]:
    """Possible paths of an image's label, the usual one first."""
    beside = image.with_suffix(".txt")
    parts = beside.parts
    at = next((i for i in range(len(parts) - 2, -1, -1) if parts[i].lower() in IMAGE_FOLDERS), None)
    if at is None:
        return [beside]
    word = {"IMAGES": "LABELS", "Images": "Labels"}.get(parts[at], "labels")
    return [Path(*parts[:at], word, *parts[at + 1 :]), beside]


def label_of(image: Path) -> Path | None:
    """The label file of an image, or None."""
    places = map(as_stored, label_places(image))
    # A pipe is one, too, which its reader refuses by name; os.path raises no OSError.
    return next((p for p in places if os.path.exists(p) and not os.path.isdir(p)), None)  # noqa: PTH110, PTH112


def image_of(label: Path, folder: Path) -> Path | None:
    """The image in a data set's folder whose label this is, by its place below ``labels``."""
    place = label.relative_to(folder / "labels")
    twins = [sub for sub in folder.iterdir() if sub.name.lower() in IMAGE_FOLDERS and sub.is_dir()]
    endings = (*SUFFIXES, *map(str.upper, SUFFIXES))
    images = ((twin / place).with_suffix(ending) for twin in twins for ending in endings)
    return next((image for image in images if image.is_file()), None)


def _describes(path: Path) -> bool:
    """Whether a file is a description; a broken ``data.yaml`` counts, so that it is reported."""
    if path.suffix not in (".yaml", ".yml"):
        return False
    try:
        keys = read_yaml(path, strings=True)
    except DataError:
        return path.stem in ("data", "dataset")
    return bool({"names", "nc"} & keys.keys() and _KEYS.keys() & keys.keys())


def _bare_images(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Images by split without a description: by list files, else by folders named after splits."""
    lists = {path: split_called(path.stem) for path in sorted(folder.glob("*.txt")) if path.stem in _KEYS}
    by_list = {split: _listed(path, folder) for path, split in lists.items() if split and _is_list(path)}
    if by_list:
        return by_list
    images = [image for place in _image_places(folder) for image in images_below(place)]
    folders = {image: image.parent.relative_to(folder).parts for image in images}
    splits = splits_of(folders.values())
    found: dict[str, list[Path]] = {}
    for image in images:
        found.setdefault(splits.get(folders[image], UNSPLIT), []).append(image)
    return {split: tuple(images) for split, images in found.items()}


def _image_places(folder: Path) -> list[Path]:
    """Where the images of a data set without a description are: ``images``, folders of splits, or itself."""
    subs = [sub for sub in sorted(folder.iterdir()) if sub.is_dir() and not is_leftover(sub.name)]
    usual = sorted((sub for sub in subs if sub.name.lower() in IMAGE_FOLDERS[:2]), key=_is_vocs)
    if usual:
        # VOC's own labels beside JPEGImages rule over those that Darknet's tool makes of them.
        return [] if _is_vocs(usual[0]) and (folder / "Annotations").is_dir() else usual[:1]
    splits = splits_among(sub.name for sub in subs)
    return [sub for sub in subs if sub.name in splits or _is_split(sub)] or [folder]


def _is_vocs(folder: Path) -> bool:
    return folder.name == "JPEGImages"


def _is_split(folder: Path) -> bool:
    """Whether a folder is a split, with images and labels of its own, whatever is beside it."""
    return bool(split_called(folder.name)) and (folder / "images").is_dir()


def _is_list(path: Path) -> bool:
    """Whether a text file lists images: its first line ends with an image's suffix."""
    try:
        lines = read_lines(path)
    except DataError:
        return False
    return next(filter(None, lines), "").lower().endswith(SUFFIXES)


def _entries(place: Path, root: Path, key: str, value: Any) -> tuple[tuple[Path, ...], list[Finding]]:
    """The images of one key of a description, and findings for paths that do not exist."""
    images: list[Path] = []
    findings = []
    for item in value if isinstance(value, list) else [value or ""]:
        text = text_value(item, place, key)
        if text and text.lower() not in ("null", "~"):
            found = locate(fixed_slashes(text), root, place.parent)
            wide = _too_wide(found, place)
            more = () if wide else tuple(_expand(found, root))
            images += more
            if not more:
                why = wide or ("has no image" if is_there(found) else "is not there")
                what = f"{key} names {shorten(text)}, which {why}"
                findings.append(Finding("Y504", below(place, root), what))
    return tuple(images), findings


def _too_wide(folder: Path, place: Path) -> str:
    """Why a folder that a description leads to is not searched, as the end of a sentence; "" if it is.

    One line of a stranger's file must not search the whole disk, or everything of the user's.
    """
    real, own = os.path.realpath(folder), os.path.realpath(place.parent)
    if real == own or not os.path.isdir(real):  # noqa: PTH112
        return ""
    below_it = (each for each in (own, os.path.realpath(os.path.expanduser("~"))) if _is_within(each, real))  # noqa: PTH111
    if any(_is_within(real, system) for system in ("/proc", "/sys", "/dev")) or any(below_it):
        return "holds far more than a data set; name the folder of its images"
    return ""


def _is_within(inner: str, outer: str) -> bool:
    """Whether a resolved path is a folder or inside it."""
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)


def _expand(found: Path, root: Path) -> Iterable[Path]:
    """The images of a folder, of a list file, or an image itself."""
    if found.is_dir():
        return images_below(found)
    if found.suffix.lower() == ".txt" and found.is_file():
        return _listed(found, root)
    return [found] if found.name.lower().endswith(SUFFIXES + FOREIGN) and found.is_file() else []


def _listed(path: Path, root: Path) -> tuple[Path, ...]:
    """The images in a list file, one per line, whether they exist or not."""
    return tuple(locate(line, path.parent, root) for _, line in read_list(path))


def _darknet_keys(path: Path) -> dict[str, Any]:
    """The ``key = value`` lines of Darknet's ``.data`` file, with the keys of ``data.yaml``."""
    pairs = (line.split("=", 1) for line in read_lines(path) if "=" in line)
    keys: dict[str, Any] = {key.strip(): value.strip() for key, value in pairs}
    if "names" in keys:
        keys["names"] = list(name_lines(locate(fixed_slashes(keys["names"]), path.parent)))
    return keys | ({"nc": keys["classes"]} if "classes" in keys else {})
