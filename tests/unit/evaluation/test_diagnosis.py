"""Kinds of mistakes, worked by hand. Boxes are on one line: (left, 0, right, 10)."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.evaluation_sets import image_set
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import KINDS, Diagnosis, Evaluator, diagnose, match


def bar(left: float, right: float) -> tuple[float, float, float, float]:
    return (left, 0.0, right, 10.0)


def _kinds(diagnosis: Diagnosis) -> list[str]:
    """The kind of each wrong detection, then of each missed ground truth."""
    return [KINDS[kind] for kind in diagnosis.kind] + ["missed"] * len(diagnosis.missed)


@pytest.mark.parametrize(
    ("box", "class_id", "kinds"),
    [
        (bar(0, 10), 0, []),
        (bar(5, 15), 0, ["localisation"]),  # 5/15
        (bar(0, 1), 0, ["localisation"]),  # 1/10, just enough
        (bar(0, 0.75), 0, ["background", "missed"]),
        (bar(0, 10), 1, ["classification"]),
        (bar(0, 5), 1, ["classification"]),  # 5/10, just enough
        (bar(0, 4.75), 1, ["both", "missed"]),
        (bar(0, 1), 1, ["both", "missed"]),
        (bar(0, 0.75), 1, ["background", "missed"]),
        (bar(50, 60), 0, ["background", "missed"]),
    ],
)
def test_one_detection_beside_one_ground_truth(box, class_id: int, kinds: list[str]) -> None:
    assert _kinds(diagnose(match(image_set(([(box, 0.9, class_id)], [(bar(0, 10), 0)]))))) == kinds


def test_the_second_on_one_ground_truth_is_a_duplicate() -> None:
    diagnosis = diagnose(
        match(image_set(([(bar(0, 10), 0.9, 0), (bar(0, 5), 0.8, 0)], [(bar(20, 30), 1), (bar(0, 10), 0)])))
    )
    assert _kinds(diagnosis) == ["duplicate", "missed"]
    assert (diagnosis.ground_truth.tolist(), diagnosis.missed.tolist()) == ([1], [0])


def test_a_bad_box_of_the_right_class_goes_before_a_good_one_of_the_wrong() -> None:
    # 0..10 is on the ground truth of class 1, and overlaps that of class 0 by 4/16.
    diagnosis = diagnose(match(image_set(([(bar(0, 10), 0.9, 0)], [(bar(6, 16), 0), (bar(0, 10), 1)]))))
    assert _kinds(diagnosis) == ["localisation", "missed"]
    assert diagnosis.ground_truth.tolist() == [0]


def test_a_wrong_class_on_a_ground_truth_that_was_found_is_still_one() -> None:
    diagnosis = diagnose(match(image_set(([(bar(0, 10), 0.9, 0), (bar(0, 10), 0.8, 1)], [(bar(0, 10), 0)]))))
    assert _kinds(diagnosis) == ["classification"]


def test_ignored_ground_truths_and_their_finders_are_no_mistakes() -> None:
    evaluator = Evaluator(("cat", "dog"))
    ground_truth = GroundTruth(np.array([bar(0, 10)]), np.array([0]), difficult=np.array([True]))
    evaluator.add(
        "found.jpg", Detections(np.array([bar(0, 10)]), np.array([0.9]), np.array([0])), ground_truth
    )
    evaluator.add("missed.jpg", Detections(), ground_truth)
    assert _kinds(diagnose(match(evaluator.gathered()))) == []


def test_a_wrong_class_on_an_ignored_ground_truth_is_background() -> None:
    evaluator = Evaluator(("cat", "dog"))
    ground_truth = GroundTruth(np.array([bar(0, 10)]), np.array([0]), difficult=np.array([True]))
    evaluator.add("a.jpg", Detections(np.array([bar(0, 10)]), np.array([0.9]), np.array([1])), ground_truth)
    assert _kinds(diagnose(match(evaluator.gathered()))) == ["background"]


def test_what_fixing_each_kind_adds() -> None:
    # One class, 2 ground-truth boxes. From the most confident: background at 0.9, a hit at 0.8, a shifted box
    # at 0.7. As it is: precision 1/2 up to recall 1/2: 51 levels of 1/2.
    found = [(bar(500, 510), 0.9, 0), (bar(0, 10), 0.8, 0), (bar(105, 115), 0.7, 0)]
    diagnosis = diagnose(match(image_set((found, [(bar(0, 10), 0), (bar(100, 110), 0)]), classes=1)))
    base = 51 / 101 / 2
    assert diagnosis.map50 == pytest.approx(base)
    assert diagnosis.cost == pytest.approx(
        {
            "classification": 0,
            "localisation": 2 / 3 - base,  # wrong, right, right: 2/3 everywhere
            "both": 0,
            "duplicate": 0,
            "background": 51 / 101 - base,  # right, wrong: 1 up to recall 1/2
            "missed": 0,
            "false_positive": 51 / 101 - base,
            "false_negative": 1 / 2 - base,  # one ground truth is asked for: wrong, right: 1/2 everywhere
        }
    )


def test_of_two_that_would_find_one_ground_truth_the_more_confident_stays() -> None:
    # Three shifted boxes at 0.9, 0.8, 0.7 on one ground truth of two, a hit on the other at 0.6. With the
    # boxes put right, two of the three go: right, right. A fourth that stayed would be wrong.
    shifted = [(bar(5, 15), confidence, 0) for confidence in (0.9, 0.8, 0.7)]
    found = [*shifted, (bar(100, 110), 0.6, 0)]
    diagnosis = diagnose(match(image_set((found, [(bar(0, 10), 0), (bar(100, 110), 0)]), classes=1)))
    assert _kinds(diagnosis) == ["localisation"] * 3
    assert diagnosis.map50 + diagnosis.cost["localisation"] == pytest.approx(1)


def test_a_corrected_box_below_the_hit_goes() -> None:
    # The shifted box is on the ground truth that was found; corrected, it must not count as finding the
    # other.
    found = [(bar(0, 10), 0.9, 0), (bar(5, 15), 0.8, 0)]
    diagnosis = diagnose(match(image_set((found, [(bar(0, 10), 0), (bar(100, 110), 0)]), classes=1)))
    assert _kinds(diagnosis) == ["localisation", "missed"]
    assert (diagnosis.map50, diagnosis.cost["localisation"]) == (pytest.approx(51 / 101), pytest.approx(0))


@pytest.mark.parametrize(("ground_truths", "closest"), [([(4, 14), (8, 18)], 0), ([(8, 18), (4, 14)], 1)])
def test_a_bad_box_belongs_to_the_ground_truth_it_overlaps_most(ground_truths: list, closest: int) -> None:
    # 0..10 overlaps 4..14 by 6/14 and 8..18 by 2/18.
    diagnosis = diagnose(
        match(
            image_set(([(bar(0, 10), 0.9, 0)], [(bar(*ground_truth), 0) for ground_truth in ground_truths]))
        )
    )
    assert _kinds(diagnosis) == ["localisation", "missed"]
    assert (diagnosis.ground_truth.tolist(), diagnosis.missed.tolist()) == ([closest], [1 - closest])


def test_a_corrected_box_above_the_hit_takes_its_place() -> None:
    # The shifted box at 0.9 is on the ground truth that the hit at 0.8 found: corrected, it stays, the hit
    # goes.
    found = [(bar(5, 15), 0.9, 0), (bar(0, 10), 0.8, 0)]
    diagnosis = diagnose(match(image_set((found, [(bar(0, 10), 0)]), classes=1)))
    assert diagnosis.map50 == pytest.approx(0.5)
    assert diagnosis.map50 + diagnosis.cost["localisation"] == pytest.approx(1)


def test_a_class_that_was_missed_altogether_costs_all_of_its_share() -> None:
    diagnosis = diagnose(match(image_set(([(bar(0, 10), 0.9, 0)], [(bar(0, 10), 0), (bar(50, 60), 1)]))))
    assert (diagnosis.map50, diagnosis.cost["missed"]) == (pytest.approx(0.5), pytest.approx(0.5))


def test_without_ground_truth_nothing_has_a_price() -> None:
    diagnosis = diagnose(match(image_set(([(bar(0, 10), 0.9, 0)], []))))
    assert _kinds(diagnosis) == ["background"]
    assert diagnosis.map50 is None
    assert set(diagnosis.cost.values()) == {0}


def test_json_has_a_count_and_a_cost_for_each_kind() -> None:
    plain = json.loads(
        json.dumps(diagnose(match(image_set(([(bar(0, 10), 0.9, 1)], [(bar(0, 10), 0)])))).to_json())
    )
    assert list(plain["kinds"]) == list(KINDS)
    assert plain["kinds"]["classification"] == {"count": 1, "cost": 1}
    assert set(plain["cost"]) == {"false_positive", "false_negative"}
