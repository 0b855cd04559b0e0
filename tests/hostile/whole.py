"""What is not whole after an attack."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from yolo_cli.errors import UserError
from yolo_cli.weights.store import check_pair, model_files, read_card

__all__ = ["contents", "halves", "model_faults"]


def contents(folder: Path) -> dict[str, str]:
    """A hash of each file of the user's."""
    files = (
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "out" not in path.relative_to(folder).parts
    )
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def halves(out: Path) -> Iterator[str]:
    """What is not whole among the files with visible names."""
    checks: dict[str, Callable[[Path], object]] = {
        ".jpg": lambda path: cv2.imread(str(path)) is not None or 1 / 0,
        ".keras": lambda path: zipfile.ZipFile(path).testzip() and 1 / 0,
        ".npz": lambda path: dict(np.load(path)),
        ".json": lambda path: json.loads(path.read_bytes()),
    }
    for path in sorted(out.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(out).parts):
            try:
                checks.get(path.suffix, Path.read_bytes)(path)
            except Exception as fault:
                yield f"{path.name} is half: {fault!r}"


def model_faults(folder: Path) -> Iterator[str]:
    """A model that can be found but not used."""
    for name in ("m", "weights/best"):
        files = model_files(folder / "out" / name)
        try:
            if files.paths:
                check_pair(files)
                [read_card(path) for path in files.paths]
        except UserError as fault:
            yield str(fault)
