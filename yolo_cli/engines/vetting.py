"""ONNX Runtime reads files before OpenVINO does, once each: OpenVINO ends the process on some broken ones."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from yolo_cli.cache import once
from yolo_cli.graphs import check_graph

__all__ = ["check_before_openvino"]


def check_before_openvino(path: Path) -> None:
    """Raise ONNX Runtime's error if it cannot read an ONNX file.

    An operator with too few inputs, for one, is a segmentation fault in OpenVINO 2026.4, and this takes
    0.1 s.
    """
    once("readable", [path], partial(check_graph, path))
