"""Tiles: they cover the image, evenly, and overlap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_cli.tiles import tile_starts, tile_windows


@given(st.integers(1, 5000), st.integers(32, 1500), st.sampled_from([0, 0.1, 0.2, 0.5, 0.9]))
def test_tiles_cover_a_length_and_overlap(length: int, side: int, overlap: float) -> None:
    starts = tile_starts(length, side, overlap)
    assert starts[0] == 0
    assert starts[-1] == max(length - side, 0)
    for first, second in pairwise(starts):
        assert 0 < second - first <= side * (1 - overlap) + 1  # a pixel for rounding


@given(st.integers(1, 90), st.integers(1, 90), st.integers(32, 70), st.integers(32, 70))
def test_every_pixel_is_on_a_tile(height: int, width: int, tall: int, wide: int) -> None:
    seen = np.zeros((height, width), bool)
    for left, top, right, bottom in tile_windows((height, width), (tall, wide)):
        assert (bottom - top, right - left) == (min(tall, height), min(wide, width))
        seen[top:bottom, left:right] = True
    assert seen.all()


def test_a_landscape_and_a_portrait() -> None:
    # 100 - 64 = 36 pixels to go, in steps of at most 64 * 0.8 = 51: one step. 40 < 64: no step.
    assert tile_windows((40, 100), (64, 64)) == [(0, 0, 64, 40), (36, 0, 100, 40)]
    assert tile_windows((100, 40), (64, 64)) == [(0, 0, 40, 64), (0, 36, 40, 100)]


@pytest.mark.parametrize(("length", "count"), [(64, 1), (65, 2), (115, 2), (116, 3)])
def test_no_more_tiles_than_needed(length: int, count: int) -> None:
    assert len(tile_starts(length, 64)) == count  # 64 + 51 = 115 pixels need two tiles
