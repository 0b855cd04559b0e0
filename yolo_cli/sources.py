"""Sources of images: the paths that a user gives, read one at a time.

A source is a file, a folder, a glob in quotes, a list file (``.txt``, one path per line) or ``-`` for the
bytes of one image on standard input. Videos, which folders leave out, are read frame by frame. Paths are
expanded at once, so that the count is known; images are read lazily, in constant memory. Errors are in-band:
one bad file among many is reported and does not end the run.
"""

# os.path keeps names as the user spelt them, and answers False where Path.is_dir raises.
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH118, PTH119, PTH120, PTH207

from __future__ import annotations

import glob
import itertools
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import find_files, is_leftover, locate
from yolo_cli.images import FOREIGN, SUFFIXES, Image, decode_image, read_image
from yolo_cli.limits import MAX_IMAGE
from yolo_cli.text import read_list
from yolo_cli.video import VIDEO_SUFFIXES, Frame, FrameChoice, open_video

__all__ = ["STDIN", "Source", "SourceItem", "natural_key", "open_source"]

STDIN = "-"


@dataclass(frozen=True, slots=True)
class SourceItem:
    """An image, or a video, that has not been read yet.

    Attributes:
        name: as the user named it; "-" for standard input.
        where: the list file and line that named it, as a prefix of its errors.
        fault: one line that says why it can never be read, or None.
        folder: the folder or fixed part of a glob that it was found in, or None.
    """

    name: str
    where: str = ""
    fault: str | None = None
    folder: str | None = None

    @property
    def place(self) -> str:
        """Its path in the folder that it was found in, else its file name: where to save what it becomes.

        >>> SourceItem("p/cats/1.jpg", folder="p").place, SourceItem("p/cats/1.jpg").place
        ('cats/1.jpg', '1.jpg')
        """
        if self.name == STDIN:
            return "stdin.jpg"
        return os.path.basename(self.name) if self.folder is None else os.path.relpath(self.name, self.folder)

    @property
    def is_video(self) -> bool:
        """By its name alone."""
        return self.name.lower().endswith(VIDEO_SUFFIXES)

    def frames(self, choice: FrameChoice) -> Iterator[Frame]:
        """The frames of a video; a fault is the last of them."""
        if self.fault:
            yield Frame(self.name, fault=self.fault)
            return
        try:
            yield from open_video(self.name).frames(choice)
        except DataError as fault:
            yield Frame(self.name, fault=f"{self.where}{fault}")

    def expected(self, choice: FrameChoice) -> int:
        """About how many images or frames it has; 0 if unknown."""
        if not self.is_video:
            return 1
        try:
            return open_video(self.name).expected(choice)
        except DataError:
            return 1

    def read(self) -> Image:
        """The image. Standard input can be read once.

        Raises:
            DataError: if it cannot be read.
        """
        if self.fault:
            raise DataError(self.fault)
        try:
            return _image(self.name)
        except DataError as fault:
            raise DataError(f"{self.where}{fault}") from fault


@dataclass(frozen=True, slots=True)
class Source:
    """Images and frames to be read. Items that cannot be read raise when read.

    Attributes:
        entries: images and videos, those that cannot be read, too; ``len`` counts them.
        choice: the frames of each video that are read.
    """

    entries: tuple[SourceItem, ...]
    choice: FrameChoice = field(default_factory=FrameChoice)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[SourceItem | Frame]:
        for entry in self.entries:
            if entry.is_video:
                yield from entry.frames(self.choice)
            else:
                yield entry

    @property
    def has_video(self) -> bool:
        """Whether one of the entries is a video."""
        return any(entry.is_video for entry in self.entries)

    @property
    def expected(self) -> int:
        """About how many images and frames it gives; 0 if that is unknown of one."""
        counts = [entry.expected(self.choice) for entry in self.entries]
        return sum(counts) if all(counts) else 0


def open_source(
    arguments: Sequence[str], *, recursive: bool = False, choice: FrameChoice | None = None
) -> Source:
    """Expand the arguments, in order; in a folder, a2.jpg comes before a10.jpg.

    An image named twice is read once. In folders, leftovers of systems are skipped.

    Args:
        arguments: files, folders, globs, list files, or "-".
        recursive: include subfolders.
        choice: the frames of videos that are read; None is all.

    Raises:
        UsageError: if there are no arguments, or frames are chosen and there is no video.
        DataError: if no argument yields an image.
    """
    if not arguments:
        raise UsageError("no image is named; give files, folders, 'globs', a list.txt, or - for stdin")
    entries = tuple(_first_mentions(e for argument in arguments for e in _expand(argument, recursive)))
    if all(entry.fault for entry in entries):
        more = f" (and {len(entries) - 1} more)" if len(entries) > 1 else ""
        raise DataError(f"{entries[0].fault}{more}")
    source = Source(entries, choice or FrameChoice())
    if source.choice != FrameChoice() and not source.has_video:
        raise UsageError("frames are chosen, but no source is a video; name a video, or choose none")
    return source


