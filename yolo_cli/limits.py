"""Every limit on what is read, and the readers that keep to it: the one place for both.

Files of strangers may be huge, endless, or small and huge once unpacked. What is read goes through
here, which a test checks (``tests/unit/test_limits.py``); ``docs/reliability.md`` lists the limits.
"""

from __future__ import annotations

import os
import stat
import struct
import unicodedata
from collections.abc import Sequence
from errno import EISDIR, ENXIO
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from yolo_cli.errors import DataError

if TYPE_CHECKING:
    import zipfile

__all__ = [
    "MAX_CARD",
    "MAX_CLASSES",
    "MAX_CONFIG",
    "MAX_DECODING",
    "MAX_DEPTH",
    "MAX_IMAGE",
    "MAX_LARGE_PIXELS",
    "MAX_MODEL",
    "MAX_PIXELS",
    "MAX_POINTS",
    "MAX_TEXT",
    "MAX_VALUES",
    "MAX_YAML",
    "check_class_names",
    "check_keypoint_names",
    "check_size",
    "name_fault",
    "names_fault",
    "network_bytes",
    "open_file",
    "open_zip",
    "read_file",
    "read_member",
]

MIB = 1 << 20
MAX_PIXELS = 178_000_000  # of one image: decoded, they are 0.5 GB
MAX_LARGE_PIXELS = 2_000_000_000  # of a TIFF file that is read in parts: decoded, they are 6 GB, on the disk
MAX_DECODING = 960 * MIB  # bytes that an image may take while it is decoded, with its pixels
MAX_IMAGE = 1 << 30  # bytes of an image file
MAX_ANY = 1 << 62  # bytes of a file that is read in pieces
MAX_TEXT = 512 * MIB  # bytes of a text, list, CSV, XML or JSON file
MAX_VALUES = 20_000_000  # lists and mappings in a JSON file, each of 64 bytes or more once read
MAX_YAML = 4 * MIB  # bytes of a YAML file, which is slow to read
MAX_NODES = 200_000  # values of a YAML file, with what its aliases repeat
MAX_DEPTH = 100  # of lists in lists
MAX_CARD = 4 * MIB  # bytes of a model card
MAX_CONFIG = 32 * MIB  # bytes of the description of a network in a .keras file
MAX_MODEL = 2 << 30  # bytes of a model file: as many as a protobuf message may have
MAX_CLASSES = 100_000
MAX_POINTS = 1_000  # key points of an object
MAX_NAME = 255  # bytes of a class name in UTF-8: as many as a file name may have
MAX_MEMBERS = 10_000  # files in a model's zip archive
MAX_RATIO = 1_100  # deflate cannot shrink zeros further
SLACK = 64 * MIB  # what small files may unpack to, whatever their size
NETWORK_SLACK, GROWTH = 256 * MIB, 1_400  # of a network: 64 channels of float32 are 85 times an RGB pixel


def open_file(path: Path, name: str, most: int = MAX_ANY, kind: str = "file") -> BinaryIO:
    """Open a regular file for reading.

    Pipes, sockets and devices may never end, and are refused, as are the files of ``/proc``, which have
    no size.

    Args:
        path: the file; a link is followed.
        name: its name in messages.
        most: the bytes that it may have.
        kind: what it should be, in messages, such as "image".

    Raises:
        DataError: if it is not a regular file, or too large.
        OSError: if it is missing or may not be read.
    """
    return os.fdopen(_opened(path, name, most, kind)[0], "rb")


