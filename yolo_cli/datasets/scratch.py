"""Temporary folders for what has to be unpacked before it can be read; removed when the program ends.

A killed program cannot remove its folder. It holds a lock while it runs, so that a later one finds what was
left.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path

from yolo_cli.errors import DataError

__all__ = ["scratch_folder"]

_PREFIX = "yolo-cli-unpacked-"
_FRESH = 60  # seconds, in which a new folder gets its lock
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
            _remove_abandoned()
            above = Path(tempfile.mkdtemp(prefix=_PREFIX))
            atexit.register(_remove, above, os.getpid())
            _lock(above)
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


def _lock(folder: Path) -> bool:
    """Hold the lock of a folder until the program ends; False if another program holds it."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    return True


def _remove_abandoned() -> None:
    """Remove folders of this user's programs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            stat = folder.lstat()
            mine = hasattr(os, "getuid") and stat.st_uid == os.getuid()
            if mine and time.time() - stat.st_mtime > _FRESH and (folder / "lock").exists() and _lock(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