def natural_key(path: str) -> list[list[tuple[int, str, str]]]:
    """A sort key that orders paths folder by folder, with numbers by value.

    >>> sorted(["a/b10.jpg", "a/b9.jpg", "a-1.jpg", "B.jpg"], key=natural_key)
    ['a/b9.jpg', 'a/b10.jpg', 'a-1.jpg', 'B.jpg']
    """
    return [[_piece_key(p) for p in re.split(r"([0-9]+)", part)] for part in Path(path).parts]


def _piece_key(piece: str) -> tuple[int, str, str]:
    """Numbers by value and before words; the spelling decides between 7 and 07, or a and A."""
    if piece.isdigit() and piece.isascii():
        return int(piece), "", piece
    return sys.maxsize, piece.casefold(), piece


def _first_mentions(entries: Iterable[SourceItem]) -> Iterator[SourceItem]:
    """Drop paths that lead to an earlier file, however they are spelt."""
    seen: set[str] = set()
    for entry in entries:
        key = entry.name if entry.name == STDIN else os.path.abspath(entry.name)
        if key not in seen:
            seen.add(key)
            yield entry


def _expand(argument: str, recursive: bool) -> list[SourceItem]:
    """The images of one argument, or an item with a fault if there are none."""
    if argument == STDIN:
        return [SourceItem(STDIN)]
    if os.path.isdir(argument):
        return _folder(argument, recursive)
    if os.path.isfile(argument):
        return _list_file(argument) if argument.lower().endswith(".txt") else [SourceItem(argument)]
    if glob.has_magic(argument):
        fixed = _fixed_folder(argument)
        found = [path for path in glob.glob(argument, recursive=True) if _is_image(path, fixed)]
        return _sorted(found, fixed) or [_fault(argument, "matches no image")]
    return [_fault(argument, "no such file or folder")]


def _folder(folder: str, recursive: bool) -> list[SourceItem]:
    """The images in a folder, with ``recursive`` in subfolders too, and a fault for each unreadable one."""
    faults: list[SourceItem] = []

    def refuse(error: OSError) -> None:
        faults.append(_fault(str(error.filename), f"cannot be listed: {error.strerror}"))

    found = list(find_files(folder, SUFFIXES + FOREIGN, recursive=recursive, refused=refuse))
    hint = "" if recursive else " (its own folders are searched with --recursive)"
    video = next(find_files(folder, VIDEO_SUFFIXES, recursive=recursive), None)
    if video:
        pattern = os.path.join(folder, f"*{Path(video).suffix}")
        hint = f", but videos; name them, as in '{pattern}'"
    return (_sorted(found, folder) + faults) or [_fault(folder, f"has no image{hint}")]


def _list_file(path: str) -> list[SourceItem]:
    """One path per line, relative to the list file; empty lines and comments (#) are skipped."""
    try:
        lines = read_list(Path(path))
    except DataError as fault:
        return [SourceItem(path, fault=fault.text)]
    entries = [SourceItem(_listed(line, path), f"{path}:{number}: ") for number, line in lines]
    return entries or [_fault(path, "lists no image; write one path per line")]


def _listed(line: str, path: str) -> str:
    """The image that a line means: its path as written if it exists, else as exporters write it."""
    folder = os.path.dirname(path)
    plain = os.path.join(folder, line)
    words = line.split()
    tries = (line, words[0]) if len(words) > 1 else (line,)  # a second column is a label
    found = (locate(text, Path(folder)) for text in tries if not os.path.exists(plain))
    return next((str(place) for place in found if os.path.exists(place)), plain)


def _sorted(paths: Iterable[str], folder: str) -> list[SourceItem]:
    return [SourceItem(path, folder=folder) for path in sorted(paths, key=natural_key)]


def _fixed_folder(pattern: str) -> str:
    """The folders before the first that has a wildcard.

    >>> _fixed_folder("a/b/*/c?.jpg"), _fixed_folder("*.jpg")
    ('a/b', '.')
    """
    parts = Path(pattern).parts
    fixed = itertools.takewhile(lambda part: not glob.has_magic(part), parts)
    return str(Path(*fixed))


def _fault(path: str, words: str) -> SourceItem:
    return SourceItem(path, fault=f"{path}: {words}")


def _is_image(path: str, folder: str) -> bool:
    """By its name alone, and those of the folders between it and ``folder``."""
    names = Path(os.path.relpath(path, folder)).parts
    known = path.lower().endswith(SUFFIXES + FOREIGN + VIDEO_SUFFIXES)
    return known and not any(map(is_leftover, names))


def _image(path: str) -> Image:
    """Read a file, or standard input for "-"."""
    if path != STDIN:
        return read_image(path)
    if sys.stdin.isatty():
        raise DataError(
            "-: standard input is a terminal; pipe an image into it, as in: yolo detect - < a.jpg"
        )
    return decode_image(sys.stdin.buffer.read(MAX_IMAGE), STDIN)
