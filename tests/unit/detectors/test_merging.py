"""Boxes from overlapping tiles become those of the image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles_merging import slow_merge
from tests.strategies import boxes, class_ids, confidences
from yolo_cli.detectors.merging import Pieces, cut_sides, merge

NONE = (0, 0, 0, 0)


def pieces_of(*rows: tuple[list[float], float, int, tuple[int, int, int, int]]) -> Pieces:
    """Pieces from rows: box, confidence, class, and where it is cut: left, top, right, bottom."""
    xyxy, confidence, class_id, cut = zip(*rows, strict=True)
    return Pieces(
        np.array(xyxy, np.float32),
        np.array(confidence, np.float32),
        np.array(class_id),
        np.arange(len(rows)),
        np.array(cut, bool),
        np.zeros((len(rows), 0, 3), np.float32),
    )


def found(pieces: Pieces, **options: Any) -> list[tuple[list[float], float, int]]:
    """What `merge` gives, as rows: box, confidence, class."""
    ranked, kept = merge(pieces, **{"iou": 0.5, "max_det": 100, **options})
    best = ranked[kept]
    rows = zip(best.xyxy.tolist(), best.confidence.round(4).tolist(), best.class_id.tolist(), strict=True)
    return [(box, round(confidence, 4), class_id) for box, confidence, class_id in rows]


@st.composite
def pieces(draw: st.DrawFn) -> Pieces:
    xyxy = draw(boxes(max_count=8, degenerate=False))
    count = len(xyxy)
    sides = st.lists(st.booleans(), min_size=4 * count, max_size=4 * count)
    cut = np.array(draw(sides), bool).reshape(count, 4) & draw(st.booleans())
    order = np.arange(count)
    points = np.zeros((count, 0, 3), np.float32)
    return Pieces(xyxy, draw(confidences(count)), draw(class_ids(count, 2)), order, cut, points)


def test_the_same_object_on_two_tiles_is_one() -> None:
    # 10 x 10 and the same one pixel to the right: IoU 90 / 110 = 0.82.
    twice = pieces_of(([0, 0, 10, 10], 0.6, 0, NONE), ([1, 0, 11, 10], 0.8, 0, NONE))
    assert found(twice) == [([1, 0, 11, 10], 0.8, 0)]
    assert len(found(twice, iou=0.9)) == 2


def test_an_object_in_front_of_a_larger_one_stays() -> None:
    """Intersection over the smaller decides about cut boxes only."""
    inside = pieces_of(([0, 0, 40, 40], 0.9, 0, NONE), ([10, 10, 20, 20], 0.6, 0, NONE))
    assert len(found(inside)) == 2


def test_a_part_goes_before_the_whole_even_if_it_is_more_confident() -> None:
    # The part is the left 40 % of the object: IoU 0.4, intersection over the smaller 1.
    part = pieces_of(([0, 0, 40, 50], 0.95, 0, (0, 0, 1, 0)), ([0, 0, 100, 50], 0.5, 0, NONE))
    assert found(part) == [([0, 0, 100, 50], 0.5, 0)]


def test_a_part_without_its_whole_stays() -> None:
    alone = pieces_of(([0, 0, 40, 50], 0.7, 0, (0, 0, 1, 0)), ([0, 0, 100, 50], 0.5, 1, NONE))
    assert found(alone) == [([0, 0, 40, 50], 0.7, 0), ([0, 0, 100, 50], 0.5, 1)]
    assert found(alone, agnostic=True) == [([0, 0, 100, 50], 0.5, 1)]


def test_parts_that_continue_each_other_are_joined() -> None:
    """Tiles from 0 to 64 and from 51 to 115, and an object from 10 to 110."""
    rows = [([10, 20, 64, 40], 0.9, 0, (0, 0, 1, 0)), ([51, 21, 110, 40], 0.7, 0, (1, 0, 0, 0))]
    assert found(pieces_of(*rows)) == [([10, 20, 110, 40], 0.7, 0)]
    upright = [([y1, x1, y2, x2], *rest, cut[1::-1] + cut[:1:-1]) for (x1, y1, x2, y2), *rest, cut in rows]
    assert found(pieces_of(*upright)) == [([20, 10, 40, 110], 0.7, 0)]  # type: ignore[arg-type]


def test_a_long_object_is_joined_over_three_tiles() -> None:
    train = pieces_of(
        ([5, 0, 64, 20], 0.9, 0, (0, 0, 1, 0)),
        ([51, 0, 115, 20], 0.8, 0, (1, 0, 1, 0)),
        ([102, 0, 150, 20], 0.6, 0, (1, 0, 0, 0)),
    )
    assert found(train) == [([5, 0, 150, 20], 0.6, 0)]


@pytest.mark.parametrize(
    ("box", "class_id", "cut"),
    [
        ([51, 60, 110, 80], 0, (1, 0, 0, 0)),  # another row
        ([51, 20, 110, 40], 1, (1, 0, 0, 0)),  # another class
        ([70, 20, 110, 40], 0, (1, 0, 0, 0)),  # does not reach the first
        ([51, 20, 60, 40], 0, (1, 0, 0, 0)),  # ends before the first does
    ],
)
def test_parts_that_do_not_continue_each_other(
    box: list[float], class_id: int, cut: tuple[int, int, int, int]
) -> None:
    rows = found(pieces_of(([10, 20, 64, 40], 0.9, 0, (0, 0, 1, 0)), (box, 0.7, class_id, cut)))
    assert ([10, 20, 64, 40], 0.9, 0) in rows


def test_what_a_tile_cuts() -> None:
    """A tile of 100 x 100 pixels at (50, 0) in an image of 100 x 300: 2 pixels are near."""
    rows = np.float32([[51, 10, 90, 90], [60, 1, 90, 99], [60, 10, 148, 90], [60, 10, 147, 90]])
    cut = cut_sides(rows, (50, 0, 150, 100), (100, 300))
    assert cut.tolist() == [
        [True, False, False, False],
        [False] * 4,
        [False, False, True, False],
        [False] * 4,
    ]


@given(pieces(), st.sampled_from([0.3, 0.5, 0.7]), st.integers(1, 8))
def test_equal_to_the_slow_one(some: Pieces, iou: float, max_det: int) -> None:
    assert found(some, iou=iou, max_det=max_det) == slow_merge(some, iou, max_det)


@given(pieces(), st.randoms())
def test_the_order_of_tiles_and_boxes_does_not_matter(some: Pieces, random: Any) -> None:
    order = list(range(len(some)))
    random.shuffle(order)
    assert found(some[np.array(order, int)]) == found(some)


@given(pieces(), st.sampled_from([0.3, 0.5, 0.7]))
def test_merging_again_changes_nothing(some: Pieces, iou: float) -> None:
    ranked, kept = merge(some, iou, 100)
    once = ranked[kept]
    once = replace(once, cut=np.zeros_like(once.cut))
    again, stays = merge(once, iou, 100)
    assert again[stays].xyxy.tolist() == once.xyxy.tolist()
    assert again[stays].confidence.tolist() == once.confidence.tolist()


def test_ten_thousand_cut_boxes_are_bounded() -> None:
    random = np.random.default_rng(0)
    low = random.uniform(0, 1000, (10_000, 2))
    xyxy = np.concatenate([low, low + random.uniform(5, 50, (10_000, 2))], axis=1).astype(np.float32)
    many = Pieces(
        xyxy, random.random(10_000, np.float32), np.zeros(10_000, int), np.zeros(10_000, int),
        random.random((10_000, 4)) < 0.5, np.zeros((10_000, 0, 3)),
    )  # fmt: skip
    assert len(found(many, max_det=300)) == 300
