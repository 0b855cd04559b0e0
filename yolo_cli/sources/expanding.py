"""The paths and addresses that a user gives → images and frames, read one at a time.

A source is a file, a folder, a glob in quotes, a list file (``.txt``, one path per line), ``-`` for standard
input, the number of a camera, or an address. Videos, which folders leave out, are read frame by frame, as are
image files with several pages or frames. Paths are expanded at once, so that the count is known; images are
read lazily, in constant memory. Errors are in-band: one bad file among many is reported and does not end the
run.
"""

# os.path keeps names as the user spelt them, and answers False where Path.is_dir raises.
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH118, PTH120, PTH207

from __future__ import annotations

import fnmatch
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
from yolo_cli.images import FOREIGN, SUFFIXES
from yolo_cli.live import LiveOptions, find_address
from yolo_cli.sources.items import SourceItem, SourcePart, file_item
from yolo_cli.sources.stdin import STDIN
from yolo_cli.text import read_list
from yolo_cli.video import VIDEO_SUFFIXES, FrameChoice

__all__ = ["Source", "natural_key", "open_source"]


@dataclass(frozen=True, slots=True)
class Source:
    """Images and frames to be read. Items that cannot be read raise when read.

    Attributes:
        entries: what was named, that which cannot be read, too; ``len`` counts it.
        choice: the frames of each video that are read.
        live: how cameras and streams are followed.
    """

    entries: tuple[SourceItem, ...]
    choice: FrameChoice = field(default_factory=FrameChoice)
    live: LiveOptions = field(default_factory=LiveOptions)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[SourcePart]:
        for entry in self.entries:
            yield from entry.parts(self.choice, self.live)

    @property
    def has_frames(self) -> bool:
        """Whether one of the entries gives frames."""
        return any(entry.has_frames for entry in self.entries)

    @property
    def is_live(self) -> bool:
        """Whether one of the entries gives frames while they happen."""
        return any(entry.address and entry.has_frames for entry in self.entries)

    @property
    def reads_ahead(self) -> bool:
        """Whether it is worth a thread: not for one image, nor for a live source, which has its own."""
        return not (self.is_live or (len(self.entries) == 1 and self.entries[0].is_one_image))

    @property
    def places(self) -> dict[str, str]:
        """The path of each entry, by its name, relative to the folder that it was found in."""
        return {entry.name: entry.place for entry in self.entries}

    @property
    def expected(self) -> int:
        """About how many images and frames it gives; 0 if that is unknown of one."""
        counts = [entry.expected(self.choice) for entry in self.entries]
        return sum(counts) if all(counts) else 0


def open_source(
    arguments: Sequence[str],
    *,
    recursive: bool = False,
    choice: FrameChoice | None = None,
    live: LiveOptions | None = None,
) -> Source:
    """Expand the arguments, in order; in a folder, a2.jpg comes before a10.jpg.

    An image named twice is read once. In folders, leftovers of systems are skipped.

    Args:
        arguments: files, folders, globs, list files, "-", numbers of cameras, or addresses.
        recursive: include subfolders.
        choice: the frames of videos that are read; None is all.
        live: how cameras and streams are followed.

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
    source = Source(entries, choice or FrameChoice(), live or LiveOptions())
    if source.choice != FrameChoice() and not source.has_frames:
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
        elsewhere = entry.address or entry.name == STDIN
        key = entry.name if elsewhere else os.path.abspath(entry.name)
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
        return _list_file(argument) if argument.lower().endswith(".txt") else [file_item(argument)]
    address = find_address(argument)
    if address:
        return [SourceItem(address.name, address=address)]
    if glob.has_magic(argument):
        fixed = _fixed_folder(argument)
        found = [path for path in _matching(argument, fixed) if _is_image(path, fixed)]
        return _sorted(found, fixed) or [_fault(argument, "matches no image")]
    special = os.path.exists(argument)
    return [
        _fault(argument, "is a pipe or device, not an image file" if special else "no such file or folder")
    ]


def _matching(pattern: str, fixed: str) -> Iterable[str]:
    """The files that match a glob; ``**`` follows links as `find_files` does, so links in a circle end."""
    parts = Path(pattern).parts[len(Path(fixed).parts) :]
    if "**" not in parts:
        return glob.glob(pattern)
    files = (Path(path) for path in find_files(fixed, SUFFIXES + FOREIGN + VIDEO_SUFFIXES))
    after = (*parts[1:], "")
    wanted = tuple(part for part, next_ in zip(parts, after, strict=True) if (part, next_) != ("**", "**"))
    return (str(file) for file in files if _fits(file.relative_to(fixed).parts, wanted))


def _fits(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether the parts of a path match those of a glob, of which ``**`` matches any number."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


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
    entries = [file_item(_listed(line, path), f"{path}:{number}: ") for number, line in lines]
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
    return [file_item(path, folder=folder) for path in sorted(paths, key=natural_key)]


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
