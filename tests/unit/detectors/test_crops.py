"""Warping regions with their surroundings."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.detectors.crops import warp
from yolo_cli.letterbox import GREY

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def test_a_box_of_the_right_size_is_copied():
    assert np.array_equal(warp(IMAGE, np.float32([[7, 5, 23, 21]]), 16)[0], IMAGE[5:21, 7:23])


def test_context_by_hand():
    # A quarter of the result on each edge is context, so the box fills half: 8 pixels become 8 of 16.
    found = warp(IMAGE, np.float32([[20, 10, 28, 18]]), 16, context=0.25)[0]
    assert np.array_equal(found, IMAGE[6:22, 16:32])


def test_grey_beyond_the_image():
    found = warp(IMAGE, np.float32([[-8, -4, 8, 12]]), 16)[0]
    assert (found[:4] == GREY).all()
    assert (found[:, :8] == GREY).all()
    assert np.array_equal(found[4:, 8:], IMAGE[:12, :8])


def test_aspect_goes():
    halves = np.zeros((8, 32, 3), np.uint8)
    halves[:, 16:] = 200
    found = warp(halves, np.float32([[0, 0, 32, 8]]), 16)[0]
    assert (found[:, :7] == 0).all()
    assert (found[:, 9:] == 200).all()


@pytest.mark.parametrize("box", [[100, 100, 120, 120], [-30, -30, -5, -5]])
def test_a_box_outside_is_all_grey(box):
    assert (warp(IMAGE, np.float32([box]), 8) == GREY).all()


@pytest.mark.parametrize("box", [[10, 10, 10.2, 10.2], [59.7, 39.7, 60, 40], [-500, -500, 900, 900]])
def test_extreme_boxes(box):
    assert warp(IMAGE, np.float32([box]), 8).shape == (1, 8, 8, 3)


def test_no_boxes_and_an_unchanged_image():
    before = IMAGE.copy()
    assert warp(IMAGE, np.zeros((0, 4), np.float32), 8).shape == (0, 8, 8, 3)
    warp(IMAGE, np.float32([[0, 0, 60, 40]]), 8)
    assert np.array_equal(IMAGE, before)
