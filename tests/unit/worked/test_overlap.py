"""Intersection over union by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.worked import show_overlap

IMAGE = Image(np.zeros((100, 200, 3), np.uint8), "black.png")
NAMES = ("a", "b")


def test_half_of_each():
    """40 x 20 and 40 x 20, moved by half its width: 400 of 800 + 800 - 400."""
    shown = show_overlap(IMAGE, (10, 10, 50, 30), (30, 10, 70, 30), NAMES)
    assert (shown.areas, shown.common, shown.union) == ((800, 800), 400, 1200)
    assert shown.iou == pytest.approx(1 / 3)
    assert shown.to_text().splitlines() == [
        "black.png: a 10,10,50,30 and b 30,10,70,30",
        "a: 40 x 20 = 800",
        "b: 40 x 20 = 800",
        "intersection: 20 x 20 = 400",
        "union: 800 + 800 - 400 = 1,200",
        "IoU: 400 / 1,200 = 0.333",
    ]


def test_the_intersection_is_green():
    """The image is enlarged to 480 pixels, by 2.4; 40,20 becomes 96,48, below the title of 30."""
    plot = show_overlap(IMAGE, (10, 10, 50, 30), (30, 10, 70, 30), NAMES).plot()
    assert plot[30 + 48, 96].argmax() == 1  # in both
    assert plot[30 + 48, 48].max() == 0  # 20,20 is in the first alone


def test_boxes_that_do_not_touch():
    shown = show_overlap(IMAGE, (0, 0, 10, 10), (50, 50, 60, 60), NAMES)
    assert (shown.common, shown.iou) == (0, 0)
    assert "intersection: 0 x 0 = 0" in shown.to_text()
    assert shown.plot().shape[1] == 480


@pytest.mark.parametrize("box", [(50, 10, 40, 30), (0, 0, 201, 50), (0, 0, 50, 101), (10, 10, 10, 20)])
def test_a_box_that_is_not_in_the_image(box):
    with pytest.raises(UsageError, match=r"must be X1,Y1,X2,Y2 .* black.png, which has 200x100 pixels"):
        show_overlap(IMAGE, (0, 0, 10, 10), box, NAMES)
