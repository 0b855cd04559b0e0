"""Changes of colour, on colours whose hue, saturation and value are plain."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.augment.colour import Colour
from yolo_cli.config import AugmentConfig


def changed(rgb, **strengths):
    return Colour(**strengths).apply(np.uint8([[rgb]]))[0, 0].astype(int).tolist()


def test_no_change_is_the_same_image():
    rgb = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    assert Colour().apply(rgb) is rgb


@pytest.mark.parametrize(
    ("strengths", "before", "after"),
    [
        # A third of the circle takes red to green, two thirds (or one back) to blue.
        ({"hue": 1 / 3}, (200, 0, 0), (0, 200, 0)),
        ({"hue": -1 / 3}, (200, 0, 0), (0, 0, 200)),
        # Grey has no hue and no saturation: nothing to turn, nothing to grow.
        ({"hue": 0.3, "saturation": 0.5}, (90, 90, 90), (90, 90, 90)),
        # Saturation (200 - 100) / 200 = 0.5, half of it 0.25: the lesser channels rise to 150.
        ({"saturation": -0.5}, (200, 100, 100), (200, 150, 150)),
        ({"saturation": -1.0}, (200, 100, 100), (200, 200, 200)),
        # 1.5 times as bright; and never above 255.
        ({"brightness": 0.5}, (100, 50, 0), (150, 75, 0)),
        ({"brightness": 1.0}, (200, 200, 200), (255, 255, 255)),
        # 28 below 128, half as much more: 42 below. 72 above: 108 above, 236.
        ({"contrast": 0.5}, (100, 100, 100), (86, 86, 86)),
        ({"contrast": 0.5}, (200, 200, 200), (236, 236, 236)),
    ],
)
def test_plain_colours(strengths, before, after):
    # OpenCV keeps hue as a byte. From red to yellow green grows from 0 to all within 256 / 6 = 43 steps: one
    # is 200 / 43 = 4.7 levels of 200.
    assert changed(before, **strengths) == pytest.approx(after, abs=5)


def test_the_argument_stays():
    rgb = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    before = rgb.copy()
    Colour(0.1, 0.2, 0.3, 0.4).apply(rgb)
    assert np.array_equal(rgb, before)


def test_drawn_changes_stay_within_their_strengths():
    config, rng = (
        AugmentConfig(hue=0.1, saturation=0.2, brightness=0.3, contrast=0.4),
        np.random.default_rng(0),
    )
    many = [Colour.draw(rng, config) for _ in range(300)]
    drawn = np.array([(one.hue, one.saturation, one.brightness, one.contrast) for one in many])  # (300, 4)
    strengths = np.array([0.1, 0.2, 0.3, 0.4])
    assert (np.abs(drawn) <= strengths).all()
    assert (drawn.max(axis=0) > 0.9 * strengths).all()
    assert (drawn.min(axis=0) < -0.9 * strengths).all()
    # Each by itself: none goes with another (300 independent pairs stay below 0.25 by far).
    assert np.abs(np.corrcoef(drawn.T) - np.eye(4)).max() < 0.25
