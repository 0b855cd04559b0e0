"""Laws of suppression: the fast one equals the slow one, and what it leaves it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles import slow_soften, slow_suppress
from tests.random_boxes import jittered_boxes
from tests.strategies import detections, flags
from yolo_cli import neighbours, suppression
from yolo_cli.suppression import Limit, nms, suppress

HARD = st.sampled_from(["iou", "greedynms", "diounms"])
THRESHOLDS = st.sampled_from([0.0, 0.1, 0.25, 0.45, 0.5, 0.7, 1.0])
# A small image, so that most boxes overlap.
CROWDS = detections(max_count=20, width=8, height=8)


@given(CROWDS, HARD, THRESHOLDS, st.booleans(), st.sampled_from([0.0, 1.5, 100.0]))
def test_fast_equals_slow(found, kind, threshold, agnostic, crowded):
    with pytest.MonkeyPatch.context() as patch:
        # Three ways through: always by halves, sometimes, and never.
        patch.setattr(suppression, "CROWDED", crowded)
        patch.setattr(suppression, "HANDFUL", 2)
        patch.setattr(suppression, "PAIRS_AT_ONCE", 5)
        patch.setattr(neighbours, "PAIRS_AT_ONCE", 5)
        fast, confidence = suppress(
            found.xyxy,
            found.confidence,
            found.class_id,
            threshold=threshold,
            kind=kind,
            agnostic=agnostic,
        )
    slow = slow_suppress(found.xyxy, found.confidence, found.class_id, threshold, kind, agnostic=agnostic)
    assert fast.tolist() == slow
    assert np.array_equal(confidence, found.confidence[fast])


@given(
    CROWDS,
    st.sampled_from(["iou", "greedynms", "diounms", "soft"]),
    st.sampled_from([0.0, 0.25, 0.45, 0.7]),
    st.booleans(),
    st.sampled_from([0.0, 0.001, 0.3]),
    st.data(),
)
def test_a_limit_only_cuts(found, kind, threshold, agnostic, conf, data):
    count = data.draw(st.integers(1, 8))
    counted = data.draw(st.one_of(st.just(np.ones(len(found), bool)), flags(len(found))))
    arguments = (found.xyxy, found.confidence, found.class_id)
    options = {"threshold": threshold, "kind": kind, "agnostic": agnostic, "conf": conf}
    whole, left = suppress(*arguments, **options)
    with pytest.MonkeyPatch.context() as patch:
        # So few that twenty boxes take several turns, and that the sorted ones do not always suffice.
        patch.setattr(suppression, "HANDFUL", 2)
        patch.setattr(suppression, "SORTED", data.draw(st.sampled_from([1, 2, 16])))
        first, confidence = suppress(*arguments, **options, limit=Limit(count, counted))
    enough = np.flatnonzero(counted[whole])[:count]
    length = enough[-1] + 1 if len(enough) == count else len(whole)
    assert first.tolist() == whole[:length].tolist()
    assert np.array_equal(confidence, left[:length])


@given(CROWDS, st.integers(1, 8))
def test_the_first_few_of_plain_nms(found, count):
    assert nms(found.xyxy, found.confidence, limit=count).tolist() == (
        nms(found.xyxy, found.confidence)[:count].tolist()
    )


@given(CROWDS, st.booleans())
def test_soft_equals_slow(found, agnostic):
    # float64, so that the two programs round alike and ties stay ties.
    confidence = found.confidence.astype(np.float64)
    positions, left = suppress(
        found.xyxy.astype(np.float64), confidence, found.class_id, kind="soft", agnostic=agnostic
    )
    slow = dict(slow_soften(found.xyxy, confidence, found.class_id, agnostic))
    assert set(positions.tolist()) == set(slow)
    assert left == pytest.approx([slow[i] for i in positions.tolist()], rel=1e-9)


@given(CROWDS, HARD, THRESHOLDS)
def test_what_is_left_stays_when_suppressed_again(found, kind, threshold):
    positions, _ = suppress(found.xyxy, found.confidence, found.class_id, threshold=threshold, kind=kind)
    left = found[positions]
    again, _ = suppress(left.xyxy, left.confidence, left.class_id, threshold=threshold, kind=kind)
    assert again.tolist() == list(range(len(left)))


@given(CROWDS, st.sampled_from(["iou", "greedynms", "diounms", "soft"]))
def test_most_confident_first_and_ties_by_position(found, kind):
    positions, left = suppress(found.xyxy, found.confidence, found.class_id, kind=kind)
    ranks = list(zip((-left).tolist(), positions.tolist(), strict=True))
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("kind", ["iou", "greedynms"])
@pytest.mark.parametrize(("classes", "largest"), [(80, 100), (80, 400), (1, 400)])
def test_thousands_of_boxes_equal_slow(kind, classes, largest):
    rng = np.random.default_rng(7)
    count = 2000 if classes > 1 else 500
    centre, half = rng.uniform(0, 416, (count, 2)), rng.uniform(2, largest / 2, (count, 2))
    xyxy = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
    confidence, class_id = rng.uniform(0, 1, count).astype(np.float32), rng.integers(0, classes, count)
    assert suppress(xyxy, confidence, class_id, kind=kind)[0].tolist() == slow_suppress(
        xyxy, confidence, class_id, kind=kind
    )


@pytest.mark.parametrize("kind", ["iou", "greedynms", "diounms", "soft"])
@pytest.mark.parametrize("agnostic", [False, True])
@pytest.mark.parametrize("outside", [0.0, 0.5])
def test_the_first_300_of_thousands(kind, agnostic, outside):
    rng = np.random.default_rng(3)
    xyxy, confidence, class_id = jittered_boxes(rng, objects=40, each=100, classes=3)
    confidence = np.round(confidence, 2)  # dozens are equal
    whole, left = suppress(xyxy, confidence, class_id, kind=kind, agnostic=agnostic)
    counted = rng.uniform(size=len(xyxy)) >= outside
    limit = Limit(300, counted)
    first, confidences = suppress(xyxy, confidence, class_id, kind=kind, agnostic=agnostic, limit=limit)
    length = len(first)
    assert counted[first].sum() == min(300, counted[whole].sum())
    assert first.tolist() == whole[:length].tolist()
    assert np.array_equal(confidences, left[:length])
