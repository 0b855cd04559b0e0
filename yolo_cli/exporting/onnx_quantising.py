"""Int8 for ONNX: the network with its layers in int8, calibrated on images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yolo_cli.errors import UsageError
from yolo_cli.exporting.plan import Plan
from yolo_cli.images import Image

__all__ = ["quantised"]


def quantised(network: Any, plan: Plan, images: Sequence[Image]) -> Any:  # noqa: ARG001 - not there yet
    """The network in int8."""
    raise UsageError("--int8: is not there yet")
