"""Whatever numbers come in: evaluated without a warning, or refused in one line."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.evaluation import (
    PROTOCOLS,
    Evaluator,
    confusion_matrix,
    diagnose,
    evaluate,
    match,
    reliability,
    scored,
)

_COUNT = st.shared(st.integers(0, 6), key="count")
_ODD = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1e-300, 5e-324, 1e9, 1e300, np.nan, np.inf, -np.inf]), st.floats(0, 100)
)


def _boxes() -> st.SearchStrategy:
    return _COUNT.flatmap(lambda count: arrays(np.float64, (count, 4), elements=_ODD))


def _numbers(elements: st.SearchStrategy, kind: type) -> st.SearchStrategy:
    return _COUNT.flatmap(lambda count: arrays(kind, count, elements=elements))


@given(
    _boxes(),
    st.booleans(),
    _numbers(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, np.nan, -1.0, 2.0])), np.float64),
    _numbers(st.integers(-1, 2), np.int64),
    _numbers(st.booleans(), np.bool_),
    st.sampled_from(sorted(PROTOCOLS)),
)
def test_odd_numbers_are_evaluated_or_refused(boxes, fix, confidence, class_id, crowd, name) -> None:
    if fix:
        boxes = np.sort(np.nan_to_num(boxes, posinf=9).clip(-1e9, 1e9).reshape(-1, 2, 2), axis=1).reshape(
            -1, 4
        )
        confidence, class_id = np.nan_to_num(confidence).clip(0, 1), np.abs(class_id)
    evaluator = Evaluator(("a", "b", "c"))
    ground_truth = GroundTruth(boxes, class_id, crowd, area=np.ones(len(boxes)))
    try:
        evaluator.add("a.jpg", Detections(boxes, confidence, class_id), ground_truth)
    except DataError as fault:
        lines = str(fault).splitlines()
        assert (fix, len(lines)) == (False, 1)
        return
    gathered, rules = evaluator.gathered(), PROTOCOLS[name]
    assert json.dumps(evaluate(gathered, rules).to_json(), allow_nan=False)
    assert json.dumps(diagnose(match(gathered, rules)).to_json(), allow_nan=False)
    assert json.dumps(reliability(scored(match(gathered, rules))).to_json(), allow_nan=False)
    assert confusion_matrix(match(gathered, rules), 0.5).counts.min() >= 0
