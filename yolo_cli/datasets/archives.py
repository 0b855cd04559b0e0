"""Data sets in archives, unpacked into a temporary folder within bounds.

An archive is refused as a whole if it is not what exporters write: a path that leads out of it, a device, a
password, or so much that it could only fill the disk.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from stat import S_IFMT, S_ISLNK, S_ISREG
from typing import IO

from yolo_cli.datasets.scratch import scratch_folder
from yolo_cli.errors import DataError
from yolo_cli.files import is_leftover
from yolo_cli.text import fixed_slashes, shorten

__all__ = ["ARCHIVES", "is_archive", "unpack"]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""Suffixes of archives that are read."""

MOST_MEMBERS = 2_000_000
MOST_RATIO = 100  # images hardly compress; text labels may by 50
ALWAYS_ALLOWED = 256 << 20  # bytes, whatever the ratio
_BOUND = f"{MOST_RATIO} times its size, {MOST_MEMBERS:,} files, the free space in the temporary folder"
_CHUNK = 1 << 20
_LONGEST_LINK = 4096
_LONGEST_NAME = 255  # bytes; of most file systems


@dataclass(frozen=True, slots=True)
class _Member:
    """One member of an archive.

    Attributes:
        name: its path.
        size: in bytes.
        kind: "file", "folder", "symbolic link", "hard link" or "special".
        content: opens it, if it is a file.
        target: what a link names.
    """

    name: str
    size: int
    kind: str
    content: Callable[[], IO[bytes] | None]
    target: str = ""


def is_archive(path: Path) -> bool:
    """Whether a file has the suffix of an archive that is read."""
    return path.name.lower().endswith(ARCHIVES)


def unpack(path: Path) -> Path:
    """The folder with an archive's content; it is removed when the program ends.

    Raises:
        DataError: if the archive is damaged, encrypted, leads out of its folder or is too large.
    """
    folder = scratch_folder(path, path.name)
    done = folder.with_name("done")
    if not done.exists():
        shutil.rmtree(folder)
        folder.mkdir()
        try:
            _unpack(path, folder)
        except (*_DAMAGED, OSError) as fault:
            raise DataError(f"{path}: cannot be unpacked: {shorten(_reason(fault), 120)}") from fault
        done.touch()
    return folder


_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, RuntimeError, ValueError,
            NotImplementedError)  # fmt: skip


def _reason(fault: BaseException) -> str:
    """Why an archive cannot be read, in words."""
    words = str(getattr(fault, "strerror", None) or fault)
    if "password" in words or "encrypted" in words:
        return "it has a password; save it without one"
    return f"{words or 'it is cut short'}; download or export it again"


def _unpack(path: Path, folder: Path) -> None:
    """Unpack the members one by one; links come last, so that nothing is written through them."""
    budget = _budget(path, folder)
    links = []
    with _opened(path) as archive:
        for count, member in enumerate(_members(archive)):
            target = folder / _inside(path, member.name)
            budget -= member.size
            if budget < 0 or count >= MOST_MEMBERS:
                raise DataError(f"{path}: would unpack to more than it may ({_BOUND}); unpack it yourself")
            if member.kind == "special":
                raise DataError(
                    f"{path}: holds the device or pipe {shorten(member.name, 60)!r}; leave it out"
                )
            if member.kind == "folder":
                target.mkdir(parents=True, exist_ok=True)
            elif member.kind.endswith("link"):
                links.append((member, target))
            else:
                _write(member, target)
    for member, target in links:
        _link(path, member, target, folder)


def _budget(path: Path, folder: Path) -> int:
    """Bytes that an archive may unpack to."""
    allowed = max(ALWAYS_ALLOWED, MOST_RATIO * path.stat().st_size)
    return min(allowed, int(shutil.disk_usage(folder).free * 0.9))


def _inside(path: Path, name: str) -> PurePosixPath:
    """The path of a member below the archive's folder."""
    found = PurePosixPath(fixed_slashes(name))
    parts = found.parts
    if not parts or found.is_absolute() or ".." in parts or parts[0].endswith(":") or "\0" in name:
        raise DataError(
            f"{path}: holds the path {shorten(name, 60)!r}, which leads out of it; write it again"
        )
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        raise DataError(f"{path}: holds the name {shorten(name, 40)!r}, which is too long; shorten it")
    return found


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    """The open archive. A tar file is read as a stream, and never searched."""
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            yield archive
    else:
        with tarfile.open(path, "r:*") as archive:
            yield archive


def _members(archive: zipfile.ZipFile | tarfile.TarFile) -> Iterator[_Member]:
    """The members of an archive, without what systems leave behind."""
    found = _zip_members(archive) if isinstance(archive, zipfile.ZipFile) else _tar_members(archive)
    return (member for member in found if _is_wanted(member.name))


def _is_wanted(name: str) -> bool:
    """Whether a path is not the root itself, and not what systems leave behind."""
    parts = [part for part in PurePosixPath(fixed_slashes(name)).parts if part != ".."]
    return bool(parts) and not any(map(is_leftover, parts))


def _zip_members(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        mode = info.external_attr >> 16  # Unix's, or 0
        content = partial(archive.open, info)
        if S_ISLNK(mode):
            target = archive.read(info).decode("utf-8", "replace") if info.file_size < _LONGEST_LINK else "/"
            yield _Member(info.filename, 0, "symbolic link", content, target)
        elif info.is_dir():
            yield _Member(info.filename, 0, "folder", content)
        else:
            plain = not S_IFMT(mode) or S_ISREG(mode)
            yield _Member(info.filename, info.file_size, "file" if plain else "special", content)


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        tests = (
            (info.isreg(), "file"),
            (info.isdir(), "folder"),
            (info.issym(), "symbolic link"),
            (info.islnk(), "hard link"),
        )
        kind = next((name for true, name in tests if true), "special")
        size = info.size if kind == "file" else 0
        yield _Member(info.name, size, kind, partial(archive.extractfile, info), info.linkname)


def _write(member: _Member, target: Path) -> None:
    """Write one file, not more than it says."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = member.content()
    if source is None:
        raise ValueError("a member has no content")
    with source, target.open("wb") as out:
        left = member.size
        while left > 0 and (chunk := source.read(min(_CHUNK, left))):
            out.write(chunk)
            left -= len(chunk)


def _link(path: Path, member: _Member, target: Path, folder: Path) -> None:
    """Make a link, which must lead to something in the archive."""
    hard = member.kind == "hard link"
    aim = folder / _inside(path, member.target) if hard else target.parent / member.target
    real, root = os.path.realpath(aim), os.path.realpath(folder)
    if not real.startswith(root + os.sep) or PurePosixPath(member.target).is_absolute():
        raise DataError(f"{path}: holds the link {shorten(member.name, 60)!r}, which leads out; replace it")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.symlink_to(os.path.relpath(real, target.parent))
