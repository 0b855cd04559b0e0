"""Images on standard input: one, JPEGs one after the other, or a tar archive; read as they come."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from itertools import chain
from lzma import LZMAError
from pathlib import PurePosixPath
from time import perf_counter
from typing import TYPE_CHECKING, Any

from yolo_cli.errors import DataError
from yolo_cli.files import is_leftover
from yolo_cli.images import FOREIGN, SUFFIXES, decode_image
from yolo_cli.limits import MAX_IMAGE
from yolo_cli.live import split_jpegs
from yolo_cli.video import Frame, FrameChoice, pages_of

if TYPE_CHECKING:
    import tarfile

__all__ = ["STDIN", "stdin_images"]

STDIN = "-"

_HEAD = 512  # bytes that tell what comes
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")


def stdin_images() -> Iterator[Frame]:
    """The images on standard input, in constant memory; one that cannot be read is a frame with its fault.

    The first is called "-", further ones "-#2", "-#3", …; those of an archive have their names in it.

    Raises:
        DataError: if standard input is a terminal, or closed.
    """
    if getattr(sys, "stdin", None) is None:  # closed by `<&-`
        raise DataError("-: standard input is closed; pipe an image into it, as in: yolo detect - < a.jpg")
    if sys.stdin.isatty():
        raise DataError(
            "-: standard input is a terminal; pipe an image into it, as in: yolo detect - < a.jpg"
        )
    stream: Any = sys.stdin.buffer
    head = stream.read(_HEAD)
    if head.startswith(_PACKED) or head[257:262] == b"ustar":
        yield from _archived(head, stream)
    elif head.startswith(b"\xff\xd8\xff"):
        pieces = chain([head], iter(lambda: stream.read1(1 << 16), b""))
        for number, data in enumerate(split_jpegs(pieces, STDIN), start=1):
            yield _decoded(data, STDIN if number == 1 else f"{STDIN}#{number}")
    else:
        yield from _images_of(head + stream.read(MAX_IMAGE), STDIN)


def _images_of(data: bytes, name: str) -> Iterator[Frame]:
    """The image in a file, or its pages; a fault is the last."""
    pages = pages_of(data, name)
    if pages is None:
        yield _decoded(data, name)
        return
    try:
        yield from pages.frames(FrameChoice())
    except DataError as fault:
        yield Frame(name, fault=fault.text)


def _decoded(data: bytes, name: str) -> Frame:
    start = perf_counter()
    try:
        image = decode_image(data, name)
    except DataError as fault:
        return Frame(name, fault=fault.text)
    return Frame(name, image, decode_ms=(perf_counter() - start) * 1000)


class _Joined:
    """A stream of which the first bytes have been read."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int) -> bytes:
        """Bytes, ``size`` or fewer."""
        first, self._head = self._head[:size], self._head[size:]
        rest: bytes = self._rest.read(size - len(first)) if len(first) < size else b""
        return first + rest


def _archived(head: bytes, stream: Any) -> Iterator[Frame]:
    """The images in a tar archive; other files are passed over, as in a folder."""
    import tarfile  # which only archives need

    count = 0
    joined: Any = _Joined(head, stream)
    try:
        with tarfile.open(fileobj=joined, mode="r|*") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # it would keep all
                if member.isfile() and _is_image(member.name):
                    count += 1
                    yield from _member(archive, member)
    except (tarfile.TarError, OSError, EOFError, zlib.error, LZMAError, ValueError):
        yield Frame(STDIN, fault=f"{STDIN}: the tar archive is cut off or damaged after image {count}")
        return
    if not count:
        yield Frame(STDIN, fault=f"{STDIN}: the tar archive holds no image")


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES + FOREIGN) and not any(map(is_leftover, PurePosixPath(name).parts))


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[Frame]:
    if member.size > MAX_IMAGE:
        yield Frame(member.name, fault=f"{member.name}: is over {MAX_IMAGE >> 30} GiB and thus not an image")
        return
    file = archive.extractfile(member)
    yield from _images_of(file.read() if file else b"", member.name)
