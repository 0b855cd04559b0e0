"""Laws of the letterbox."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import boxes, images
from yolo_cli.letterbox import Letterbox

LENGTHS = st.integers(1, 300)
FITTED = st.builds(
    Letterbox.fit, LENGTHS, LENGTHS, LENGTHS, LENGTHS, st.sampled_from(["letterbox", "stretch"])
)


@given(FITTED, boxes())
def test_there_and_back(fitted, xyxy):
    # A coordinate in the network's input, up to 300, is rounded to float32, and undoing the letterbox
    # magnifies the error by the scale.
    scale = min(fitted.scaled_width / fitted.width, fitted.scaled_height / fitted.height)
    assert fitted.undo(fitted.forward(xyxy)) == pytest.approx(xyxy, abs=1e-4 * max(1, 1 / scale))


@given(FITTED)
def test_the_whole_image_is_the_inner_rectangle(fitted):
    inner = [fitted.left, fitted.top, fitted.left + fitted.scaled_width, fitted.top + fitted.scaled_height]
    assert fitted.forward(np.float64([[0, 0, fitted.width, fitted.height]]))[0] == pytest.approx(inner)
    assert min(inner) >= 0
    assert inner[2] <= fitted.net_width
    assert inner[3] <= fitted.net_height


@given(LENGTHS, LENGTHS, LENGTHS, LENGTHS)
def test_letterbox_touches_two_edges_and_keeps_the_aspect_to_a_pixel(height, width, net_height, net_width):
    fitted = Letterbox.fit(height, width, net_height, net_width)
    assert fitted.scaled_width == net_width or fitted.scaled_height == net_height
    scale = min(net_width / width, net_height / height)
    assert abs(fitted.scaled_width - width * scale) <= 1
    assert abs(fitted.scaled_height - height * scale) <= 1
    # Centred: the two paddings of an axis differ by one pixel at most.
    assert 0 <= net_width - fitted.scaled_width - 2 * fitted.left <= 1
    assert 0 <= net_height - fitted.scaled_height - 2 * fitted.top <= 1


@given(images(), st.integers(1, 48), st.integers(1, 48))
def test_apply_changes_no_argument_and_fills_every_pixel(rgb, net_height, net_width):
    before, fitted = rgb.copy(), Letterbox.fit(*rgb.shape[:2], net_height, net_width)
    empty = [
        fitted.apply(rgb, out=np.full((net_height, net_width, 3), start, np.uint8)) for start in (0, 255)
    ]
    assert np.array_equal(rgb, before)
    assert np.array_equal(*empty)
