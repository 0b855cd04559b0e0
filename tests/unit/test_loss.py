"""The loss against its slow twin, by hand, and at its extremes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tests.oracles_loss import _iou, slow_loss
from yolo_cli.codec import encode, raw_from_boxes
from yolo_cli.heads import Head, slot_anchors, slot_cells
from yolo_cli.loss import LossWeights, YoloLoss, ciou

HEADS = (
    Head("yolo", ((40.0, 30.0), (20.0, 24.0)), 32, 3, 2.0),
    Head("yolo", ((8.0, 12.0), (16.0, 9.0)), 16, 3, 2.0),
)
GRIDS = [(2, 2), (4, 4)]  # of 64 × 64 pixels


def packed(
    images: list[tuple[np.ndarray, np.ndarray]],
    ignored: list[list[int]] | None = None,
    rows: int = 40,
    heads: tuple[Head, ...] = HEADS,
    grids: list[tuple[int, int]] = GRIDS,
) -> dict[str, Any]:
    """Targets of boxes and classes of each image, padded; objects flagged in ``ignored`` are ignored."""
    keys = {"slot": 0, "cxcywh": 1.0, "class_id": 0, "positive": 0.0, "ground_truths": 0.0, "ignored": 0.0}
    packed_images: list[dict[str, np.ndarray]] = []
    for n, (xyxy, class_id) in enumerate(images):
        flags = np.array(ignored[n] if ignored else [0] * len(xyxy), bool)
        t = encode(xyxy[~flags], class_id[~flags], heads, grids)
        values = {
            "slot": t.slot.astype(np.int32), "cxcywh": t.cxcywh, "class_id": t.class_id.astype(np.int32),
            "positive": np.ones(len(t), np.float32), "ground_truths": xyxy,
            "ignored": flags.astype(np.float32),
        }  # fmt: skip
        slot_count = sum(r * c * len(head.anchors) for head, (r, c) in zip(heads, grids, strict=True))
        packed_images.append({"taken": np.isin(np.arange(slot_count), t.slot).astype(np.uint8)})
        for key, fill in keys.items():
            out = np.full((rows, *values[key].shape[1:]), fill, values[key].dtype)
            out[: len(values[key])] = values[key]
            packed_images[-1][key] = out
    return {key: np.stack([row[key] for row in packed_images]) for key in packed_images[0]}


def noise(seed: int, images: int, strength: float = 1.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = [(images, r, c, head.channels) for head, (r, c) in zip(HEADS, GRIDS, strict=True)]
    return [rng.normal(0, strength, shape).astype(np.float32) for shape in shapes]


def some_boxes(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 44, (count, 2))
    high = low + rng.uniform(4, 20, (count, 2))
    return np.concatenate([low, high], axis=1).astype(np.float32), rng.integers(0, 3, count)


def values(terms: dict[str, Any]) -> dict[str, float]:
    return {name: float(keras.ops.convert_to_numpy(term)) for name, term in terms.items()}


def gradients(loss: YoloLoss, targets: dict[str, Any], raw: list[np.ndarray]) -> list[np.ndarray]:
    """What the TensorFlow backend says; the other backends are held to it in test_backends."""
    import tensorflow as tf

    tensors = [tf.Variable(r) for r in raw]
    with tf.GradientTape() as tape:
        total = sum(loss(targets, tensors).values())
    return [g.numpy() for g in tape.gradient(total, tensors)]


@pytest.mark.parametrize("seed", range(6))
def test_equals_the_slow_loss(seed: int) -> None:
    images = [some_boxes(seed, 5), some_boxes(seed + 100, seed)]
    targets = packed(images, [[0, 0, 1, 0, 0], [0] * seed])
    weights = LossWeights(label_smoothing=0.1, ignore_iou=0.3)
    raw = noise(seed, 2)
    fast = values(YoloLoss(HEADS, weights)(targets, raw))
    assert fast == pytest.approx(slow_loss(targets, raw, HEADS, weights), rel=1e-4)


def test_one_slot_by_hand() -> None:
    # One head of one cell of 32 pixels with one anchor 16 × 16. All raw values are 0, so σ = 1/2: the box is
    # around (16, 16), 16 × 16 pixels. The ground truth, (12, 8, 28, 24), is as large and 4 to the right of
    # it. Common 12 · 16 = 192, union 2 · 256 − 192 = 320: IoU 0.6. Distance² 16, hull 20 × 16: diagonal² 656.
    # The aspects are equal. 1 − CIoU = 0.4 + 16/656 = 0.42439; times 5: 2.12195.
    # Cross-entropy of the logit 0 is ln 2 whatever the target: objectness 0.69315; two classes: 1.38629.
    head = Head("yolo", ((16.0, 16.0),), 32, 2, 2.0)
    ground_truth = (np.float32([[12, 8, 28, 24]]), np.array([1]))
    targets = packed([ground_truth], rows=3, heads=(head,), grids=[(1, 1)])
    terms = values(YoloLoss([head])(targets, [np.zeros((1, 1, 1, 7), np.float32)]))
    assert terms == pytest.approx({"box": 2.12195, "objectness": np.log(2), "class": 2 * np.log(2)}, abs=1e-5)


def test_nothing_is_lost_on_a_perfect_answer() -> None:
    images = [some_boxes(1, 3)]
    targets = packed(images)
    terms = values(YoloLoss(HEADS, LossWeights(label_smoothing=0.0))(targets, perfect(targets)))
    assert max(terms.values()) < 1e-3


def perfect(targets: dict[str, Any]) -> list[np.ndarray]:
    """What a network says that knows the targets of the only image."""
    flat, first = [], 0
    for head, grid in zip(HEADS, GRIDS, strict=True):
        raw = np.full((grid[0] * grid[1] * 2, 8), -15, np.float32)
        slots = targets["slot"][0] - first
        mine = (targets["positive"][0] > 0) & (slots >= 0) & (slots < len(raw))
        slot = slots[mine]
        cell, anchor = slot_cells([head], [grid])[slot], slot_anchors([head], [grid])[slot]
        raw[slot, :4] = raw_from_boxes(targets["cxcywh"][0][mine], cell, anchor, head)
        raw[slot, 4] = raw[slot, 5 + targets["class_id"][0][mine]] = 15
        flat.append(raw.reshape(1, *grid, -1))
        first += len(raw)
    return flat


def test_without_ground_truths_only_objectness_counts() -> None:
    targets = packed([some_boxes(0, 0)])
    terms = values(YoloLoss(HEADS)(targets, noise(0, 1)))
    assert terms["box"] == terms["class"] == 0
    assert terms["objectness"] > 0


def test_a_crowd_asks_nothing_of_the_boxes_in_it() -> None:
    whole = (np.float32([[-200, -200, 264, 264]]), np.array([0]))
    asked = values(YoloLoss(HEADS)(packed([some_boxes(0, 0)]), noise(0, 1)))
    ignored = values(YoloLoss(HEADS)(packed([whole], [[1]]), noise(0, 1)))
    assert asked["objectness"] > 1
    assert ignored == {"box": 0, "objectness": 0, "class": 0}


def test_padding_changes_nothing() -> None:
    images = [some_boxes(3, 4)]
    few, many = (values(YoloLoss(HEADS)(packed(images, rows=n), noise(3, 1))) for n in (40, 90))
    assert few == pytest.approx(many, rel=1e-6)


@pytest.mark.parametrize("strength", [0.0, 1.0, 30.0, 1000.0])
@pytest.mark.parametrize("count", [0, 3])
def test_gradients_are_finite(strength: float, count: int) -> None:
    targets = packed([some_boxes(7, count), some_boxes(8, count)])
    found = gradients(YoloLoss(HEADS), targets, noise(5, 2, strength))
    assert all(np.isfinite(g).all() for g in found)


def test_gradients_are_those_of_the_slow_loss() -> None:
    # The weight of the aspect term and the objectness target are held constant, so only logits are compared.
    targets, raw = packed([some_boxes(11, 3)]), noise(11, 1)
    found = gradients(YoloLoss(HEADS), targets, raw)[1][0, 1, 2]  # (channels,)
    for channel in (4, 5, 6, 12, 13):
        moved = []
        for step in (-1e-3, 1e-3):
            other = [r.copy() for r in raw]
            other[1][0, 1, 2, channel] += step
            moved.append(sum(slow_loss(targets, other, HEADS, LossWeights()).values()))
        assert found[channel] == pytest.approx((moved[1] - moved[0]) / 2e-3, rel=1e-2, abs=1e-4)


def test_a_box_moves_towards_its_ground_truth() -> None:
    # The slot of test_one_slot_by_hand. The ground truth is 4 pixels to the right: a larger tx is better.
    head = Head("yolo", ((16.0, 16.0),), 32, 2, 2.0)
    ground_truth = (np.float32([[12, 8, 28, 24]]), np.array([1]))
    targets = packed([ground_truth], rows=3, heads=(head,), grids=[(1, 1)])
    [found] = gradients(YoloLoss([head]), targets, [np.zeros((1, 1, 1, 7), np.float32)])
    assert found[0, 0, 0, 0] < 0


def test_other_kinds_of_heads_are_refused() -> None:
    with pytest.raises(ValueError, match="yolo"):
        YoloLoss([Head("region", ((16.0, 16.0),), 32, 2)])


def answer(ground_truth: list[float], ignored: float) -> float:
    """The loss of the objectness of one slot that is not assigned; its box is (8, 8, 24, 24), its logit 0."""
    head = Head("yolo", ((16.0, 16.0),), 32, 2, 2.0)
    targets = packed([some_boxes(0, 0)], rows=1, heads=(head,), grids=[(1, 1)])
    targets["ground_truths"][0, 0], targets["ignored"][0, 0] = ground_truth, ignored
    return values(YoloLoss([head])(targets, [np.zeros((1, 1, 1, 7), np.float32)]))["objectness"]


@pytest.mark.parametrize(
    ("ground_truth", "ignored", "expected"),
    [
        ([8, 8, 24, 30.8], 0.0, 0.0),  # IoU 16 / 22.8 = 0.702: it fits well, so it is not background
        ([8, 8, 24, 30.9], 0.0, np.log(2)),  # 16 / 22.9 = 0.699
        ([8, 8, 16.1, 24], 1.0, 0.0),  # 8.1 of its 16 pixels are in the crowd
        ([8, 8, 15.9, 24], 1.0, np.log(2)),
        ([-90, -90, 99, 99], 1.0, 0.0),  # in a crowd its IoU does not count
    ],
)
def test_the_limits_of_what_is_ignored(ground_truth: list[float], ignored: float, expected: float) -> None:
    assert answer(ground_truth, ignored) == pytest.approx(expected, abs=1e-6)


def test_the_objectness_target_passes_no_gradient() -> None:
    """It is the IoU of the slot's own box, which must not move to please it."""
    only = LossWeights(box=0.0, classes=0.0)
    found = gradients(YoloLoss(HEADS, only), packed([some_boxes(2, 4)]), noise(2, 1))
    for g, head in zip(found, HEADS, strict=True):
        each = g.reshape(-1, 5 + head.class_count)
        assert not each[:, :4].any()
        assert each[:, 4].any()


