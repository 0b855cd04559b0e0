"""ONNX Runtime reads files before OpenVINO does, once each: OpenVINO ends the process on some broken ones."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from yolo_cli.cache import cache_folder
from yolo_cli.graphs import check_graph

__all__ = ["check_before_openvino"]


def check_before_openvino(path: Path) -> None:
    """Raise ONNX Runtime's error if it cannot read an ONNX file.

    An operator with too few inputs, for one, is a segmentation fault in OpenVINO 2026.4, and this takes
    0.1 s. An empty file in the cache (`yolo_cli.cache`) says that this file has been read, until it changes.
    """
    folder = cache_folder("readable")
    mark = folder / _version(path) if folder else None
    if mark and mark.exists():
        return
    check_graph(path)
    if mark:
        with suppress(OSError):
            mark.touch()


def _version(path: Path) -> str:
    """What differs when a file was written or replaced; the time of a change cannot be set by programs."""
    status = path.stat()
    version = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return hashlib.sha256(repr((path.resolve(), version)).encode()).hexdigest()[:32]
