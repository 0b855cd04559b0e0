"""Key points of animals: trained as documented, evaluated by pycocotools, beside the mean pose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.golden.mean_pose import MeanPose
from tests.pycocotools_reference import reference
from tests.shared import SHARED
from yolo_cli import load_detector, train
from yolo_cli.datasets import open_dataset
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import EvaluationSet, Evaluator, evaluate

DATA = SHARED / "data" / "animal-keypoints"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/animal-keypoints is not there")


def evaluation_sets(weights: str) -> tuple[EvaluationSet, EvaluationSet]:
    """The detections of a model on the validation images, and the same boxes with the mean pose."""
    data = open_dataset(DATA)
    learnt = [sample.ground_truth for sample in data.in_split("train").samples]
    assert data.key_points is not None
    pose = MeanPose.of(learnt, len(data.class_names), len(data.key_points))
    detector = load_detector(weights, conf=0.001, multi_label=True)
    ours, theirs = (Evaluator(data.class_names, data.key_points.sigmas) for _ in "ab")
    for rank, sample in enumerate(data.in_split("val").samples):
        found: Detections = detector(sample.path).detections
        ours.add(sample.name, found, sample.ground_truth, rank)
        theirs.add(sample.name, pose.answer(found), sample.ground_truth, rank)
    return ours.gathered(), theirs.gathered()


def test_the_mean_pose_by_hand() -> None:
    # The point is a quarter and then three quarters of the way across, on average in the middle.
    box, points = np.array([[0.0, 0, 8, 4]]), ([[[2.0, 1, 2]]], [[[6.0, 3, 2]]])
    gts = [GroundTruth(box, np.array([0]), keypoints=np.array(own)) for own in points]
    pose = MeanPose.of([*gts, replace(gts[0], keypoints=np.zeros((1, 1, 3)))], 1, 1)
    found = pose.answer(Detections(np.array([[10.0, 10, 14, 12]]), np.array([0.5]), np.array([0])))
    assert found.keypoints is not None
    assert found.keypoints.tolist() == [[[12.0, 11.0, 1.0]]]


@needs_data
@pytest.mark.slow
def test_better_than_the_mean_pose(tmp_path: Path) -> None:
    options = {"imgsz": 256, "epochs": 45, "batch": 16, "mosaic": 0.0}  # 90 minutes of processor time
    train(str(DATA), weights="yolov4-tiny-coco", out=tmp_path / "run", **options)
    ours, mean = evaluation_sets(str(tmp_path / "run"))
    figures = [evaluate(each).keypoints for each in (ours, mean)]
    stats = [reference(each, "keypoints").stats for each in (ours, mean)]
    for own, theirs in zip(figures, stats, strict=True):
        assert own is not None
        assert own.ap == pytest.approx(theirs[0], abs=1e-9)
    print(f"OKS AP {stats[0][0]:.4f}, AP50 {stats[0][1]:.4f}; mean pose {stats[1][0]:.4f}, {stats[1][1]:.4f}")
    assert stats[0][0] >= 3 * stats[1][0]
    assert stats[0][1] > 0.05
