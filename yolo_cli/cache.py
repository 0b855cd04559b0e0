"""The cache: files that any run can recreate, below one folder in the user's home."""

from __future__ import annotations

import json
import os
import platform
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError
from yolo_cli.files import atomic_write_bytes
from yolo_cli.version import __version__

__all__ = ["cache_folder", "cache_jax_programs", "file_version", "keep_newest", "once", "programs_folder"]

SWITCH = "YOLO_CLI_CACHE"

_NOTES = 200  # of about 100 bytes, for each question


def cache_folder(part: str) -> Path | None:
    """The folder for one kind of file, made if needed.

    It is ``$XDG_CACHE_HOME/yolo-cli/PART``, by default ``~/.cache/yolo-cli/PART``.

    Returns:
        None if ``YOLO_CLI_CACHE`` is ``off``, or the folder cannot be written: do without.
    """
    if os.environ.get(SWITCH, "").lower() == "off":
        return None
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        base = home if home.is_absolute() else Path.home() / ".cache"  # the XDG standard: ignore others
        folder = base / "yolo-cli" / part
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def once(part: str, files: Iterable[Path], find_out: Callable[[], Any]) -> Any:
    """What is found out about files, and not again while the cache knows it of files that are unchanged.

    Another version of yolo-cli finds out again. A note in the cache that is damaged is none.

    Args:
        part: of the cache; one for each question.
        files: which it is about.
        find_out: returns what JSON can hold, or raises what is wrong with the files; that is not kept.
    """
    folder = cache_folder(part)
    note = folder / "+".join([__version__, *map(file_version, files)]) if folder else None
    if note:
        with suppress(OSError, ValueError):
            checksum, text = note.read_bytes().split(b" ", 1)
            if int(checksum, 16) == zlib.crc32(text):
                return json.loads(text)
    found = find_out()
    if note:
        text = json.dumps(found).encode()
        keep_newest(note, b"%08x %b" % (zlib.crc32(text), text), most=_NOTES)
    return found


def keep_newest(path: Path, data: bytes, most: int = 20) -> None:
    """Write a file into a folder of the cache if possible, and remove the oldest but ``most`` there."""
    with suppress(OSError, DataError):
        atomic_write_bytes(path, data)
        files = sorted(path.parent.iterdir(), key=lambda file: file.stat().st_mtime)
        for old in files[:-most]:
            old.unlink()


def file_version(path: Path) -> str:
    """What differs when a file was written or replaced; the time of a change cannot be set by programs."""
    status = path.stat()
    parts = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return "-".join(f"{part:x}" for part in parts)


def programs_folder(runtime: str) -> Path | None:
    """The folder for what a runtime compiles for this kind of CPU; None as in `cache_folder`."""
    return cache_folder(f"{runtime}-{_processor()}")


def cache_jax_programs() -> None:
    """Let JAX keep what it compiles for later processes; a setting that the user made is left alone."""
    import jax

    if jax.config.jax_compilation_cache_dir is not None:  # also set by JAX_COMPILATION_CACHE_DIR
        return
    folder = programs_folder("jax")
    if folder is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))


def _processor() -> str:
    """Eight digits that differ between kinds of CPU: a program for one may crash on another."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            lines: Iterable[str] = [line for line in file if line.startswith(("flags", "Features"))]
    except OSError:
        lines = ()
    words = next(iter(lines), platform.processor())
    return f"{zlib.crc32(words.encode()):08x}"  # hashlib takes 3 ms to import
