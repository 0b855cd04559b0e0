"""RoI align against a slow version that reads one point at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_cli.detectors.roi_align import roi_align


def read_point(features, x, y):
    """The map at (x, y) in cells, bilinearly between the centres of four cells."""
    rows, columns, _ = features.shape
    x, y = min(max(x - 0.5, 0), columns - 1), min(max(y - 0.5, 0), rows - 1)
    c, r = int(x), int(y)
    c2, r2 = min(c + 1, columns - 1), min(r + 1, rows - 1)
    upper = features[r, c] * (1 - (x - c)) + features[r, c2] * (x - c)
    lower = features[r2, c] * (1 - (x - c)) + features[r2, c2] * (x - c)
    return upper * (1 - (y - r)) + lower * (y - r)


def slow(features, boxes, size):
    out = np.zeros((len(boxes), size, size, features.shape[2]))
    for n, (x1, y1, x2, y2) in enumerate(boxes):
        for r in range(size):
            for c in range(size):
                x, y = x1 + (c + 0.5) / size * (x2 - x1), y1 + (r + 0.5) / size * (y2 - y1)
                out[n, r, c] = read_point(features, x, y)
    return out


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4))
def test_equals_the_slow_one(seed, rows, columns, size):
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, columns, 3))
    corners = random.uniform(-2, 8, (5, 2, 2))  # some regions reach out of the map
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    assert roi_align(features, boxes, size) == pytest.approx(slow(features, boxes, size))


def test_a_region_of_one_cell_each_bin_is_the_map_itself():
    features = np.arange(24.0).reshape(2, 3, 4)[:, :2]  # (2, 2, 4)
    assert np.array_equal(roi_align(features, np.array([[0, 0, 2, 2.0]]), 2)[0], features)


def test_rows_are_y_and_columns_are_x():
    features = np.zeros((3, 5, 1))
    features[2, 4] = 1  # lower right corner of a landscape map
    found = roi_align(features, np.array([[3, 1, 5, 3.0]]), 2)[0, :, :, 0]
    assert found.tolist() == [[0, 0], [0, 1]]


def test_no_regions():
    assert roi_align(np.zeros((2, 2, 7)), np.zeros((0, 4)), 3).shape == (0, 3, 3, 7)
