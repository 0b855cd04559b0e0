"""Scores of labels and detections, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.suspects.scoring import agreement, invented, score_image


def labels(*rows: tuple[int, tuple[float, ...]], crowd: bool = False) -> GroundTruth:
    xyxy = np.array([box for _, box in rows], float).reshape(-1, 4)
    return GroundTruth(xyxy, np.array([k for k, _ in rows], int), np.full(len(rows), crowd))


def found(*rows: tuple[int, float, tuple[float, ...]]) -> Detections:
    xyxy = np.array([box for *_, box in rows], np.float32).reshape(-1, 4)
    return Detections(
        xyxy, np.array([p for _, p, _ in rows], np.float32), np.array([k for k, *_ in rows], int)
    )


SQUARE = (0, 0, 10, 10)


def test_a_label_that_the_model_confirms() -> None:
    scores = score_image(labels((0, SQUARE)), found((0, 0.9, SQUARE)), np.array([0.8]))
    assert scores.swapped == scores.misplaced == [0]
    assert scores.support == [pytest.approx(0.8)]
    assert scores.overlooked == [0]


def test_swapped() -> None:
    """0.8 speaks for class 1; 0.25 for class 0, with full overlap: 0.8 (1 - 0.25) = 0.6."""
    both = found((1, 0.9, SQUARE), (0, 0.3, SQUARE))
    scores = score_image(labels((0, SQUARE)), both, np.array([0.8, 0.25]))
    assert scores.swapped == [pytest.approx(0.6)]
    assert scores.swapped_by == [0]
    assert scores.overlooked.tolist() == [0, 0]  # the label covers both


def test_a_detection_that_another_label_explains_says_nothing() -> None:
    two = labels((0, SQUARE), (1, SQUARE))
    scores = score_image(two, found((1, 0.9, SQUARE)), np.array([0.8]))
    assert scores.swapped.tolist() == [0, 0]
    assert scores.support.tolist() == [0, pytest.approx(0.8)]


def test_misplaced() -> None:
    """Shifted by half: IoU 50/150 = 1/3. It touches fully (1/3 > 0.3), and is apart by (2/3 / 0.7)² = 0.9070.

    The detection agrees by (1/3 - 0.3) / 0.3 = 1/9 of 0.9, so the doubt is 0.9: 0.9 * 0.9070 * 0.9 = 0.7347.
    Support: 0.9 (1/3 - 0.2) / 0.4 = 0.3. Overlooked: covered by (1/3 - 0.1) / 0.3 = 7/9, so 0.9 * 2/9 = 0.2.
    """
    scores = score_image(labels((0, SQUARE)), found((0, 0.8, (5, 0, 15, 10))), np.array([0.9]))
    assert scores.misplaced == [pytest.approx(0.7347, abs=1e-4)]
    assert scores.misplaced_by == [0]
    assert scores.support == [pytest.approx(0.3)]
    assert scores.overlooked == [pytest.approx(0.2)]


def test_overlooked_and_nothing_else() -> None:
    scores = score_image(labels(), found((0, 0.8, SQUARE)), np.array([0.9]))
    assert scores.overlooked == [pytest.approx(0.9)]
    assert scores.swapped.shape == scores.support.shape == (0,)


def test_a_crowd_covers_what_is_inside_it() -> None:
    """The upper half of the detection is in the crowd's box: 0.9 (1 - 0.5)."""
    crowd = labels((1, (0, -90, 100, 5)), crowd=True)
    scores = score_image(crowd, found((0, 0.8, SQUARE)), np.array([0.9]))
    assert scores.overlooked == [pytest.approx(0.45)]


def test_no_detections() -> None:
    scores = score_image(labels((0, SQUARE)), found(), np.zeros(0))
    assert scores.swapped == scores.misplaced == scores.support == [0]
    assert scores.swapped_by == scores.misplaced_by == [-1]


def test_invented() -> None:
    """Of four labels 1 has support up to 0, 2 up to 0.5, 4 up to 1.

    (1 - 0) 0.02 / (0.02 + 0.98 / 4) = 0.07547; (1 - 0.5) 0.02 / (0.02 + 0.98 / 2) = 0.01961; and 0 twice.
    """
    assert invented(np.array([1, 0, 1, 0.5])) == pytest.approx([0, 0.07547, 0, 0.01961], abs=1e-5)
    assert invented(np.zeros(0)).shape == (0,)


def test_agreement_of_one_detection() -> None:
    """All classes: (1 + 1 * 0.5) / (1 + 1) = 0.75; its class: (1 + 8 * 0.75) / (1 + 8) = 7/9."""
    right = (labels((0, SQUARE)), found((0, 0.9, SQUARE)))
    wrong = (labels((1, SQUARE)), found((0, 0.9, SQUARE)))
    assert agreement([right])[0] == [pytest.approx(7 / 9)]
    assert agreement([wrong])[0] == [pytest.approx((0 + 8 * 0.25) / 9)]  # (0 + 0.5) / 2 = 0.25 of all


def test_only_the_most_confident_detection_of_a_label_agrees() -> None:
    """Two detections on each label, with confidences 0.9 and 0.5: the second is never right."""
    pair = (labels((0, SQUARE)), found((0, 0.9, SQUARE), (0, 0.5, SQUARE)))
    first, second = np.mean(agreement([pair] * 100), axis=0)
    assert first > 0.9
    assert second < 0.1


def test_agreement_rises_with_confidence() -> None:
    rng = np.random.default_rng(0)
    images = []
    for p in rng.uniform(0.02, 0.98, 500):
        label = labels((0, SQUARE)) if rng.uniform() < 1 - p else labels()  # a model that is wrong when sure
        images.append((label, found((0, p, SQUARE))))
    confidence = np.array([it.confidence[0] for _, it in images])
    agrees = np.concatenate(agreement(images))
    assert (np.diff(agrees[np.argsort(confidence)]) >= -1e-12).all()
    assert agreement([]) == []
