"""The numbers of the lecture, and a slow loop for everything else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_cli.errors import UsageError
from yolo_cli.visualisation.convolution import (
    HORIZONTAL_EDGES,
    VERTICAL_EDGES,
    convolve,
    output_size,
    pool,
)

# The 6 x 6 image of the lecture, and the filter for vertical edges.
LECTURE = np.array(
    [
        [3, 0, 1, 2, 7, 4],
        [1, 5, 8, 9, 3, 1],
        [2, 7, 2, 5, 1, 3],
        [0, 1, 3, 1, 7, 8],
        [4, 2, 1, 6, 2, 8],
        [2, 4, 5, 2, 3, 9],
    ],
    float,
)
PREWITT = np.array([[1.0, 0, -1]] * 3)


def test_the_lecture():
    """Its first value: 3 + 1 + 2 − 1 − 8 − 2 = −5."""
    assert convolve(LECTURE, PREWITT).tolist() == [
        [-5, -4, 0, 8],
        [-10, -2, 2, 3],
        [0, -2, -4, -7],
        [-3, -2, -3, -16],
    ]


def test_pooling_by_hand():
    assert pool(LECTURE).tolist() == [[5, 9, 7], [7, 5, 8], [4, 6, 9]]
    assert pool(LECTURE, 3, average=True)[0, 0] == (3 + 0 + 1 + 1 + 5 + 8 + 2 + 7 + 2) / 9
    assert pool(np.ones((5, 4))).shape == (2, 2)


def test_edges_answer_to_their_direction():
    bright_left = np.repeat([[9.0, 9, 9, 0, 0, 0]], 6, axis=0)
    assert convolve(bright_left, VERTICAL_EDGES)[0].tolist() == [0, 36, 36, 0]  # 9 · (1 + 2 + 1)
    assert not convolve(bright_left, HORIZONTAL_EDGES).any()


@given(st.integers(1, 5), st.integers(0, 3), st.integers(1, 3), st.integers(3, 9), st.integers(3, 9))
def test_it_is_what_a_loop_gives(size, padding, stride, height, width):
    if size > min(height, width) + 2 * padding:
        with pytest.raises(UsageError, match="does not fit"):
            convolve(np.ones((height, width)), np.ones((size, size)), padding, stride)
        return
    numbers = np.random.default_rng(height * width)
    image, kernel = numbers.normal(size=(height, width)), numbers.normal(size=(size, size))
    padded = np.pad(image, padding)
    rows, columns = (output_size(side, size, padding, stride) for side in (height, width))
    at = [(y * stride, x * stride) for y in range(rows) for x in range(columns)]
    expected = [(padded[y : y + size, x : x + size] * kernel).sum() for y, x in at]
    assert convolve(image, kernel, padding, stride) == pytest.approx(np.reshape(expected, (rows, columns)))
    last = (rows - 1) * stride + size
    assert last <= height + 2 * padding < last + stride  # no further window fits
