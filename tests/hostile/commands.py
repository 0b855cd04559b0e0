"""`yolo` as a process of its own, in an odd environment."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.images import encode, smooth

__all__ = ["ROOT", "YOLO", "on_terminal", "photo", "yolo"]

ROOT = Path(__file__).parents[2]
YOLO = (sys.executable, "-m", "yolo_cli")


def photo(path: Path) -> Path:
    """A small image in which nothing is found; its name may be any bytes."""
    path.write_bytes(encode(smooth(), "JPEG"))
    return path


def yolo(*words: object, cwd: Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run to the end; ``env`` is added to the environment."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}  # type: ignore[dict-item]
    stream = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 240, **options}
    return subprocess.run([*YOLO, *map(str, words)], cwd=cwd, env=environment, check=False, **stream)  # type: ignore[call-overload,no-any-return]


def on_terminal(words: Sequence[object], cwd: Path, **environment: str) -> bytes:
    """Everything that reaches a terminal."""
    mine, its = pty.openpty()
    run = subprocess.Popen(
        [*YOLO, *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    seen = b""
    while True:
        try:
            piece = os.read(mine, 4096)
        except OSError:  # Linux: nobody writes any more
            break
        if not piece:
            break
        seen += piece
    run.wait(60)
    os.close(mine)
    return seen
