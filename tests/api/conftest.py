"""One loaded model, and a folder with the three example images."""

from __future__ import annotations

import shutil

import pytest

from yolo_cli import load_detector
from yolo_cli.config import bundled


@pytest.fixture(scope="session")
def detector():
    return load_detector("yolov4-tiny-coco", engine="onnx", device="cpu")


@pytest.fixture(scope="session")
def expected(detector):
    """The result of each example by its file's name."""
    return {path.name: detector(path) for path in sorted(bundled("examples").glob("*.jpg"))}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """The working directory: astronaut, cat and coffee as JPEG in ``photos``."""
    (tmp_path / "photos").mkdir()
    for path in bundled("examples").glob("*.jpg"):
        shutil.copy(path, tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"
