"""Which class was taken for which."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation_sets import Mixture, image_set, mixtures, perfect, random_set
from tests.oracles_evaluation import slow_verdicts
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import COCO, VOC10, Evaluator, confusion_matrix, match


def bar(left: float, right: float) -> tuple[float, float, float, float]:
    return (left, 0.0, right, 10.0)


def test_each_cell_by_hand() -> None:
    gathered = image_set(
        (
            [
                (bar(0, 10), 0.9, 0),  # right
                (bar(20, 30), 0.8, 1),  # ground truth of class 0 found as class 1
                (bar(500, 510), 0.7, 2),  # nothing there
                (bar(40, 50), 0.2, 0),  # below the confidence
            ],
            [(bar(0, 10), 0), (bar(20, 30), 0), (bar(40, 50), 0)],
        )
    )
    confusion = confusion_matrix(match(gathered), 0.25)
    assert confusion.names == ("class 0", "class 1", "class 2", "background")
    assert confusion.counts.tolist() == [[1, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]


def test_the_right_class_goes_before_a_closer_wrong_one() -> None:
    # 0..10 of class 1 is exactly on the ground truth of class 0, and by 8/12 on its own: that is what it
    # found.
    gathered = image_set(([(bar(0, 10), 0.9, 1)], [(bar(0, 10), 0), (bar(2, 12), 1)]))
    assert confusion_matrix(match(gathered), 0.25).counts[:2].tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]


def test_a_ground_truth_is_taken_for_another_class_once_by_the_most_confident() -> None:
    found = [(bar(0, 10), 0.8, 1), (bar(0, 10), 0.9, 2)]
    counts = confusion_matrix(match(image_set((found, [(bar(0, 10), 0)]))), 0.25).counts
    assert counts.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]


def test_of_two_ground_truths_of_other_classes_the_closer_is_taken() -> None:
    gathered = image_set(([(bar(0, 10), 0.9, 1)], [(bar(3, 13), 0), (bar(1, 11), 2)]))
    assert confusion_matrix(match(gathered), 0.25).counts[[0, 2], 1].tolist() == [0, 1]


def test_the_diagonal_holds_no_more_than_the_hits_of_the_protocol() -> None:
    # VOC holds both against the first ground truth: one hit, one false, and the second ground truth is
    # missed.
    gathered = image_set(([(bar(1, 11), 0.9, 0), (bar(1, 11), 0.8, 0)], [(bar(0, 10), 0), (bar(3, 13), 0)]))
    assert confusion_matrix(match(gathered, COCO), 0.25).counts[[0, -1], 0].tolist() == [2, 0]
    assert confusion_matrix(match(gathered, VOC10), 0.25).counts[[0, -1], 0].tolist() == [1, 1]
    assert confusion_matrix(match(gathered, VOC10), 0.25).counts[0, -1] == 1


def test_the_overlap_asked_for_decides() -> None:
    gathered = image_set(([(bar(0, 6), 0.9, 1)], [(bar(0, 10), 0)]))
    assert confusion_matrix(match(gathered, replace(COCO, iou=0.6)), 0.25, 0.6).counts[0, 1] == 1
    assert confusion_matrix(match(gathered, replace(COCO, iou=0.65)), 0.25, 0.65).counts[0, 1] == 0


@given(mixtures(), st.sampled_from([0.0, 0.3, 0.8]), st.sampled_from([0.3, 0.5]))
def test_rows_are_ground_truths_columns_detections_and_the_diagonal_hits(mixture, confidence, iou) -> None:
    gathered = random_set(mixture)
    confusion = confusion_matrix(match(gathered, replace(COCO, iou=iou)), confidence, iou)
    for k in range(mixture.classes):
        verdicts, ground_truths = slow_verdicts(gathered.above(confidence), k, COCO, iou, COCO.areas[0])
        kinds = [verdict.kind for verdict in verdicts]
        assert confusion.counts[k].sum() == ground_truths
        assert confusion.counts[:, k].sum() == len(kinds) - kinds.count("ignored")
        assert confusion.counts[k, k] == kinds.count("hit")
    assert confusion.counts[-1, -1] == 0


def test_a_perfect_detector_confuses_nothing() -> None:
    counts = confusion_matrix(match(perfect(random_set(Mixture()))), 0.25).counts
    assert np.array_equal(counts, np.diag(np.diag(counts)))
    assert counts.sum() > 0


def test_plain_data() -> None:
    plain = confusion_matrix(match(image_set(([], []), classes=1)), 0.25).to_json()
    assert json.loads(json.dumps(plain)) == {
        "names": ["class 0", "background"], "counts": [[0, 0], [0, 0]], "confidence": 0.25, "iou": 0.5
    }  # fmt: skip


def test_of_thousands_of_classes_the_most_frequent_have_rows() -> None:
    """Of 2,003 classes, 2 and 2,002 occur twice, as ground truth and detection; three share the last row."""
    names = [f"c{i}" for i in range(2_003)]
    evaluator = Evaluator(names)
    box = np.float32([[0, 0, 9, 9]])
    for gt, found in ((2_002, 2_002), (2, 2), (1, 2_001)):
        detections = Detections(box, np.float32([0.9]), np.array([found]))
        evaluator.add(f"{gt}.png", detections, GroundTruth(box, np.array([gt])))
    confusion = confusion_matrix(match(evaluator.gathered(), COCO), 0.5)
    assert (len(confusion.names), confusion.counts.shape) == (2_002, (2_002, 2_002))
    row = {name: place for place, name in enumerate(confusion.names)}
    assert confusion.names[-2:] == ("3 other classes", "background")
    assert {"c1", "c2", "c2001", "c2002"} <= row.keys()
    hits = [confusion.counts[row[name], row[name]] for name in ("c2", "c2002")]
    assert (hits, confusion.counts[row["c1"], row["c2001"]], confusion.counts.sum()) == ([1, 1], 1, 3)
