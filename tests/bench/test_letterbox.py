"""The letterbox against the bare resize inside it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.bench.clock import fastest
from yolo_cli.letterbox import Letterbox

pytestmark = pytest.mark.bench


@pytest.mark.parametrize(("height", "width"), [(375, 500), (500, 375), (416, 416), (1080, 1920)])
def test_letterbox_against_resize(height, width):
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    fitted, out = Letterbox.fit(height, width, 416, 416), np.empty((416, 416, 3), np.uint8)
    whole = fastest(lambda: fitted.apply(rgb, out))
    bare = fastest(lambda: cv2.resize(rgb, (fitted.scaled_width, fitted.scaled_height)))
    print(f"\n{width}x{height} to 416x416: {1e3 * whole:.3f} ms, {whole / bare:.2f} of a bare resize")
