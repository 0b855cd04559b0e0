"""The loss of `gfl` heads against its slow twin, and by hand."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

from tests.oracles_gfl import slow_gfl_loss
from yolo_cli.codec import Head
from yolo_cli.gfl_loss import GflLoss, assign, giou

HEADS = tuple(Head("gfl", (), stride, 3, bins=8) for stride in (8, 16, 32))
GRIDS = [(6, 8), (3, 4), (2, 2)]  # of 48 × 64 pixels; the last grid is rounded up


def packed(
    boxes: list[tuple[float, ...]], class_id: list[int], ignored: tuple[int, ...] = (), size: int = 6
) -> dict[str, np.ndarray]:
    """Targets of one image, padded to ``size``."""
    rest = size - len(boxes)
    return {
        "ground_truths": np.array([[*boxes, *[(0,) * 4] * rest]], np.float32),
        "class_id": np.array([[*class_id, *[0] * rest]], np.int32),
        "ignored": np.array([[float(n in ignored) for n in range(size)]], np.float32),
    }


def together(*images: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {key: np.concatenate([image[key] for image in images]) for key in images[0]}


def some_boxes(rng: np.random.Generator, count: int, ignored: tuple[int, ...] = ()) -> dict[str, np.ndarray]:
    low = rng.uniform(0, (50, 34), (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(2, 30, (count, 2))], axis=1)
    return packed([tuple(box) for box in boxes], rng.integers(0, 3, count).tolist(), ignored)


def values(terms: dict[str, Any]) -> dict[str, float]:
    return {name: float(keras.ops.convert_to_numpy(term)) for name, term in terms.items()}


def arrays(found: Any) -> list[np.ndarray]:
    return [np.asarray(keras.ops.convert_to_numpy(each))[0] for each in found]


@pytest.mark.parametrize("seed", range(6))
def test_equals_the_slow_loss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = [(3, *grid, head.channels) for head, grid in zip(HEADS, GRIDS, strict=True)]
    raw = [rng.normal(0, 1, shape).astype(np.float32) for shape in shapes]
    everywhere = packed([(-20, -20, 60, 50), (8, 8, 20, 20), (0, 0, 64, 48)], [0, 1, 2], ignored=(0,))
    targets = together(some_boxes(rng, 5, (1, 3)), some_boxes(rng, seed), everywhere)
    expected = slow_gfl_loss(targets, raw, HEADS)
    assert values(GflLoss(HEADS)(targets, raw)) == pytest.approx(expected, rel=1e-4)


def test_of_two_boxes_by_hand() -> None:
    """2 × 2 at (0, 0) and at (1, 1): common 1, both 7, around 9; IoU 1/7, GIoU 1/7 − 2/9.

    2 × 2 at (0, 0) and at (3, 0): common 0, both 8, around 10; GIoU −2/10.
    """
    a, b = np.array([[0, 0, 2, 2]] * 2, np.float32), np.array([[1, 1, 3, 3], [3, 0, 5, 2]], np.float32)
    found = keras.ops.convert_to_numpy(giou(a, b))
    assert found == pytest.approx([1 / 7 - 2 / 9, -0.2], abs=1e-6)


def test_one_slot_by_hand() -> None:
    """One point at (0, 0), stride 8, two bins a side, even: every distance is 0.5, the box (−4, −4, 4, 4).

    The ground truth (−6, −4, 4, 4) has 80 pixels, the box 64 of them: IoU 0.8, around 80, so GIoU is 0.8. It
    is the only slot, so its quality is the IoU. Distances 0.75, 0.5, 0.5, 0.5 are all between the two bins,
    whose logarithms are −log 2. With logit 0, σ is 0.5: |0.8 − 0.5|² · (log 2 − 0) = 0.09 · log 2; the other
    class adds 0.25 · log 2. The sum of qualities, 0.8, is raised to 1.
    """
    head = Head("gfl", (), 8, 2, bins=2)
    found = GflLoss([head])(packed([(-6, -4, 4, 4)], [1]), [np.zeros((1, 1, 1, 10), np.float32)])
    expected = {
        "box": 2 * 0.8 * 0.2, "distances": 0.25 * 0.8 * math.log(2), "class": 0.34 * math.log(2)
    }  # fmt: skip
    assert values(found) == pytest.approx(expected, rel=1e-5)


def test_a_side_that_is_farther_than_the_bins_reach() -> None:
    """As above, with 0.25 and 0.75 for the left distances 0 and 1: the box is (−6, −4, 4, 4).

    The ground truth (−16, −4, 4, 4) is twice as large: IoU 0.5. Its left side is 2 strides away, not 0.99.
    """
    raw = np.zeros((1, 1, 1, 10), np.float32)
    raw[..., 3] = math.log(3)
    found = GflLoss([Head("gfl", (), 8, 2, bins=2)])(packed([(-16, -4, 4, 4)], [1]), [raw])
    left = -(0.01 * math.log(0.25) + 0.99 * math.log(0.75))
    assert values(found)["distances"] == pytest.approx(0.25 * 0.5 * (left + 3 * math.log(2)) / 4, rel=1e-5)


def slots(*rows: tuple[tuple[float, ...], tuple[float, ...], tuple[float, float]]) -> tuple[Any, Any, Any]:
    """Scores, boxes and points of slots."""
    scores, boxes, points = (np.array(column, np.float32) for column in zip(*rows, strict=True))
    return scores[None], boxes[None], points


def test_assignment_by_hand() -> None:
    """Slot 0 fits the ground truth exactly, slot 1 at IoU 1/2, slot 2 fits but its point is outside.

    Alignments: √.25 · 1 = .5 and √1 · (1/2)⁶ = 1/64. Qualities: 1 · 1 and (1/64) / .5 · 1 = 1/32.
    """
    wanted = (0.0, 0.0, 20.0, 20.0)
    given = slots(
        ((0.25, 0.9), wanted, (8, 8)),
        ((1.00, 0.9), (0.0, 0.0, 20.0, 10.0), (8, 16)),
        ((1.00, 0.9), wanted, (24, 8)),
    )
    quality, index, counted = arrays(assign(*given, 8.0, packed([(30, 30, 40, 40), wanted], [1, 0])))
    assert quality == pytest.approx([1, 1 / 32, 0], abs=1e-5)
    assert index[:2].tolist() == [1, 1]
    assert counted.tolist() == [1, 1, 1]


def test_a_slot_goes_to_the_ground_truth_of_the_higher_quality() -> None:
    """Its IoU with the first is 1/2, with the second 1; neither has another slot."""
    given = slots(((0.5, 0.5), (0, 0, 20, 20), (8, 8)))
    quality, index, _ = arrays(assign(*given, 8.0, packed([(0, 0, 20, 10), (0, 0, 20, 20)], [0, 1])))
    assert quality == pytest.approx([1])
    assert index.tolist() == [1]


def test_small_boxes_between_the_points_are_learnt() -> None:
    """The box (10, 10, 14, 14) holds no point of a grid with stride 8; (8, 8) is 4 from its centre."""
    given = slots(((0.5,), (8, 8, 14, 14), (8, 8)), ((0.5,), (8, 8, 14, 14), (24, 8)))
    quality, _, _ = arrays(assign(*given, 8.0, packed([(10, 10, 14, 14)], [0])))
    assert quality == pytest.approx([16 / 36, 0])


def test_crowds_teach_nothing() -> None:
    """Slot 0 is in the crowd and free; slot 1 is in the crowd, but learns the object; slot 2 is outside."""
    given = slots(
        ((0.5,), (0, 0, 10, 10), (8, 8)),
        ((0.5,), (12, 12, 20, 20), (16, 16)),
        ((0.5,), (60, 0, 70, 9), (64, 8)),
    )
    targets = packed([(0, 0, 40, 40), (12, 12, 20, 20)], [0, 0], ignored=(0,))
    quality, _, counted = arrays(assign(*given, 4.0, targets))
    assert quality == pytest.approx([0, 1, 0])
    assert counted.tolist() == [0, 1, 1]


def test_a_ground_truth_has_ten_slots_at_most() -> None:
    rows = [((0.5,), (0, 0, 40 + n, 40), (8 * (n % 5), 8 * (n // 5))) for n in range(25)]
    quality, _, _ = arrays(assign(*slots(*rows), 8.0, packed([(0, 0, 40, 40)], [0])))
    assert np.flatnonzero(quality).tolist() == list(range(10))
    assert (np.diff(quality[:10]) < 0).all()


@pytest.mark.parametrize("strength", [0.0, 30.0, 1000.0])
def test_gradients_are_finite(strength: float) -> None:
    import tensorflow as tf

    rng = np.random.default_rng(0)
    shapes = [(2, *grid, head.channels) for head, grid in zip(HEADS, GRIDS, strict=True)]
    raw = [tf.Variable(rng.normal(0, strength, shape).astype(np.float32)) for shape in shapes]
    with tf.GradientTape() as tape:
        total = sum(GflLoss(HEADS)(together(some_boxes(rng, 4, (2,)), packed([], [])), raw).values())
    assert np.isfinite(total.numpy())
    assert all(np.isfinite(gradient.numpy()).all() for gradient in tape.gradient(total, raw))
