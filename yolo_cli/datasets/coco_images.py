"""The images of a COCO file: their entries, and where their files are."""

from __future__ import annotations

import unicodedata
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
    found: dict[int | str, ImageEntry] = {}
    rivals: list[ImageEntry] = []
    findings = []
    for index, entry in enumerate(entries):
        image_id = _image_id(entry)
        if image_id is None or not isinstance(entry.get("file_name"), str):
            what = f"an image needs id and file_name; this is {brief(entry)}"
            findings.append(Finding("Y204", f"{where}:images[{index}]", what))
            continue
        made = ImageEntry(image_id, fixed_slashes(entry["file_name"]), _declared_size(entry))
        first = found.setdefault(image_id, made)
        if first.file_name != made.file_name:
            rivals.append(made._replace(rival=first.file_name))
            found[image_id] = first._replace(rival=made.file_name)
    return [*found.values(), *rivals], findings


def _image_id(entry: Any) -> int | str | None:
    """The id of an image's entry: a whole number or text."""
    own = entry.get("id") if isinstance(entry, dict) else None
    if isinstance(own, float) and own.is_integer():
        return int(own)
    return own if isinstance(own, (int, str)) else None


def _declared_size(entry: dict[str, Any]) -> tuple[int, int] | None:
    """Height and width of an image in its entry, or None."""
    width, height = entry.get("width"), entry.get("height")
    if type(width) is not int or type(height) is not int:
        width, height = number(width), number(height)
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
        self._places = _image_places(path, root)
        self._listed: dict[Path, dict[str, Path]] = {}
        self._plain: dict[str, Path] = {}
        for place in reversed(self._places):
            self._plain |= self._names(place)
        self._bare = Counter(name.rsplit("/", 1)[-1] for name in file_names)

    def find(self, file_name: str) -> tuple[Path, bool]:
        """The path of an image, or where it should be, and whether it exists."""
        # The other form of its accents, too: see `yolo_cli.files.as_stored`.
        forms = (unicodedata.normalize(form, file_name) for form in ("NFC", "NFD"))
        found = next(filter(None, map(self._found, dict.fromkeys([file_name, *forms]))), None)
        return (plain(self._places[0] / file_name), False) if found is None else (found, True)

    def _found(self, file_name: str) -> Path | None:
        """The image of a name as written, or without its first folders."""
        found = self._among_places(file_name)
        parts = [part for part in file_name.split("/") if part not in ("", ".", "..")]
        for at in range(1, len(parts)):
            if found is None and (at + 1 < len(parts) or self._bare["/".join(parts[at:])] == 1):
                found = self._among_places("/".join(parts[at:]))
        return found

    def _among_places(self, file_name: str) -> Path | None:
        """The first place that has a file of this name."""
        if "/" not in file_name:
            return self._plain.get(file_name)
        folder, _, name = file_name.rpartition("/")
        if not name or ".." in folder or file_name.startswith("/"):
            tries = (plain(place / file_name) for place in self._places)
            return next((path for path in tries if name and is_there(path)), None)
        listings = (self._names(place / folder) for place in self._places)
        return next((listing[name] for listing in listings if name in listing), None)

    def _names(self, folder: Path) -> dict[str, Path]:
        """The files and folders in a folder, by name."""
        if folder not in self._listed:
            try:
                self._listed[folder] = {path.name: path for path in folder.iterdir()}
            except (OSError, ValueError):
                self._listed[folder] = {}
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
