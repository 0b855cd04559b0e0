"""Who is held against whom, worked by hand. All boxes are on one line: (left, 0, right, 10)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation_sets import image_set
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import COCO, VOC10, EvaluationSet, Evaluator, Protocol, matching, pairs
from yolo_cli.evaluation.matching import match, ranked
from yolo_cli.evaluation.pairs import overlapping_pairs


def bar(left: float, right: float) -> tuple[float, float, float, float]:
    return (left, 0.0, right, 10.0)


def _one_image(found: list, ground_truth: list, crowd: list | None = None, difficult: list | None = None):
    """Detections (left, right, confidence) and ground-truth boxes (left, right), all of class 0."""
    evaluator = Evaluator(("cat",))
    evaluator.add(
        "a.jpg",
        Detections(
            np.array([bar(a, b) for a, b, _ in found], float).reshape(-1, 4),
            np.array([c for *_, c in found], float),
            np.zeros(len(found), int),
        ),
        GroundTruth(
            np.array([bar(a, b) for a, b in ground_truth], float).reshape(-1, 4),
            np.zeros(len(ground_truth), int),
            None if crowd is None else np.array(crowd),
            None if difficult is None else np.array(difficult),
        ),
    )
    return evaluator.gathered()


def _verdicts(gathered: EvaluationSet, rules: Protocol = COCO, iou: float = 0.5) -> str:
    """One letter a detection in order of confidence: h(it), i(gnored), f(alse)."""
    made = match(gathered, replace(rules, iou=iou)).assignment(iou)
    return "".join(
        "h" if hit else "i" if gone else "f" for hit, gone in zip(made.hit, made.ignored, strict=True)
    )


def test_the_more_confident_of_two_takes_the_ground_truth() -> None:
    # The second overlaps it more: 10/10 against 8/12. Confidence decides all the same.
    gathered = _one_image([(2, 12, 0.9), (0, 10, 0.8)], [(0, 10)])
    assert _verdicts(gathered) == "hf"


def test_coco_gives_the_second_another_ground_truth_and_voc_does_not() -> None:
    # Ground-truth boxes 0..10 and 3..13. Both detections are on 1..11, closest to the first: 9/11 against
    # 8/12.
    gathered = _one_image([(1, 11, 0.9), (1, 11, 0.8)], [(0, 10), (3, 13)])
    assert _verdicts(gathered, COCO) == "hh"
    assert _verdicts(gathered, VOC10) == "hf"


def test_an_overlap_of_just_the_threshold_counts() -> None:
    gathered = _one_image([(0, 5, 0.9)], [(0, 10)])  # 5/10
    assert _verdicts(gathered) == "h"
    assert _verdicts(gathered, VOC10) == "h"
    assert _verdicts(_one_image([(0, 4.75, 0.9)], [(0, 10)])) == "f"


def test_a_threshold_of_one_is_met_by_an_exact_hit() -> None:
    third = 10 / 3
    gathered = _one_image([(0, third, 0.9), (0, third + 0.01, 0.8)], [(0, third)])
    assert _verdicts(gathered, iou=1.0) == "hf"
    # What rounding may leave of an exact hit, 1e-10 of the whole, is forgiven.
    assert _verdicts(_one_image([(0, third - 1e-11, 0.9)], [(0, third)]), iou=1.0) == "h"


def test_a_crowd_takes_any_number_and_none_of_them_counts() -> None:
    # Of 0..5, all is in the crowd 0..40: 1. Intersection over union would be 5/40.
    gathered = _one_image([(0, 5, 0.9), (8, 13, 0.8), (38, 48, 0.7)], [(0, 40)], crowd=[True])
    assert _verdicts(gathered) == "iif"  # of the last, 2 of 10 are in it


def test_a_ground_truth_that_counts_goes_before_a_crowd_that_fits_better() -> None:
    # The first overlaps the ground truth by 6/10, is wholly in the crowd, and is a hit; the second is
    # ignored.
    gathered = _one_image([(0, 6, 0.9), (0, 6, 0.8)], [(0, 40), (0, 10)], crowd=[True, False])
    assert _verdicts(gathered) == "hi"


@pytest.mark.parametrize("rules", [COCO, VOC10])
def test_a_box_in_a_crowd_is_a_hit_if_it_finds_a_ground_truth(rules: Protocol) -> None:
    gathered = _one_image([(0, 10, 0.9), (20, 30, 0.8)], [(0, 40), (0, 10)], crowd=[True, False])
    assert _verdicts(gathered, rules) == "hi"


def test_one_difficult_ground_truth_excuses_one_detection_in_coco_and_any_in_voc() -> None:
    gathered = _one_image([(0, 10, 0.9), (0, 10, 0.8)], [(0, 10)], difficult=[True])
    assert _verdicts(gathered, COCO) == "if"
    assert _verdicts(gathered, VOC10) == "ii"


def test_voc_ignores_a_detection_closest_to_a_difficult_ground_truth_though_another_would_match() -> None:
    # 1..11: 9/11 with the difficult one, 8/12 with the other.
    gathered = _one_image([(1, 11, 0.9)], [(0, 10), (3, 13)], difficult=[True, False])
    assert _verdicts(gathered, VOC10) == "i"
    assert _verdicts(gathered, COCO) == "h"


def test_of_equal_ground_truths_coco_takes_the_last() -> None:
    gathered = _one_image([(0, 10, 0.9)], [(0, 10), (0, 10)])
    for rules, expected in ((COCO, 1), (VOC10, 0)):
        assert match(gathered, replace(rules, iou=0.5)).assignment(0.5).ground_truth.tolist() == [expected]


def test_classes_and_images_do_not_mix() -> None:
    box = bar(0, 10)
    gathered = image_set(([(box, 0.9, 1)], [(box, 0)]), ([(box, 0.8, 0)], []))
    assert _verdicts(gathered) == "ff"


def test_a_chain_of_candidates_is_matched_in_order_of_confidence() -> None:
    # Ground-truth boxes 0..10, 4..14, 8..18. Three detections on 4..14 like the middle one best, then the
    # outer two (6/14 each), of equals the last: so at 0.4 they take the middle, the right and the left one.
    gathered = _one_image([(4, 14, 0.9), (4, 14, 0.8), (4, 14, 0.7)], [(0, 10), (4, 14), (8, 18)])
    made = match(gathered, replace(COCO, iou=0.4)).assignment(0.4)
    assert made.ground_truth.tolist() == [1, 2, 0]


def test_sizes_are_those_of_the_ground_truth_and_of_a_detection_that_matched_none() -> None:
    # The ground truth is 100 × 10 = 1000 px², small; the hit on it 120 × 10 = 1200 px², medium: a hit among
    # the small, and ignored among the medium ones, where its ground truth is ignored. Alone it is false only
    # there.
    gathered = _one_image([(0, 120, 0.9), (200, 320, 0.8)], [(0, 100)])
    matches = match(gathered, COCO)
    at = matches.thresholds.index(0.5)
    assert matches.hit[:, at].tolist() == [[True, False], [True, False], [False, False], [False, False]]
    assert matches.ignored[:, at].tolist() == [[False, False], [False, True], [True, False], [True, True]]
    assert matches.ground_truths[:, 0].tolist() == [1, 1, 0, 0]


def test_at_most_so_many_of_a_class_on_an_image() -> None:
    gathered = _one_image([(20 * n, 20 * n + 10, 0.5) for n in range(101)], [(2000, 2010)])
    assert len(ranked(gathered, 100)) == 100
    assert _verdicts(gathered, COCO) == "f" * 100  # the 101st would have been right
    assert _verdicts(gathered, VOC10) == "f" * 100 + "h"


def test_nothing_found_and_nothing_there() -> None:
    assert _verdicts(_one_image([], [])) == ""
    assert _verdicts(_one_image([], [(0, 10)])) == ""
    assert _verdicts(_one_image([(0, 10, 0.5)], [])) == "f"


def test_inputs_stay_as_they_were() -> None:
    gathered = _one_image([(0, 10, 0.5), (1, 11, 0.6)], [(0, 10)])
    before = gathered.found.xyxy.copy(), gathered.ground_truth.xyxy.copy()
    match(gathered, COCO)
    assert np.array_equal(gathered.found.xyxy, before[0])
    assert np.array_equal(gathered.ground_truth.xyxy, before[1])


def test_pairs_do_not_depend_on_how_many_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered = _one_image([(n, n + 10, 0.5) for n in range(30)], [(n, n + 10) for n in range(0, 30, 3)])
    order = np.arange(30)
    whole = overlapping_pairs(gathered, order, 0.5)
    monkeypatch.setattr(pairs, "_BLOCK", 7)
    parts = overlapping_pairs(gathered, order, 0.5)
    assert len(whole) == len(parts) > 30
    for name in ("found", "ground_truth", "overlap"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


def test_the_oracle_of_matching_is_where_the_module_says_it_is() -> None:
    assert "tests.oracles_evaluation" in (matching.__doc__ or "")


def test_a_part_of_a_ranking_keeps_where_classes_begin() -> None:
    # Three of class 0 and two of class 1. Without the second and the fourth, class 1 begins at 2.
    found = [(bar(0, 9), 0.9 - index / 10, kind) for index, kind in enumerate((0, 0, 0, 1, 1))]
    part = ranked(image_set((found, [])), 100)[np.array([True, False, True, False, True])]
    assert part.start[:3].tolist() == [0, 2, 3]
    assert part.confidence.tolist() == pytest.approx([0.9, 0.7, 0.5])
