"""The vector of localisation by hand, both ways, and what becomes of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract import assert_is_detector
from yolo_cli.config import DetectConfig
from yolo_cli.detectors.localisation import Localiser, coarse_features, decode, encode
from yolo_cli.detectors.regions import RegionDetector
from yolo_cli.images import Image
from yolo_cli.weights import ModelCard

CARD = ModelCard("fake", ("cat", "dog", "cow"), (), (416, 416), "stretch")


def logit(fraction: float) -> float:
    return float(np.log(fraction / (1 - fraction)))


def test_encode_by_hand():
    # From (0.2, 0.1) to (0.6, 0.9): centre (0.4, 0.5), 0.8 high, 0.4 wide; height comes first in the course.
    vector = encode(np.array([0.2, 0.1, 0.6, 0.9]), 2, 3)
    assert vector == pytest.approx([1, 0.4, 0.5, 0.8, 0.4, 0, 0, 1])


def test_nothing_there_asks_for_nothing_else():
    assert encode(None, 0, 3).tolist() == [0] * 8


def test_decode_by_hand():
    # σ(ln 3) = 3/4. The classes weigh 1 : 2 : 1, so the second has half: 3/4 · 1/2 = 3/8.
    raw = [np.log(3), logit(0.4), logit(0.5), logit(0.8), logit(0.4), 0.0, np.log(2), 0.0]
    scores, xyxy = decode(np.array([raw]))
    assert scores[0] == pytest.approx([3 / 16, 3 / 8, 3 / 16])
    assert xyxy[0] == pytest.approx([0.2, 0.1, 0.6, 0.9])


@given(st.lists(st.floats(0.02, 0.98), min_size=4, max_size=4), st.integers(0, 2))
def test_there_and_back(edges, class_id):
    (x1, x2), (y1, y2) = sorted(edges[:2]), sorted(edges[2:])
    box = np.array([x1, y1, x2 + 0.01, y2 + 0.01])
    vector = encode(box, class_id, 3).astype(float)
    raw = np.concatenate([[40.0], np.log(vector[1:5] / (1 - vector[1:5])), 40 * vector[5:]])
    scores, xyxy = decode(raw[None])
    assert xyxy[0] == pytest.approx(box, abs=1e-5)
    assert scores[0] == pytest.approx(np.eye(3)[class_id], abs=1e-5)


def test_wild_numbers_stay_finite():
    scores, xyxy = decode(np.array([[1e4, -1e4, 1e4, 1e4, -1e4, 1e4, -1e4, 0]]))
    assert np.isfinite(scores).all()
    assert np.isfinite(xyxy).all()


class Map:
    """A backbone that gives the number of each cell, (1, 1, 26, 26)."""

    def run(self, batch):
        assert batch.shape == (1, 416, 416, 3)
        return [np.arange(26 * 26, dtype=np.float32).reshape(1, 1, 26, 26)]

    def multiply_accumulates(self, _batch):
        return 1000


class Head:
    """Says of every image: the left half of the square, probably a dog."""

    def run(self, features):
        assert features.shape == (1, 13, 13, 1)
        raw = [logit(0.9), logit(0.25), logit(0.5), logit(0.999), logit(0.5), 0.0, np.log(8), 0.0]
        return [np.array([raw], np.float32)]

    def multiply_accumulates(self, _batch):
        return 50


def localiser(**options) -> RegionDetector:
    return RegionDetector(Localiser(Map(), Head()), CARD, DetectConfig(**options))


def test_cells_are_averaged_in_fours():
    coarse = coarse_features(Map(), Image(np.zeros((10, 10, 3), np.uint8)))
    assert coarse.shape == (13, 13, 1)
    assert coarse[0, 0, 0] == (0 + 1 + 26 + 27) / 4
    assert coarse[12, 12, 0] == (24 * 26 + 24 + 24 * 26 + 25 + 25 * 26 + 24 + 25 * 26 + 25) / 4


@pytest.mark.parametrize(
    ("height", "width", "box"), [(104, 208, [0, 0, 104, 104]), (208, 104, [0, 0, 52, 208])]
)
def test_one_object_in_pixels_of_the_image(height, width, box):
    # The left half of the square: of a landscape image the left half. A portrait one of 208 x 104 becomes
    # 416 x 208 with 104 pixels of padding left, so 208 pixels of the square are 104 right of its left edge:
    # half of its 208, that is 52 of 104. 0.9 of being there times 8 of 10 for a dog.
    [found] = localiser().detect([Image(np.zeros((height, width, 3), np.uint8))])
    assert found.class_id.tolist() == [1]
    assert found.confidence == pytest.approx([0.72], abs=1e-4)
    assert found.xyxy[0] == pytest.approx(box, abs=0.3)


def test_never_two_classes():
    [found] = localiser(conf=0.0).detect([Image(np.zeros((50, 50, 3), np.uint8))])
    assert len(found) == 1


def test_cost_is_one_run_of_both():
    cost = localiser().cost(Image(np.zeros((9, 9, 3), np.uint8)))
    assert (cost.whole, cost.each) == (1050, 0)


def test_it_is_a_detector():
    assert_is_detector(localiser())
