"""Download a file whose hash is known; go on where an earlier try ended.

The bytes are written to a file whose name ends in ``.part``. It gets its own name only once it is complete
and has the hash, and is deleted if it has another. Proxies are those of ``HTTPS_PROXY`` and ``NO_PROXY``.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from yolo_cli.errors import DataError, UsageError
from yolo_cli.limits import MAX_MODEL
from yolo_cli.names import masked_address

__all__ = ["BLOCK", "Digest", "Progress", "check_address", "download"]

BLOCK = 1 << 20  # bytes that are read at once
SILENCE_S = 30.0  # without a byte, a connection is given up
TRIES, PAUSE_S = 4, 1.0  # of a connection that is cut; the pause doubles

Progress = Callable[[Iterator[bytes], int], Iterator[bytes]]
"""Passes on the blocks of a download, of which that many are expected."""

_SIZES = {"sha256": 64, "sha1": 40}  # hexadecimal digits
_NO_SPACE = {ENOSPC, EDQUOT}


@dataclass(frozen=True, slots=True)
class Digest:
    """The hash that a file must have.

    Attributes:
        algorithm: "sha256" or "sha1".
        value: in hexadecimal digits.

    Raises:
        UsageError: if it cannot be one.
    """

    algorithm: str
    value: str

    def __post_init__(self) -> None:
        digits = _SIZES[self.algorithm]
        if not re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", self.value):
            raise UsageError(f"--{self.algorithm}: {self.value!r} must be {digits} digits 0-9 and a-f")

    def check(self, path: Path, name: str) -> None:
        """Raise a DataError if a file has another hash; ``name`` is its name in the message."""
        with path.open("rb") as file:
            found = hashlib.file_digest(file, self.algorithm).hexdigest()
        if found != (wanted := self.value.lower()):
            raise DataError(f"{name}: has {self.algorithm} {found}, but must have {wanted}; nothing is kept")


class _CutError(Exception):
    """A connection that ended too early, so that another try may help."""


def check_address(url: str) -> None:
    """Raise a UsageError unless a text is an HTTP or HTTPS address of a file."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and bool(Path(parts.path).name)
    except ValueError:
        valid = False
    if not valid:
        shown = masked_address(url)
        raise UsageError(f"{shown}: is not an address that begins with https:// and names a file")


def download(url: str, digest: Digest, target: Path, progress: Progress = lambda blocks, _: blocks) -> None:
    """Download a file to ``target``, whose folder exists.

    Args:
        url: an HTTP or HTTPS address; redirections are followed to such addresses.
        digest: the hash that the file must have.
        target: where to. On a cut connection, what came is kept beside it as ``target.part``.
        progress: passes on the blocks, of `BLOCK` bytes, and may tell how far it is.

    Raises:
        DataError: if it cannot be had, is too large, has another hash, or the disk is full.
    """
    part = target.with_name(target.name + ".part")
    for attempt in range(1, TRIES + 1):
        try:
            _go_on(url, part, progress)
            break
        except _CutError as cut:
            if attempt == TRIES:
                raise DataError(_unfinished(url, cut, part)) from None
            time.sleep(PAUSE_S * 2 ** (attempt - 1))
    try:
        digest.check(part, masked_address(url))
    except DataError:
        part.unlink()
        raise
    part.replace(target)


def _unfinished(url: str, cut: _CutError, part: Path) -> str:
    came = part.stat().st_size if part.exists() else 0
    kept = f"; the first {came / BLOCK:.1f} MiB are kept, run it again to go on" if came else ""
    return f"{masked_address(url)}: {cut}{kept}"


def _go_on(url: str, part: Path, progress: Progress) -> None:
    """Append what is missing to ``part``."""
    have = part.stat().st_size if part.exists() else 0
    with _opened(url, have) as answer:
        if answer is None:  # it was complete
            return
        if answer.status != http.client.PARTIAL_CONTENT:
            have = 0  # this server sends all of it
        left = answer.length or 0  # None where the server does not tell
        blocks = _blocks(answer, url, MAX_MODEL - have)
        came = _append(url, part, have, progress(blocks, -(-left // BLOCK)))
    if came < left:
        raise _CutError(f"the connection was cut, {(left - came) / BLOCK:.1f} MiB are missing")


def _append(url: str, part: Path, have: int, blocks: Iterator[bytes]) -> int:
    """Write blocks behind the first ``have`` bytes of ``part``; returns the number of new bytes."""
    try:
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            return sum(file.write(block) for block in blocks)
    except OSError as fault:
        if fault.errno not in _NO_SPACE:
            raise DataError(f"{part.parent}: cannot be written: {_reason(fault)}") from None
        part.unlink(missing_ok=True)  # it takes the space that is missing
        what = f"no space is left for {masked_address(url)}"
        raise DataError(f"{part.parent}: {what}; make some, and run it again") from None


def _blocks(answer: Any, url: str, most: int) -> Iterator[bytes]:
    """The blocks of an answer, of at most that many bytes together."""
    try:
        while block := answer.read(BLOCK):
            most -= len(block)
            _check_length(most, url)
            yield block
    except (OSError, http.client.HTTPException) as fault:
        raise _CutError(_reason(fault)) from None


def _check_length(left: int, url: str) -> None:
    if left < 0:
        what = f"sends more than {MAX_MODEL:,} bytes, which is too much for a model"
        raise DataError(f"{masked_address(url)}: {what}")


class _Nothing:
    """The answer of a server that has no more bytes."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _opened(url: str, have: int) -> Any:
    """The answer with the bytes from ``have`` on; `_Nothing` if there are none.

    Raises:
        DataError: if there is no such file, or the address cannot be reached.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "yolo-cli"})  # noqa: S310 - checked
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        return _opener().open(request, timeout=SILENCE_S)
    except urllib.error.HTTPError as fault:
        fault.close()
        if have and fault.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _Nothing()
        hint = "; is the address right?" if fault.code in (403, 404, 410) else "; try again later"
        answer = f"the server answers {fault.code} {fault.reason}{hint}"
        raise DataError(f"{masked_address(url)}: {answer}") from None
    except (OSError, http.client.HTTPException) as fault:  # URLError is an OSError
        raise _unreachable(url, fault) from None


def _unreachable(url: str, fault: Exception) -> DataError:
    proxy = urllib.request.getproxies().get(urlsplit(url).scheme)
    through = f" through the proxy {urlsplit(proxy).hostname}" if proxy else ""
    hint = "are you offline, or is HTTPS_PROXY missing or wrong?"
    return DataError(f"{masked_address(url)}: cannot be reached{through} ({_reason(fault)}); {hint}")


def _reason(fault: Exception) -> str:
    """What went wrong with a connection, in few words."""
    inner = fault.reason if isinstance(fault, urllib.error.URLError) else fault
    if isinstance(inner, TimeoutError):
        return f"the server sent nothing for {SILENCE_S:g} s"
    words = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return " ".join(words.split())[:120]


def _opener() -> urllib.request.OpenerDirector:
    """An opener for HTTP and HTTPS alone: no redirection leads to files or FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener
