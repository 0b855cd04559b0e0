"""Laws between ground-truth boxes, targets and what comes back out of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import boxes, class_ids
from yolo_cli.codec import boxes_from_raw, decode, encode, raw_from_boxes
from yolo_cli.heads import Head, slot_anchors, slot_cells

SIDE = 128
CLASSES = 4


@st.composite
def head_pairs(draw: st.DrawFn) -> tuple[Head, ...]:
    """One or two heads of any kind that has the law of boxes, coarse first."""
    kind = draw(st.sampled_from(["yolo", "new_coords"]))
    reach = draw(st.sampled_from([1.05, 1.2, 2.0]))
    size = st.integers(4, 100).map(float)
    strides = draw(st.sampled_from([(32,), (16,), (32, 16)]))
    return tuple(
        Head(kind, tuple(draw(st.lists(st.tuples(size, size), min_size=1, max_size=3))), s, CLASSES, reach)
        for s in strides
    )


@st.composite
def labelled(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Boxes inside the network's input, and their classes."""
    xyxy = draw(boxes(max_count=6, width=SIDE, height=SIDE, degenerate=False))
    return xyxy, draw(class_ids(len(xyxy), CLASSES))


def grids(heads: tuple[Head, ...]) -> list[tuple[int, int]]:
    return [(SIDE // head.stride, SIDE // head.stride) for head in heads]


def raw_heads(heads: tuple[Head, ...], targets) -> list[np.ndarray]:
    """What a perfect network says: the targets where they are, and nothing anywhere else."""
    shapes, out, first = grids(heads), [], 0
    for head, (rows, columns) in zip(heads, shapes, strict=True):
        count = rows * columns * len(head.anchors)
        surely, never = (1.0, 0.0) if head.kind == "new_coords" else (20.0, -20.0)
        raw = np.full((count, 5 + CLASSES), never, np.float32)
        mine = (targets.slot >= first) & (targets.slot < first + count)
        slot = targets.slot[mine] - first
        cell, anchor = (made([head], [(rows, columns)])[slot] for made in (slot_cells, slot_anchors))
        raw[slot, :4] = raw_from_boxes(targets.cxcywh[mine], cell, anchor, head)
        raw[slot, 4] = raw[slot, 5 + targets.class_id[mine]] = surely
        out.append(raw.reshape(rows, columns, -1))
        first += count
    return out


@given(head_pairs(), labelled())
def test_decode_undoes_encode(heads, made) -> None:
    xyxy, class_id = made
    targets = encode(xyxy, class_id, heads, grids(heads))
    found = decode(raw_heads(heads, targets), heads, 0.5)
    assert found.slot.tolist() == targets.slot.tolist()
    assert found.class_id.tolist() == targets.class_id.tolist()
    # float32, and σ that cannot quite reach its ends: a thousandth of the largest size
    np.testing.assert_allclose(found.xyxy, xyxy[targets.ground_truth], atol=0.05)


@given(head_pairs(), labelled())
def test_slots_are_there_and_at_most_once(heads, made) -> None:
    targets = encode(*made, heads, grids(heads))
    assert len(set(targets.slot.tolist())) == len(targets)
    assert ((targets.slot >= 0) & (targets.slot < len(slot_cells(heads, grids(heads))))).all()


@given(head_pairs(), labelled())
def test_a_ground_truth_alone_always_has_a_slot(heads, made) -> None:
    for box, class_id in zip(*made, strict=True):
        assert len(encode(box[None], np.array([class_id]), heads, grids(heads))) >= 1


@given(head_pairs(), labelled())
def test_the_order_of_ground_truths_changes_no_slot(heads, made) -> None:
    xyxy, class_id = made
    one = encode(xyxy, class_id, heads, grids(heads))
    other = encode(xyxy[::-1], class_id[::-1], heads, grids(heads))
    assert one.slot.tolist() == other.slot.tolist()


@given(st.floats(-8, 8), st.floats(-8, 8), st.floats(-3, 3), st.floats(-3, 3))
def test_raw_values_come_back(tx, ty, tw, th) -> None:
    head = Head("yolo", ((20.0, 30.0),), 16, CLASSES, 2.0)
    raw, cell, anchor = np.array([tx, ty, tw, th]), np.array([3.0, 5.0]), np.array([20.0, 30.0])
    back = raw_from_boxes(boxes_from_raw(raw, cell, anchor, head), cell, anchor, head)
    np.testing.assert_allclose(back, raw, atol=1e-6)
