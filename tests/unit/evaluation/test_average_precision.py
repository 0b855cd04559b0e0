"""Average precision worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation_sets import image_set
from yolo_cli.evaluation import COCO
from yolo_cli.evaluation.average_precision import average_precision, averages, class_mean, coco_figures
from yolo_cli.evaluation.matching import match

BOX = (0.0, 0.0, 10.0, 10.0)
FAR = (50.0, 50.0, 60.0, 60.0)


@pytest.mark.parametrize(
    ("interpolation", "expected"),
    [
        # Right, wrong, right of 3 ground-truth boxes: recall 1/3 at precision 1, recall 2/3 at precision 2/3.
        ("area under curve", 1 / 3 * 1 + 1 / 3 * 2 / 3),
        # Levels 0 to 0.3 see 1 (4 of them), 0.4 to 0.6 see 2/3 (3), the rest 0.
        ("11 points", (4 * 1 + 3 * 2 / 3) / 11),
        # Levels 0 to 0.33 see 1 (34), 0.34 to 0.66 see 2/3 (33), the rest 0.
        ("101 points", (34 * 1 + 33 * 2 / 3) / 101),
    ],
)
def test_three_ways_to_one_figure(interpolation, expected: float) -> None:
    assert average_precision(np.array([1, 3]), 3, interpolation) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("interpolation", ["area under curve", "11 points", "101 points"])
def test_precision_is_the_best_at_or_beyond_a_recall(interpolation) -> None:
    # Wrong, right, right, right of 3: precisions 1/2, 2/3, 3/4 become 3/4 everywhere.
    assert average_precision(np.array([2, 3, 4]), 3, interpolation) == pytest.approx(0.75)


@pytest.mark.parametrize("interpolation", ["area under curve", "11 points", "101 points"])
def test_without_hits_it_is_zero(interpolation) -> None:
    assert average_precision(np.zeros(0, int), 2, interpolation) == 0


def test_a_recall_of_just_a_tenth_reaches_its_level() -> None:
    # 3 of 10 found, all right: levels 0, 0.1, 0.2 and 0.3, though in floats 3 × 0.1 is above 3/10.
    assert average_precision(np.array([1, 2, 3]), 10, "11 points") == pytest.approx(4 / 11)


def test_a_class_without_ground_truth_is_left_out_of_the_mean() -> None:
    # Class 0 is right, class 1 has a detection but no ground truth, class 2 has a ground truth and no
    # detection.
    gathered = image_set(([(BOX, 0.9, 0), (FAR, 0.8, 1)], [(BOX, 0), (FAR, 2)]))
    figures = averages(match(gathered, COCO))
    assert figures.precision[0, 0].tolist() == pytest.approx([1, np.nan, 0], nan_ok=True)
    assert coco_figures(figures)["AP"] == pytest.approx(0.5)


def test_without_any_ground_truth_there_is_no_figure() -> None:
    assert class_mean(np.array([np.nan])) is None
    figures = averages(match(image_set(([(BOX, 0.9, 0)], [])), COCO))
    assert set(coco_figures(figures).values()) == {None}


def test_recall_from_the_best_one_of_a_class_on_an_image() -> None:
    # Both boxes are found on the one image, so the best one finds half.
    gathered = image_set(([(BOX, 0.9, 0), (FAR, 0.8, 0)], [(BOX, 0), (FAR, 0)]))
    figures = coco_figures(averages(match(gathered, COCO)))
    assert (figures["AR1"], figures["AR10"], figures["AR100"]) == (0.5, 1.0, 1.0)


def test_sizes_have_their_own_figures() -> None:
    # 10 × 10 is small; nothing is medium or large.
    gathered = image_set(([(BOX, 0.9, 0)], [(BOX, 0)]))
    figures = coco_figures(averages(match(gathered, COCO)))
    assert (figures["APsmall"], figures["APmedium"], figures["APlarge"]) == (pytest.approx(1), None, None)
    assert (figures["ARsmall"], figures["ARmedium"], figures["ARlarge"]) == (1, None, None)


def test_the_twelve_figures_are_in_the_order_of_pycocotools() -> None:
    figures = coco_figures(averages(match(image_set(([], [])), COCO)))
    assert list(figures) == [
        *("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge"),
        *("AR1", "AR10", "AR100", "ARsmall", "ARmedium", "ARlarge"),
    ]  # fmt: skip
