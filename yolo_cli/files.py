"""Atomic writes of files and folders, and a recursive search for files."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from errno import EDQUOT, ENOSPC
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError, UsageError

__all__ = [
    "as_stored",
    "atomic_folder",
    "atomic_write",
    "atomic_write_bytes",
    "atomic_write_text",
    "draft_of",
    "exchange",
    "find_files",
    "is_leftover",
    "locate",
    "make_folder",
    "path_of",
    "remove_folder",
    "spelling",
    "spellings",
    "unwritable",
]

_NUMBERS = count()
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of the C library
_DRAFT_SECONDS = 24 * 3600  # no file is written for longer
_LEFTOVERS = {"__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found", "__pycache__"}


def atomic_write(path: str | os.PathLike[str], write: Callable[[Path], Any]) -> None:
    """Replace ``path`` atomically with the file that ``write`` writes at the path it is given.

    That is a temporary file beside ``path`` with the same suffix, synced to disk before it replaces ``path``,
    and removed on failure. A link is followed; a device or pipe is written directly.

    Raises:
        DataError: if ``path`` cannot be written; a file that was there before is unchanged.
    """
    target = Path(os.path.realpath(path))
    draft = draft_of(target)
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            write(target)
            return
        write(draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    except (OSError, UnicodeError) as fault:
        raise unwritable(path, fault) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def atomic_write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write bytes with :func:`atomic_write`."""
    atomic_write(path, lambda draft: draft.write_bytes(data))


def atomic_write_text(path: str | os.PathLike[str], text: str) -> None:
    r"""Write text in UTF-8, with ``\n`` on every system, with :func:`atomic_write`.

    Bytes of file names that are not UTF-8 become ``\udcXX``, which JSON and YAML readers turn back.
    """
    atomic_write(path, lambda draft: draft.write_bytes(text.encode(errors="backslashreplace")))


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``path`` when the block ends, and is removed on failure.

    ``path`` must not exist, or be an empty folder.

    Raises:
        DataError: if the folder, or a file in it, cannot be written.
    """
    draft = draft_of(path)
    try:
        draft.mkdir(parents=True)
        yield draft
        if path.is_dir():
            path.rmdir()
        draft.rename(path)
    except (OSError, UnicodeError) as fault:  # UnicodeError: a file name that no text file can hold
        raise unwritable(path, fault) from None
    finally:
        remove_folder(draft)


def exchange(first: Path, second: Path) -> None:
    """Let two files or folders change places: on Linux at once, elsewhere with an instant without ``second``.

    Raises:
        OSError: if they cannot.
    """
    import ctypes  # for nothing else

    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2  # glibc 2.28, 2018
        done = swap(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0
    except (AttributeError, OSError, TypeError):  # another system
        done = False
    if not done:
        aside = draft_of(second)
        second.rename(aside)
        first.rename(second)
        aside.rename(first)


def path_of(value: object, name: str) -> Path:
    """The argument ``name`` as a path.

    Raises:
        UsageError: if it is neither a str nor a Path.
    """
    return value if isinstance(value, Path) else Path(spelling(value, name))


def spelling(value: object, name: str) -> str:
    """The argument ``name``, a path or an address, as it was given: a `Path` would change ``http://``.

    Raises:
        UsageError: if it is neither a str nor a Path.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if isinstance(text, str):
        return text
    raise UsageError(f"{name}: {type(value).__name__} is not a path; give a str or a Path")


def spellings(values: object, name: str) -> list[str]:
    """The `spelling` of the argument ``name``, or of each, if it is a sequence."""
    several = values if isinstance(values, list | tuple) else [values]
    return [spelling(each, name) for each in several]


