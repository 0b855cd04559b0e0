"""Which units of a layer are shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from yolo_cli.visualisation.excitation import _cells_inside, _choosiest, _patch
from yolo_cli.visualisation.networks import FeatureLayer


def test_of_few_images_the_unit_that_prefers_one_comes_first() -> None:
    # The strongest responses in three images. Unit 1 likes the second: (9 − 3) / 4.24 = 1.41 deviations above
    # its mean. Unit 2 likes two of them: (4 − 3.33) / 0.94 = 0.71. Unit 0 answers all alike: 0.
    top = np.array([[5.0, 0.0, 2.0], [5.0, 9.0, 4.0], [5.0, 0.0, 4.0]])
    layer = cast("Any", SimpleNamespace(name="layer", box=lambda row, column: (0, 0, 1, 1)))
    samples = cast("Any", [SimpleNamespace(name=f"{n}.jpg") for n in range(3)])
    units = _choosiest(layer, top, np.zeros((3, 3), np.intp), samples, 1)
    assert [unit.channel for unit in units] == [1, 2, 0]
    assert units[0].patches[0].image == "1.jpg"


# A map of 4 x 4 cells at stride 8; fields of 10 pixels start 1 before the cell, so that their middles are at
# 4, 12, 20 and 28. Of an input of 32 x 32 pixels the image has the rows from 10 to 22: those of 12 and 20.
def test_cells_in_the_grey_of_the_letterbox_do_not_count() -> None:
    layer = FeatureLayer("layer", 8, 1, 10, -1)
    inside = _cells_inside(layer, (4, 4), (0, 10, 32, 22))
    assert inside[..., 0].tolist() == [[False] * 4, [True] * 4, [True] * 4, [False] * 4]
    # Of an image one pixel high, at 15, no middle is inside; the one at 12 is 3 away, that at 20 is 4 away.
    thin = _cells_inside(layer, (4, 4), (0, 15, 32, 16))
    assert thin[..., 0].tolist() == [[False] * 4, [True] * 4, [False] * 4, [False] * 4]


@pytest.mark.parametrize(
    ("field", "size"),
    [
        ((-4.0, 8.0, 6.0, 18.0), (8, 6)),  # x from 0 to 6, y from 10 to 18
        ((-99.0, -99.0, 99.0, 99.0), (12, 32)),  # all of the image
        ((4.0, 25.0, 14.0, 35.0), (1, 10)),  # below the image: its last row
    ],
)
def test_a_patch_has_only_pixels_of_the_image(field: tuple[float, ...], size: tuple[int, int]) -> None:
    pixels = np.full((32, 32, 3), 128, np.uint8)
    pixels[10:22] = 7
    patch = _patch(pixels, field, (0, 10, 32, 22))
    assert patch.shape[:2] == size
    assert (patch == 7).all()
