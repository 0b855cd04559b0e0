"""Temporary folders for what has to be unpacked before it can be read; removed when the program ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from yolo_cli.errors import DataError

__all__ = ["scratch_folder"]

_MADE: dict[tuple[int, Path, int, int], Path] = {}


def scratch_folder(source: Path, name: str) -> Path:
    """The temporary folder for a file's content: the same one as long as the file does not change.

    Args:
        source: the file.
        name: of the folder, as messages show it.

    Raises:
        DataError: if the file is missing or no folder can be made.
    """
    try:
        stat = source.stat()
        key = (os.getpid(), source, stat.st_mtime_ns, stat.st_size)
        if key not in _MADE:
            above = Path(tempfile.mkdtemp(prefix="yolo-cli-"))
            atexit.register(_remove, above, os.getpid())
            _MADE[key] = above / (name or "data")
            _MADE[key].mkdir()
    except OSError as fault:
        raise DataError(
            f"{fault.filename or source}: cannot be unpacked: {fault.strerror or fault}"
        ) from fault
    return _MADE[key]


def _remove(folder: Path, owner: int) -> None:
    """Remove a folder, but not at the end of a forked process."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
