"""The images of a COCO file: their entries, and where their files are."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from yolo_cli.datasets.coco_columns import brief
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import is_there, plain
from yolo_cli.datasets.splits import split_called
from yolo_cli.text import fixed_slashes, number

__all__ = ["ImageEntry", "ImageFinder", "image_entries"]

_LARGEST = 1 << 32  # pixels


class ImageEntry(NamedTuple):
    """One image of a COCO file: its id, its file's name with slashes, height and width or None.

    ``rival`` is another file with the same id, or "".
    """

    image_id: int | str
    file_name: str
    size: tuple[int, int] | None
    rival: str = ""


def image_entries(entries: Sequence[Any], where: str) -> tuple[list[ImageEntry], list[Finding]]:
    """The entries of images, each file once for an id, and findings for entries that are none."""
    files: dict[int | str, dict[str, ImageEntry]] = {}
    findings = []
    for index, entry in enumerate(entries):
        place = f"{where}:images[{index}]"
        image_id = _image_id(entry)
        if image_id is None or not isinstance(entry.get("file_name"), str):
            findings.append(
                Finding("Y204", place, f"an image needs id and file_name; this is {brief(entry)}")
            )
            continue
        made = ImageEntry(image_id, fixed_slashes(entry["file_name"]), _declared_size(entry))
        files.setdefault(image_id, {}).setdefault(made.file_name, made)
    return [entry for same in files.values() for entry in _with_rivals(list(same.values()))], findings


def _with_rivals(same: list[ImageEntry]) -> list[ImageEntry]:
    """The entries of one id, each with another file that has it, if there is one."""
    if len(same) == 1:
        return same
    return [entry._replace(rival=same[at - 1].file_name) for at, entry in enumerate(same)]


def _image_id(entry: Any) -> int | str | None:
    """The id of an image's entry: a whole number or text."""
    own = entry.get("id") if isinstance(entry, dict) else None
    if isinstance(own, float) and own.is_integer():
        return int(own)
    return own if isinstance(own, (int, str)) else None


def _declared_size(entry: dict[str, Any]) -> tuple[int, int] | None:
    """Height and width of an image in its entry, or None."""
    width, height = number(entry.get("width")), number(entry.get("height"))
    if width is None or height is None or not (abs(width) < _LARGEST and abs(height) < _LARGEST):
        return None
    return int(height), int(width)


class ImageFinder:
    """Finds the files of a COCO file's images. Every folder is listed once.

    Args:
        path: the COCO file.
        root: the data set's folder.
        file_names: of all images; a name that is not found as written is searched without its folders, as
            long as it stays the only one of its name.
    """

    def __init__(self, path: Path, root: Path, file_names: Iterable[str]) -> None:
        self._places = [os.fspath(place) for place in _image_places(path, root)]
        self._listed: dict[str, frozenset[str]] = {}
        self._bare = Counter(name.rsplit("/", 1)[-1] for name in file_names)

    def find(self, file_name: str) -> Path:
        """The path of an image; where it should be if it does not exist."""
        found = self._among_places(file_name)
        if found is not None:
            return Path(found)
        parts = [part for part in file_name.split("/") if part not in ("", ".", "..")]
        for at in range(1, len(parts)):
            rest = "/".join(parts[at:])
            found = self._among_places(rest) if at + 1 < len(parts) or self._bare[rest] == 1 else None
            if found is not None:
                return Path(found)
        return plain(f"{self._places[0]}/{file_name}")

    def _among_places(self, file_name: str) -> str | None:
        """The first place that has a file of this name."""
        folder, _, name = file_name.rpartition("/")
        if not name or ".." in folder or file_name.startswith("/"):
            tries = (plain(os.path.join(place, file_name)) for place in self._places)  # noqa: PTH118
            return next((str(path) for path in tries if name and is_there(path)), None)
        below = f"/{folder}" if folder else ""
        return next(
            (f"{place}{below}/{name}" for place in self._places if name in self._names(place + below)), None
        )

    def _names(self, folder: str) -> frozenset[str]:
        """The names in a folder."""
        if folder not in self._listed:
            try:
                self._listed[folder] = frozenset(os.listdir(folder))  # noqa: PTH208
            except (OSError, ValueError):
                self._listed[folder] = frozenset()
        return self._listed[folder]


def _image_places(path: Path, root: Path) -> list[Path]:
    """Folders in which the images of an annotation file may be, most usual first."""
    word = path.stem.rsplit("_", 1)[-1]  # "val2017" of instances_val2017
    splits = dict.fromkeys(filter(None, [split_called(word) and word, split_called(path.parent.name)]))
    split = split_called(word) or split_called(path.parent.name)
    words = dict.fromkeys([*splits, *([split] if split else [])])
    places = []
    for base in dict.fromkeys((path.parent, root)):
        places += [base, base / "images", base / word, base / "images" / word, base / "images" / path.stem]
        places += [base / "data", base / "JPEGImages", base / "imgs"]
        for each in words:
            places += [base / each, base / "images" / each, base / each / "images"]
    return list(dict.fromkeys(places))
