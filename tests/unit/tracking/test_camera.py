"""The camera's motion, on an image that is shifted and turned."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.images import smooth
from yolo_cli.images import Image
from yolo_cli.tracking.camera import CameraMotion


def _scene() -> np.ndarray:
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 255, (24, 40, 3)).astype(np.uint8)
    return cv2.resize(blocks, (640, 384), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize(("degrees", "shift"), [(0, (12, -6)), (2, (0, 0)), (-1.5, (5, 8))])
def test_motion_is_found(degrees: float, shift: tuple[float, float]) -> None:
    scene = _scene()
    affine = cv2.getRotationMatrix2D((320, 192), degrees, 1.02)
    affine[:, 2] += shift
    camera = CameraMotion()
    assert camera.update(Image(scene)) is None  # nothing before
    found = camera.update(Image(cv2.warpAffine(scene, affine, (640, 384), borderMode=cv2.BORDER_REFLECT)))
    assert found is not None
    corners = np.array([[100.0, 80], [500, 80], [300, 300]])
    moved = corners @ affine[:, :2].T + affine[:, 2]
    np.testing.assert_allclose(corners @ found[:, :2].T + found[:, 2], moved, atol=1.0)


def test_nothing_to_hold_on_to() -> None:
    camera = CameraMotion()
    for _ in range(2):
        assert camera.update(Image(np.full((60, 80, 3), 128, np.uint8))) is None


def test_another_size_begins_again() -> None:
    camera = CameraMotion()
    camera.update(Image(_scene()))
    assert camera.update(Image(smooth(100, 90))) is None
