"""Locks on folders, which end with the process that holds them, even if it is killed.

They are advisory locks on the folder itself (``flock``), so that no lock file is left behind. Where there are
none (Windows, some network file systems), nobody is kept out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yolo_cli.errors import UsageError

__all__ = ["locked", "sole_user"]


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of a folder inside the block; without ``wait``, False if another holds it."""
    descriptor = _open(folder)
    try:
        yield descriptor is None or _lock(descriptor, wait)
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Keep other runs out of a run's folder inside the block.

    Raises:
        UsageError: if a run is at work in it.
    """
    with locked(folder, wait=False) as alone:
        if not alone:
            raise UsageError(f"{folder}: another run is at work in it; wait for it, or name another folder")
        yield


def _open(folder: Path) -> int | None:
    try:
        return os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders; what cannot be read cannot be written together either
        return None


def _lock(descriptor: int, wait: bool) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
