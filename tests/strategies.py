"""What hypothesis draws from.

Coordinates are quarters, k/4 with whole k: exact in float32, as are their sums, differences and halves, so
that a law that holds with real numbers can be tested without tolerance wherever it has no division.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from yolo_cli.detections import Detections, GroundTruth

Floats = NDArray[np.float32]


@st.composite
def boxes(
    draw: st.DrawFn,
    min_count: int = 0,
    max_count: int = 8,
    width: int = 64,
    height: int = 64,
    degenerate: bool = True,
) -> Floats:
    """Boxes (N, 4), float32, inside ``width`` by ``height`` pixels, edges in order.

    Some have no width or no height, unless ``degenerate`` is False. Few distinct coordinates are drawn, so
    that boxes often touch, share edges or are equal.
    """
    count = draw(st.integers(min_count, max_count))
    rows = [_sides(draw, width, degenerate) + _sides(draw, height, degenerate) for _ in range(count)]
    quarters = np.array(rows, np.float32).reshape(count, 4)[:, [0, 2, 1, 3]]  # x, y, x, y
    return quarters / 4


def _sides(draw: st.DrawFn, length: int, degenerate: bool) -> tuple[int, int]:
    """Two edges in quarters of a pixel, the lower one first."""
    low = draw(st.integers(0, 4 * length - 1))
    return low, draw(st.integers(low if degenerate else low + 1, 4 * length))


def confidences(count: int) -> st.SearchStrategy[Floats]:
    """Confidences (count,), float32, in [0, 1], in steps of 1/16, so that some are equal."""
    values = st.lists(st.integers(0, 16), min_size=count, max_size=count)
    return values.map(lambda steps: np.array(steps, np.float32) / 16)


def class_ids(count: int, classes: int = 3) -> st.SearchStrategy[NDArray[np.int64]]:
    """Class ids (count,) below ``classes``."""
    values = st.lists(st.integers(0, classes - 1), min_size=count, max_size=count)
    return values.map(lambda ids: np.array(ids, np.int64))


def flags(count: int) -> st.SearchStrategy[NDArray[np.bool_]]:
    """Booleans (count,)."""
    return st.lists(st.booleans(), min_size=count, max_size=count).map(lambda values: np.array(values, bool))


@st.composite
def detections(draw: st.DrawFn, classes: int = 3, **box_options: Any) -> Detections:
    """Detections on one image; Options as of :func:`boxes`."""
    xyxy = draw(boxes(**box_options))
    return Detections(xyxy, draw(confidences(len(xyxy))), draw(class_ids(len(xyxy), classes)))


@st.composite
def ground_truths(draw: st.DrawFn, classes: int = 3, plain: bool = False, **box_options: Any) -> GroundTruth:
    """Ground truth of one image; ``plain``: no box is crowd or difficult. Options as of :func:`boxes`."""
    xyxy = draw(boxes(**box_options))
    count = len(xyxy)
    if plain:
        return GroundTruth(xyxy, draw(class_ids(count, classes)))
    return GroundTruth(xyxy, draw(class_ids(count, classes)), draw(flags(count)), draw(flags(count)))


@st.composite
def images(draw: st.DrawFn, max_height: int = 40, max_width: int = 40) -> NDArray[np.uint8]:
    """Images (height, width, 3), uint8: noise, or one colour."""
    shape = (draw(st.integers(1, max_height)), draw(st.integers(1, max_width)), 3)
    if draw(st.booleans()):
        return np.full(shape, draw(st.integers(0, 255)), np.uint8)
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return noise.integers(0, 256, shape, np.uint8)