def make_folder(path: Path) -> Path:
    """Create a folder with its parents, unless it exists; return its path.

    Raises:
        DataError: if it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise unwritable(path, fault) from None
    return path


def find_files(
    folder: str | os.PathLike[str],
    suffixes: tuple[str, ...],
    *,
    recursive: bool = True,
    refused: Callable[[OSError], None] = lambda _: None,
) -> Iterator[str]:
    """Paths of the files with one of ``suffixes`` (in lower case) in a folder and those below it, sorted.

    Links are followed, except into a folder that contains them or the folder that is searched, and a link
    inside a linked folder only to folders that were not searched before: links in a circle end. Leftovers
    (see `is_leftover`) are skipped. Pipes and devices are listed: whoever reads them refuses them by name.

    Args:
        folder: the folder; returned paths begin with it as given.
        suffixes: matched without regard to case.
        recursive: include subfolders.
        refused: called with the error of each folder that cannot be listed.
    """
    above = frozenset(map(str, Path(os.path.realpath(folder)).parents))
    yield from _Search(suffixes, recursive, refused).files(os.fspath(folder), above)


@dataclass(frozen=True, slots=True)
class _Search:
    """One search of `find_files`, with the resolved folders that were searched."""

    suffixes: tuple[str, ...]
    recursive: bool
    refused: Callable[[OSError], None]
    seen: set[str] = field(default_factory=set)

    def files(self, folder: str, above: frozenset[str] = frozenset(), linked: bool = False) -> Iterator[str]:
        """The files of a folder; ``above`` are the resolved folders that contain it."""
        real = os.path.realpath(folder)
        if real in above or (linked and real in self.seen):
            return
        self.seen.add(real)
        try:
            with os.scandir(folder) as entries:
                found = sorted((entry for entry in entries if not is_leftover(entry.name)), key=_name)
        except OSError as fault:
            self.refused(fault)
            return
        folders = {entry.path: entry.is_symlink() for entry in found if _leads_to(entry, os.DirEntry.is_dir)}
        named = (e for e in found if e.name.lower().endswith(self.suffixes) and e.path not in folders)
        yield from (entry.path for entry in named)
        inside = linked or os.path.islink(folder)  # noqa: PTH114
        for sub, link in folders.items() if self.recursive else ():
            yield from self.files(sub, above | {real}, linked=inside and link)


def is_leftover(name: str) -> bool:
    """Whether operating systems and tools leave files or folders of this name among others.

    Names that start with a dot (macOS's ``._a.jpg``, Jupyter's ``.ipynb_checkpoints``), ``__MACOSX``,
    ``@eaDir`` and the like.
    """
    return name.startswith(".") or name.lower() in _LEFTOVERS


def locate(text: str, *places: Path) -> Path:
    """The file or folder that a path in another file means; where nothing exists, the path as written.

    Tried are, below each place: the path itself; without ``../``; one folder higher (as in Darknet's lists);
    without its first folders, as long as one is left or the folder left out is ``data`` (exporters and other
    machines write such prefixes).
    """
    short = text.removeprefix("../")
    tries = [place / text for place in places] + [place / short for place in places]
    tries += [place.parent / text for place in places]
    parts = [part for part in short.split("/") if part not in ("", ".", "..")]
    for at in range(1, len(parts)):
        if len(parts) - at > 1 or parts[at - 1].lower() == "data":
            tries += [place.joinpath(*parts[at:]) for place in places]
    found = next((path for path in map(as_stored, tries) if os.path.exists(path)), tries[0])  # noqa: PTH110
    return Path(os.path.abspath(found))  # noqa: PTH100  # Path.resolve would follow links


def as_stored(path: Path) -> Path:
    """A path; if nothing is there, the same in the other form of its accents, if that exists.

    macOS and what packs archives there write "é" as two characters, others as one (Unicode, annex 15).
    """
    text = os.fspath(path)
    if text.isascii() or os.path.exists(text):  # noqa: PTH110
        return path
    others = (Path(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))
    return next((other for other in others if os.path.exists(other)), path)  # noqa: PTH110


def _leads_to(path: os.DirEntry[str] | Path, kind: Callable[[Any], bool]) -> bool:
    """``kind`` of a path; False for links in a circle and names that are too long."""
    try:
        return kind(path)
    except OSError:
        return False


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def draft_of(path: Path) -> Path:
    """A hidden name beside ``path``, unique to process and thread, well below 255 bytes.

    Drafts of the same path that are older than a day are removed: their process was killed.
    """
    _sweep(path)
    return path.with_name(f".{path.stem[:32]}.{os.getpid()}-{next(_NUMBERS)}{path.suffix[:12]}")


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it, as far as that is possible."""
    import shutil  # rarely needed, and slow to import

    shutil.rmtree(folder, ignore_errors=True)


def _sweep(path: Path) -> None:
    """Remove the drafts that killed processes left of a path."""
    name = re.compile(rf"\.{re.escape(path.stem[:32])}\.\d+-\d+{re.escape(path.suffix[:12])}")
    for draft in _hidden(path.parent):
        with suppress(OSError):
            if name.fullmatch(draft.name) and time.time() - draft.lstat().st_mtime > _DRAFT_SECONDS:
                remove_folder(draft) if draft.is_dir() and not draft.is_symlink() else draft.unlink()


@lru_cache(64)
def _hidden(folder: Path) -> tuple[Path, ...]:
    """What is hidden in a folder when a process first writes to it: it may hold a million files."""
    try:
        with os.scandir(folder) as entries:
            return tuple(folder / entry.name for entry in entries if entry.name.startswith("."))
    except OSError:
        return ()


def unwritable(path: str | os.PathLike[str], fault: OSError | UnicodeError) -> DataError:
    """The error for a file or folder that cannot be written, in one line."""
    reason = " ".join(str(getattr(fault, "strerror", None) or fault).split())
    full = getattr(fault, "errno", None) in (ENOSPC, EDQUOT)
    return DataError(f"{os.fspath(path)}: cannot be written: {reason}{'; free some space' if full else ''}")
