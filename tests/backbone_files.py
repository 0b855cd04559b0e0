"""Where tests find the published weights of backbones; they skip where those are not at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models import FETCHED
from yolo_cli.errors import DataError


def published(name: str) -> Path:
    """The ``.pth`` file of an EfficientNet-Lite, fetched or installed."""
    from yolo_cli.model.efficientnet_lite import published_file

    fetched = sorted(FETCHED.glob(f"{name}-*.pth"))
    if fetched:
        return fetched[0]
    try:
        return published_file(name)
    except DataError:
        pytest.skip(f"the published weights of {name} are not at hand")
