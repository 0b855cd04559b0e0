"""Augmentation against the plain letterbox that every image needs anyway."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.bench.clock import fastest
from yolo_cli.augment import augment
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth
from yolo_cli.letterbox import Letterbox

pytestmark = pytest.mark.bench


@pytest.mark.parametrize("side", [320, 416])
@pytest.mark.parametrize(("count", "what"), [(1, "one image"), (2, "mixup"), (4, "mosaic"), (5, "both")])
def test_augmentation_against_letterbox(count, what, side):
    rng = np.random.default_rng(0)
    rgb = cv2.GaussianBlur(rng.integers(0, 256, (375, 500, 3), np.uint8), (0, 0), 3)
    corner = rng.uniform(0, 300, (10, 2))
    sample = (rgb, GroundTruth(np.concatenate([corner, corner + 60], axis=1), np.arange(10)))
    bare = fastest(lambda: Letterbox.fit(375, 500, side, side).apply(rgb))

    def forty():
        for seed in range(40):  # the same changes every time
            augment([sample] * count, np.random.default_rng(seed), AugmentConfig(), (side, side))

    each = fastest(forty) / 40
    print(f"\n{what}, {side} px: {1e3 * each:.2f} ms an image, {each / bare:.1f} times a letterbox")
