"""The cache: files that any run can recreate, below one folder in the user's home."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["cache_folder", "cache_jax_programs", "check_once", "programs_folder"]

SWITCH = "YOLO_CLI_CACHE"


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


def check_once(part: str, files: Iterable[Path], check: Callable[[], object]) -> None:
    """Run a check of files, but not again while an empty file in the cache says that they have passed.

    Args:
        part: of the cache; one a check.
        files: which are checked.
        check: raises what is wrong with them.
    """
    folder = cache_folder(part)
    mark = folder / "+".join(map(_version, files)) if folder else None
    if mark and mark.exists():
        return
    check()
    if mark:
        with suppress(OSError):
            mark.touch()


def _version(path: Path) -> str:
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
    import hashlib

    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            lines: Iterable[str] = [line for line in file if line.startswith(("flags", "Features"))]
    except OSError:
        lines = ()
    words = next(iter(lines), platform.processor())
    return hashlib.sha256(words.encode()).hexdigest()[:8]
