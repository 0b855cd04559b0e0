"""Model files against the SHA-256 that somebody published for them."""

from __future__ import annotations

import hmac
import re
from pathlib import Path

from yolo_cli.errors import DataError, UsageError
from yolo_cli.text import read_text
from yolo_cli.weights.store import ModelFiles, check_pair, sha256

__all__ = ["check_sha256", "verify_files"]

_LISTED = re.compile(r"^- (\S+): `([0-9a-f]{64})`$", re.MULTILINE)


def verify_files(files: ModelFiles) -> dict[str, str]:
    """Check each file of a model against its SHA-256 in ``NAME.md``, and that they belong together.

    Returns:
        The SHA-256 of each file, by its name.

    Raises:
        DataError: if a file is another, or there is no ``NAME.md`` that lists it.
    """
    page = files.first.with_suffix(".md")
    listed = dict(_LISTED.findall(read_text(page)))
    for path in files.paths:
        if path.name not in listed:
            raise DataError(f"{page}: has no SHA-256 of {path.name}, so that it cannot be verified")
        check_sha256(path, listed[path.name], str(page))
    check_pair(files)
    return {path.name: listed[path.name] for path in files.paths}


def check_sha256(path: Path, expected: str, owner: str = "--sha256") -> None:
    """Check one file.

    Args:
        path: the file.
        expected: its SHA-256 as 64 hexadecimal digits.
        owner: where that comes from, in messages.

    Raises:
        UsageError: if ``expected`` is not a SHA-256.
        DataError: if the file has another.
    """
    if not re.fullmatch(r"[0-9a-fA-F]{64}", expected):
        raise UsageError(f"{owner}: {expected!r} is not a SHA-256, which has 64 hexadecimal digits")
    found = sha256(path)
    if not hmac.compare_digest(found, expected.lower()):
        raise DataError(
            f"{path}: has SHA-256 {found}, but {owner} says {expected.lower()}; get the file again"
        )
