"""The position of an image and its boxes on a canvas: numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.augment.placement import Placement
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth
from yolo_cli.letterbox import GREY, Letterbox


def ground_truth(*boxes, **flags):
    return GroundTruth(np.float32(boxes).reshape(-1, 4), np.arange(len(boxes)), **flags)


def placed(height, width, scaled_height, scaled_width, top, left, canvas, mirrored=False, overturned=False):
    frame = Letterbox(height, width, *canvas, scaled_height, scaled_width, top, left)
    return Placement(frame, mirrored, overturned)


def painted(placement, rgb):
    canvas = np.full((placement.frame.net_height, placement.frame.net_width, 3), GREY, np.uint8)
    placement.paint(rgb, canvas, lambda piece: piece)
    return canvas


def noise(height, width):
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("height", "width"), [(30, 50), (50, 30), (64, 64), (7, 9)])
def test_whole_is_the_letterbox(height, width):
    rgb, fitted = noise(height, width), Letterbox.fit(height, width, 64, 64)
    placement, box = Placement.centred((height, width), (64, 64)), np.float32([[1, 2, 5, 6]])
    assert np.array_equal(painted(placement, rgb), fitted.apply(rgb))
    assert np.array_equal(placement.forward(box), fitted.forward(box))


def test_mirrored():
    # In an image 50 wide the box from 10 to 20 is afterwards from 50 - 20 = 30 to 50 - 10 = 40.
    # 50 x 30 onto 100 x 100 is doubled, and 20 down: x 60 to 80, y 5 * 2 + 20 = 30 to 25 * 2 + 20 = 70.
    placement = placed(30, 50, 60, 100, 20, 0, (100, 100), mirrored=True)
    assert placement.forward(np.float32([[10, 5, 20, 25]])).tolist() == [[60, 30, 80, 70]]


def test_overturned():
    # In an image 30 high the box from 0 to 10 is afterwards from 30 - 10 = 20 to 30 - 0 = 30.
    placement = placed(30, 50, 30, 50, 0, 0, (30, 50), overturned=True)
    assert placement.forward(np.float32([[10, 0, 20, 10]])).tolist() == [[10, 20, 20, 30]]


@pytest.mark.parametrize(
    ("mirrored", "overturned", "turned"),
    [
        (True, False, lambda rgb: rgb[:, ::-1]),
        (False, True, lambda rgb: rgb[::-1]),
        (True, True, lambda rgb: rgb[::-1, ::-1]),
    ],
)
def test_mirroring_pixels(mirrored, overturned, turned):
    rgb = noise(8, 12)
    placement = placed(8, 12, 8, 12, 0, 0, (8, 12), mirrored, overturned)
    assert np.array_equal(painted(placement, rgb), turned(rgb))


def test_a_crop_is_a_part_of_the_pixels():
    # 3 columns are cut off on the left and 2 rows above: the canvas shows columns 3 to 8 and rows 2 to 7.
    rgb = noise(8, 12)
    placement = placed(8, 12, 8, 12, -2, -3, (5, 5))
    assert np.array_equal(painted(placement, rgb), rgb[2:7, 3:8])
    assert placement.forward(np.float32([[3, 2, 8, 7]])).tolist() == [[0, 0, 5, 5]]


def test_an_image_smaller_than_the_canvas_is_padded_with_grey():
    rgb = noise(4, 4)
    canvas = painted(placed(4, 4, 4, 4, 1, 5, (8, 10)), rgb)
    assert np.array_equal(canvas[1:5, 5:9], rgb)
    canvas[1:5, 5:9] = GREY
    assert (canvas == GREY).all()


def test_moved_splits_the_padding():
    # 60 high on 100: 40 rows of padding. 140 wide on 100: -40, that is, 40 columns are cut off.
    placement = placed(30, 70, 60, 140, 0, 0, (100, 100))
    for fraction, top, left in ((0.0, 0, 0), (0.5, 20, -20), (1.0, 40, -40)):
        moved = placement.moved((100, 100), fraction, fraction)
        assert (moved.frame.top, moved.frame.left) == (top, left)


def test_without_strength_nothing_varies():
    config = AugmentConfig(flip=0, scale=0, aspect=0, shift=0)
    placement = Placement.centred((30, 50), (64, 64))
    assert placement.varied(np.random.default_rng(0), config) == placement


def test_size_and_aspect_stay_within_their_strengths():
    config, rng = AugmentConfig(scale=0.5, aspect=0.2), np.random.default_rng(0)
    square = placed(1000, 1000, 1000, 1000, 0, 0, (1000, 1000))
    many = [square.varied(rng, config) for _ in range(300)]
    sizes = np.array([(each.frame.scaled_height * each.frame.scaled_width) ** 0.5 / 1000 for each in many])
    aspects = np.array([each.frame.scaled_width / each.frame.scaled_height for each in many])
    for values, most in ((sizes, 1.5), (aspects, 1.2)):
        # Within the limits but for rounding to pixels, and close to both of them.
        assert (values > 0.995 / most).all()
        assert (values < 1.005 * most).all()
        assert values.min() < 1.03 / most
        assert values.max() > 0.97 * most
        # As often larger as smaller.
        assert 0.4 < (values > 1).mean() < 0.6


def test_an_object_stays_as_long_as_enough_of_it_shows():
    # The canvas shows columns 10 to 30 of the image. Boxes are 8 wide: of the first 2 columns show,
    # a quarter; of the second 1, an eighth; of the third all; the fourth is outside.
    placement = placed(20, 40, 20, 40, 0, -10, (20, 20))
    objects = ground_truth([4, 0, 12, 10], [3, 0, 11, 10], [12, 5, 20, 15], [32, 0, 40, 10])
    assert placement.carry(objects, 0.25).xyxy.tolist() == [[0, 0, 2, 10], [2, 5, 10, 15]]
    assert placement.carry(objects, 0.26).class_id.tolist() == [2]
    # Nothing asked, and one column is still too narrow.
    assert placement.carry(objects, 0.0).class_id.tolist() == [0, 2]


def test_objects_narrower_than_two_pixels_leave_the_ground_truth():
    # Halved: 4 pixels become 2, 3 become 1.5.
    placement = placed(20, 40, 10, 20, 0, 0, (10, 20))
    assert placement.carry(
        ground_truth([0, 0, 4, 20], [0, 0, 3, 20], [0, 0, 20, 3]), 0.25
    ).class_id.tolist() == [0]


def test_a_box_that_reaches_out_of_its_image_is_cut_at_the_image():
    # The image is in the middle of a larger canvas; its box must not reach into the grey.
    placement = placed(10, 10, 10, 10, 5, 5, (20, 20))
    assert placement.carry(ground_truth([-4, 2, 8, 12]), 0.25).xyxy.tolist() == [[5, 7, 13, 15]]


def test_flags_and_area_follow():
    # Doubled, and cut to its right half: 6 of the outline's area of 24 is 24 * 4 / 2 = 48 there.
    crowd, difficult = np.array([False, True]), np.array([True, False])
    area = np.float32([10, 24])
    objects = ground_truth([0, 0, 2, 2], [8, 0, 16, 4], crowd=crowd, difficult=difficult, area=area)
    seen = placed(20, 20, 40, 40, 0, -24, (40, 40)).carry(objects, 0.25)
    assert seen.xyxy.tolist() == [[0, 0, 8, 8]]
    assert (seen.crowd.tolist(), seen.difficult.tolist(), seen.area.tolist()) == ([True], [False], [48])


def test_no_objects():
    assert len(Placement.centred((10, 10), (20, 20)).carry(ground_truth(), 0.25)) == 0


def test_degenerate_boxes_leave_without_a_warning():
    assert (
        len(Placement.centred((10, 10), (20, 20)).carry(ground_truth([3, 3, 3, 3], [8, 8, 2, 2]), 0.0)) == 0
    )
