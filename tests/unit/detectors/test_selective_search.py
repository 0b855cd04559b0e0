"""Selective search on images small enough to group by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.boxes import box_iou
from yolo_cli.detectors import selective_search as module
from yolo_cli.detectors.selective_search import Regions, SearchConfig, selective_search
from yolo_cli.images import Image

# Three regions side by side, 4 pixels high, 2, 2 and 6 wide: 10 x 4 pixels in all.
LABELS = np.repeat([[0, 0, 1, 1, 2, 2, 2, 2, 2, 2]], 4, axis=0)


def regions(colour: list[list[float]]) -> Regions:
    """The three regions of LABELS with histograms of two colour bins and the same texture."""
    boxes = np.array([[0, 0, 2, 4], [2, 0, 4, 4], [4, 0, 10, 4]], float)
    return Regions(boxes, np.array([8.0, 8.0, 24.0]), np.array(colour), np.ones((3, 1)))


def test_boxes_around_regions():
    assert module._boxes_around(LABELS, 3).tolist() == [[0, 0, 2, 4], [2, 0, 4, 4], [4, 0, 10, 4]]


def test_neighbours_touch_side_by_side_or_above():
    assert module._neighbours(LABELS).tolist() == [[0, 1], [1, 2]]
    assert module._neighbours(LABELS.T).tolist() == [[0, 1], [1, 2]]
    corner = np.array([[0, 1], [2, 0]])  # 1 and 2 meet only at a corner
    assert module._neighbours(corner).tolist() == [[0, 1], [0, 2]]


def test_histograms_are_shares():
    bins = np.array([[0, 1], [0, 1], [1, 1]])  # three pixels, two columns, of 2 bins each
    found = module._histograms(bins, np.array([0, 0, 1]), 2, 2)
    # Region 0: column 0 is twice bin 0, column 1 twice bin 1, four counts in all.
    assert found.tolist() == [[0.5, 0, 0, 0.5], [0, 0.5, 0, 0.5]]


def test_similarity_by_hand():
    first = regions([[1, 0], [0.25, 0.75], [0, 1]])
    pair = module._similarity(first, np.array([0, 1]), np.array([1, 2]), True, 40)
    # Texture 1; size 1 - 16/40 = 0.6 and 1 - 32/40 = 0.2; fill 1 and 1, as no gap is left; colour 0.25, 0.75.
    assert pair == pytest.approx([1 + 0.6 + 1 + 0.25, 1 + 0.2 + 1 + 0.75])
    without = module._similarity(first, np.array([0, 1]), np.array([1, 2]), False, 40)
    assert without == pytest.approx([2.6, 2.2])


def test_fill_counts_the_gap():
    # Boxes (0, 0, 2, 2) and (2, 2, 4, 4) enclose 16 pixels and fill 8 of them: the gap is 8 of 40.
    two = Regions(
        np.array([[0, 0, 2, 2], [2, 2, 4, 4.0]]), np.array([4.0, 4]), np.ones((2, 1)), np.ones((2, 1))
    )
    found = module._similarity(two, np.array([0]), np.array([1]), False, 40)
    assert found == pytest.approx([1 + (1 - 8 / 40) + (1 - 8 / 40)])


def test_the_most_similar_merge_first():
    alike = regions([[0, 1], [1, 0], [1, 0]])  # colours join 1 and 2 although both together are large
    merged = module._group(alike, np.array([[0, 1], [1, 2]]), True, 40)
    assert merged[3:].tolist() == [[2, 0, 10, 4], [0, 0, 10, 4]]
    sizes = module._group(alike, np.array([[0, 1], [1, 2]]), False, 40)  # without colour, small ones first
    assert sizes[3:].tolist() == [[0, 0, 4, 4], [0, 0, 10, 4]]


def test_merging_weighs_histograms_by_size():
    grown = module._with_space(regions([[1, 0], [0, 1], [0, 1]]))
    module._merge(grown, 0, 2, 3)
    assert grown.size[3] == 32
    assert grown.colour[3] == pytest.approx([8 / 32, 24 / 32])


def test_grouping_changes_no_argument():
    given = regions([[1, 0], [0, 1], [0, 1]])
    before = given.colour.copy(), given.xyxy.copy()
    module._group(given, np.array([[0, 1], [1, 2]]), True, 40)
    assert np.array_equal(given.colour, before[0])
    assert np.array_equal(given.xyxy, before[1])


def squares() -> Image:
    """Two squares on grey, (20, 30)-(60, 80) and (90, 50)-(130, 110), in an image of 160 x 120."""
    rgb = np.full((120, 160, 3), 90, np.uint8)
    rgb[30:80, 20:60] = (200, 40, 40)
    rgb[50:110, 90:130] = (40, 60, 220)
    return Image(rgb)


@pytest.mark.parametrize("turned", [False, True])
def test_objects_are_among_the_boxes(turned):
    image, ground_truth = squares(), np.float32([[20, 30, 60, 80], [90, 50, 130, 110]])
    if turned:
        image, ground_truth = (
            Image(np.ascontiguousarray(image.rgb.transpose(1, 0, 2))),
            ground_truth[:, [1, 0, 3, 2]],
        )
    found = selective_search(image)
    assert (box_iou(ground_truth, found).max(axis=1) > 0.9).all()
    assert [0, 0, image.width, image.height] in found.tolist()  # grouping ends with the whole


def test_boxes_are_sound_distinct_and_the_same_again():
    image = Image(np.random.default_rng(1).integers(0, 256, (97, 61, 3), np.uint8))
    found = selective_search(image)
    assert found.dtype == np.float32
    assert len(np.unique(found, axis=0)) == len(found)
    assert (found[:, 2:] - found[:, :2]).min() >= SearchConfig().shortest
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] <= np.float32([61, 97])).all()
    assert np.array_equal(found, selective_search(image))


def test_the_number_of_boxes_is_limited():
    image = Image(np.random.default_rng(1).integers(0, 256, (97, 61, 3), np.uint8))
    every = selective_search(image)
    few = selective_search(image, SearchConfig(max_boxes=5))
    assert np.array_equal(few, every[:5])


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (5, 7)])
def test_tiny_images(shape):
    image = Image(np.full((*shape, 3), 7, np.uint8))
    assert selective_search(image).tolist() == [[0, 0, shape[1], shape[0]]]