def _opened(path: Path, name: str, most: int, kind: str) -> tuple[int, int]:
    """Descriptor and bytes of a file, as for `open_file`, without waiting for the other end of a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(path, flags)
    except OSError as fault:
        if fault.errno == ENXIO:  # a socket
            raise DataError(_SPECIAL.format(name, "a regular file")) from None
        raise
    try:
        status = os.fstat(number)
        _check_regular(status, name, most, kind)
    except BaseException:
        os.close(number)
        raise
    return number, status.st_size


def _check_regular(status: os.stat_result, name: str, most: int, kind: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), name)
    if not stat.S_ISREG(status.st_mode) or (status.st_size == 0 and status.st_dev == _proc()):
        raise DataError(_SPECIAL.format(name, "an image file" if kind == "image" else "a regular file"))
    if status.st_size > most:
        raise DataError(f"{name}: has {_size(status.st_size)}; over {_size(most)}, no {kind} is read")


@cache
def _proc() -> int | None:
    """The device of ``/proc``, if there is one."""
    try:
        return os.stat("/proc").st_dev  # noqa: PTH116
    except OSError:
        return None


_SPECIAL = "{}: is a pipe or device, not {}"


def read_file(path: Path, name: str | None = None, most: int = MAX_TEXT, kind: str = "file") -> bytes:
    """The content of a regular file, as `open_file` opens it.

    Raises:
        DataError: as `open_file`.
        OSError: if it is missing or may not be read.
        ValueError: if its path cannot be one, as with a NUL byte.
    """
    number, size = _opened(path, os.fspath(path) if name is None else name, most, kind)
    try:
        data = os.read(number, size)
        while len(data) < size and (more := os.read(number, size - len(data))):  # it reads 2 GiB at most
            data += more
        return data
    finally:
        os.close(number)


def _size(count: int) -> str:
    """A number of bytes, for people."""
    return f"{count:,} bytes" if count < MIB else f"{count / MIB:,.0f} MiB"


def check_size(declared: int, stored: int, where: str, what: str) -> None:
    """Raise a DataError if something asks for far more bytes than its file holds.

    Zeros shrink to a thousandth, and a header is small: up to `SLACK` anything goes.

    >>> check_size(1_000_000, 100, "a.pth", "its tensors")
    """
    if declared > max(SLACK, 8 * stored):
        raise DataError(
            f"{where}: {what} would take {_size(declared)}, but only {_size(stored)} are stored; "
            "it is damaged, or made to fill the memory"
        )


def check_class_names(names: Sequence[Any], where: str) -> None:
    """Raise a DataError if class names cannot be used: see `names_fault`."""
    if fault := names_fault(names):
        raise DataError(f"{where}: {fault}")


def check_keypoint_names(names: Sequence[str], where: str) -> None:
    """Raise a DataError if names of key points cannot be used: too many, equal ones, or a faulty one."""
    if len(names) > MAX_POINTS:
        raise DataError(
            f"{where}: has {len(names):,} names of key points; at most {MAX_POINTS:,} are possible"
        )
    for at, name in enumerate(names):
        fault = name_fault(name) or ("another one has, too" if name in names[:at] else "")
        if fault:
            raise DataError(f"{where}: has a key point's name, number {at}, that {fault}; rename it")


def names_fault(names: Sequence[Any]) -> str:
    """What is wrong with the names of all classes, for a message; "" if nothing is."""
    if not 0 < len(names) <= MAX_CLASSES:
        return f"has {len(names):,} class names; 1 to {MAX_CLASSES:,} are possible"
    faults = ((at, name_fault(name)) for at, name in enumerate(names))
    at, fault = next((each for each in faults if each[1]), (0, ""))
    return f"has a class name, number {at}, that {fault}; rename it" if fault else ""


def name_fault(name: Any) -> str:
    r"""What is wrong with a class name, as the end of a sentence; "" if nothing is.

    >>> name_fault("traffic light"), name_fault("a\tb"), name_fault("")
    ('', 'holds a control character', 'is empty')
    """
    if not isinstance(name, str):
        return f"is not text, but {type(name).__name__}"
    if not name.strip():
        return "is empty"
    if name.isascii() and name.isprintable() and len(name) <= MAX_NAME:
        return ""
    kinds = set(map(unicodedata.category, name))
    if kinds & {"Cc", "Zl", "Zp"}:
        return "holds a control character"
    if "Cs" in kinds:
        return "holds half a character (a lone surrogate)"
    return f"has more than {MAX_NAME} bytes" if len(name.encode()) > MAX_NAME else ""


STORED, DEFLATED = 0, 8  # methods of compression in zip archives


def open_zip(file: Path | BinaryIO, name: str) -> zipfile.ZipFile:
    """Open a zip archive whose members may be read: not encrypted, stored or deflated, of a plausible size.

    Raises:
        DataError: if a member is not.
        zipfile.BadZipFile: if it is not a zip archive.
        OSError: if it cannot be read.
    """
    import zipfile  # images need none, and it takes 4 ms

    try:
        archive = zipfile.ZipFile(file)
    except (NotImplementedError, struct.error, ValueError, UnicodeError) as fault:
        raise DataError(f"{name}: is not a zip archive that is read ({str(fault)[:60]})") from None
    try:
        _check_members(archive.infolist(), name)
    except BaseException:
        archive.close()
        raise
    return archive


def _check_members(members: Sequence[zipfile.ZipInfo], name: str) -> None:
    """Raise a DataError if a member of a zip archive may not be read."""
    if len(members) > MAX_MEMBERS:
        raise DataError(f"{name}: holds {len(members):,} files; {MAX_MEMBERS:,} are the most")
    for member in members:
        _check_member(member, name)


def _check_member(member: zipfile.ZipInfo, name: str) -> None:
    if member.flag_bits & 1:
        raise DataError(f"{name}: {member.filename[:60]!r} in it is encrypted; save it without a password")
    if member.compress_type not in (STORED, DEFLATED):
        kind = f"method {member.compress_type}"
        raise DataError(f"{name}: {member.filename[:60]!r} in it is compressed by {kind}; use deflate")
    if member.file_size > MAX_RATIO * member.compress_size + 1 or member.file_size > MAX_MODEL:
        raise DataError(f"{name}: {member.filename[:60]!r} in it says an impossible size; it is damaged")


def read_member(archive: zipfile.ZipFile, member: str, name: str, most: int) -> bytes:
    """The content of one file in an archive of `open_zip`.

    Raises:
        DataError: if it is larger than ``most``, or damaged.
        KeyError: if there is none.
    """
    info = archive.getinfo(member)
    if info.file_size > most:
        raise DataError(f"{name}: {member} in it is {_size(info.file_size)}; {_size(most)} are the most")
    try:
        with archive.open(info) as file:
            return file.read(most)
    except Exception as fault:  # zlib's errors, zipfile's, and those of odd names and offsets
        raise DataError(f"{name}: {member} in it is damaged ({str(fault)[:80]}); save it again") from fault


def network_bytes(given: int, stored: int) -> int:
    """Bytes of working memory that a network may take.

    Args:
        given: bytes of the batch: three a pixel.
        stored: bytes of the model's file, whose weights are read, and packed once more.
    """
    return NETWORK_SLACK + GROWTH * given + 4 * stored
