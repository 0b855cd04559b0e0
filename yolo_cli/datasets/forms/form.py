"""One form of data set: how it is recognised, and the function that reads it."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.splits import split_called
from yolo_cli.errors import DataError
from yolo_cli.files import find_files
from yolo_cli.limits import open_file

__all__ = ["Form", "head_of", "matcher"]

_HEAD = 1 << 16  # bytes that are read to recognise a file
_MOST = 64  # files that are looked at to recognise a folder
_FOLDERS = frozenset({
    "annotations", "annots", "annotation", "labels", "label", "json", "jsons", "csv", "data", "metadata",
    "vott-json-export", "vott-csv-export",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """One form of data set.

    Attributes:
        kind: ``Dataset.kind``, as in ``convert --to``.
        title: its name in messages.
        suffixes: of its annotation files, in lower case.
        matches: whether a file is one of them; it reads at most the first 64 KiB.
        read: reads the data set of a folder from its annotation files; the last argument is
            ``allow_unlabelled``.
        recursive: whether its files may be in any subfolder, as with one file per image.
        overrules: kinds whose signs do not count where this form is recognised.
        names: of its annotation files, or () for any.
    """

    kind: str
    title: str
    suffixes: tuple[str, ...]
    matches: Callable[[Path], bool]
    read: Callable[[Path, Sequence[Path], bool], Dataset]
    recursive: bool = False
    overrules: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def sign(self, folder: Path) -> Path | None:
        """The first file of this form in a folder, or None. At most 64 files are opened."""
        return next(filter(self.matches, islice(self._candidates(folder), _MOST)), None)

    def files(self, folder: Path) -> list[Path]:
        """The annotation files of a folder in this form; the reader checks those of a recursive form."""
        if self.recursive:
            return [Path(path) for path in find_files(folder, self.suffixes)]
        return [path for path in self._candidates(folder) if self.matches(path)]

    def _candidates(self, folder: Path) -> Iterator[Path]:
        """Files with the suffixes in a folder, then in its folders with the usual names, two deep."""
        yield from self._directly_in(folder)
        for sub in _usual_folders(folder):
            yield from self._directly_in(sub)
            for lower in _usual_folders(sub):
                yield from self._directly_in(lower)

    def _directly_in(self, folder: Path) -> Iterator[Path]:
        if self.names:
            return (folder / name for name in self.names if (folder / name).is_file())
        return map(Path, find_files(folder, self.suffixes, recursive=False))


def _usual_folders(folder: Path) -> list[Path]:
    """Subfolders named after splits or annotations, sorted."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []
    return [folder / name for name in names if name.lower() in _FOLDERS or split_called(name)]


def head_of(path: Path) -> bytes:
    """The first 64 KiB of a file, in UTF-8 without a byte-order mark; empty if it cannot be read."""
    try:
        with open_file(path, str(path)) as file:
            head = file.read(_HEAD)
    except (OSError, ValueError, DataError):
        return b""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "ignore").encode()
    return head.removeprefix(codecs.BOM_UTF8)


def matcher(*patterns: str) -> Callable[[Path], bool]:
    """A test of a file: every pattern is found in its first 64 KiB."""
    compiled = [re.compile(pattern.encode()) for pattern in patterns]

    def matches(path: Path) -> bool:
        head = head_of(path)
        return all(pattern.search(head) for pattern in compiled)

    return matches
