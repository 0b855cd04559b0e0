"""The sheet that a person looks at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from yolo_cli.augment import preview
from yolo_cli.config import AugmentConfig
from yolo_cli.datasets import Dataset
from yolo_cli.detections import GroundTruth
from yolo_cli.render import class_colour

SAMPLE = (np.zeros((40, 60, 3), np.uint8), GroundTruth(np.float32([[10, 10, 40, 30]]), np.array([2])))
DATA = Dataset(Path(), "yolo", ("dog", "horse", "cat"), ())


def test_a_grid_with_frames():
    config = AugmentConfig(mosaic=0)
    sheet = preview([SAMPLE], DATA, np.random.default_rng(0), config, (48, 64), grid=(2, 3))
    # Rows: 2 * 48 and a gap of 4; columns: 3 * 64 and two gaps.
    assert sheet.shape == (100, 200, 3)
    assert (sheet[48:52] == 255).all()
    assert (sheet[:, 64:68] == 255).all()
    for y in (0, 52):
        for x in (0, 68, 136):
            assert (sheet[y : y + 48, x : x + 64] == class_colour(2)).all(axis=2).any()


def test_the_same_seed_gives_the_same_sheet():
    sheets = [preview([SAMPLE] * 3, DATA, np.random.default_rng(4), AugmentConfig(), (48, 48)) for _ in "ab"]
    assert np.array_equal(*sheets)
    assert (SAMPLE[0] == 0).all()


def test_class_names_are_drawn():
    one, other = (
        preview([SAMPLE], data, np.random.default_rng(0), AugmentConfig.off(), (256, 256), grid=(1, 1))
        for data in (DATA, replace(DATA, class_names=("dog", "horse", "elephant")))
    )
    assert (one != other).any()


def test_nothing_to_show():
    with pytest.raises(ValueError, match="at least one image"):
        preview([], DATA, np.random.default_rng(0), AugmentConfig(), (48, 48))
