"""What reading an image costs beyond OpenCV's own decoder."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.bench.clock import fastest
from tests.images import encode, smooth
from yolo_cli.images import decode_image


@pytest.mark.bench
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_reading_against_opencv(kind):
    noise = np.random.default_rng(0).integers(0, 20, (375, 500, 3), np.uint8)
    data = encode(smooth(375, 500) // 2 + noise, kind)
    raw = np.frombuffer(data, np.uint8)
    theirs = 1e3 * fastest(lambda: cv2.imdecode(raw, cv2.IMREAD_COLOR))
    ours = 1e3 * fastest(lambda: decode_image(data, "x"))
    print(f"\n{kind}, 500 x 375: OpenCV {theirs:.2f} ms, decode_image {ours:.2f} ms, {ours / theirs:.2f} x")