def test_the_weight_of_the_aspect_term_passes_no_gradient() -> None:
    """As its authors advise, the slope is that of IoU − distance − α · v with α as it is."""
    import tensorflow as tf

    a, b = np.float64([10, 10, 34, 18]), np.float64([12, 8, 30, 30])

    def parts(box: np.ndarray) -> tuple[float, float]:
        """IoU less the distance, and v."""
        both = np.prod(np.minimum(box[2:], b[2:]) - np.maximum(box[:2], b[:2]))
        iou = both / (np.prod(box[2:] - box[:2]) + np.prod(b[2:] - b[:2]) - both)
        hull = np.maximum(box[2:], b[2:]) - np.minimum(box[:2], b[:2])
        apart = (box[:2] + box[2:] - b[:2] - b[2:]) / 2
        angle = np.arctan((box[2] - box[0]) / (box[3] - box[1])) - np.arctan((b[2] - b[0]) / (b[3] - b[1]))
        return iou - (apart @ apart) / (hull @ hull), 4 / np.pi**2 * angle**2

    fixed = parts(a)[1] / (1 - _iou(a, b) + parts(a)[1])
    slopes = []
    for edge in range(4):
        low, high = a.copy(), a.copy()
        low[edge], high[edge] = a[edge] - 1e-4, a[edge] + 1e-4
        slopes.append(
            sum(sign * (parts(one)[0] - fixed * parts(one)[1]) for sign, one in ((1, high), (-1, low)))
        )
    box = tf.Variable(a.astype(np.float32))
    with tf.GradientTape() as tape:
        complete = ciou(box, tf.constant(b.astype(np.float32)))[1]
    np.testing.assert_allclose(
        tape.gradient(complete, box).numpy(), np.array(slopes) / 2e-4, rtol=5e-3, atol=1e-4
    )
