"""Folds, and the data set that a fold's model is trained on."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_sets import write_image, write_text, write_voc, write_yolo
from yolo_cli.datasets import lint, open_dataset
from yolo_cli.errors import DataError, UsageError
from yolo_cli.suspects import CrossValidation
from yolo_cli.suspects.folds import fold_numbers, write_training_set


def write_set(root: Path) -> Path:
    """24 images: every third shows a dog; 20 is 0 recompressed, 21 is 1 again, 22 and 23 are 2 again."""
    for number in range(20):
        write_image(root / "images" / f"{number:02d}.jpg", (64, 48), number)
    pixels = cv2.imread(str(root / "images" / "00.jpg"))
    cv2.imwrite(str(root / "images" / "20.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])
    for old, new in ((1, 21), (2, 22), (2, 23)):
        shutil.copy(root / "images" / f"{old:02d}.jpg", root / "images" / f"{new}.jpg")
    for number in range(24):
        write_text(root / "labels" / f"{number:02d}.txt", f"{int(number % 3 == 0)} .5 .5 .5 .5\n")
    write_text(root / "classes.txt", "cat\ndog\n")
    return root


def test_folds_keep_near_duplicates_together_and_classes_apart(tmp_path: Path) -> None:
    report = lint(write_set(tmp_path))
    samples = report.dataset.samples
    folds = fold_numbers(samples, 2, report.inspections, 3, 0)
    fold = {sample.path.stem: number for sample, number in zip(samples, folds, strict=True)}
    assert fold["00"] == fold["20"]
    assert fold["01"] == fold["21"]
    assert fold["02"] == fold["22"] == fold["23"]
    assert np.bincount(folds).min() >= 5
    dogs = [number for name, number in fold.items() if int(name) % 3 == 0]
    assert np.bincount(dogs, minlength=3).min() >= 2
    assert (folds == fold_numbers(samples, 2, report.inspections, 3, 0)).all()


def test_more_folds_than_different_images(tmp_path: Path) -> None:
    report = lint(write_yolo(tmp_path))
    with pytest.raises(DataError, match="4 different images cannot be split into 5 folds; use fewer"):
        fold_numbers(report.dataset.samples, 2, report.inspections, 5, 0)


@pytest.mark.parametrize("write", [write_yolo, write_voc])
def test_the_training_set_is_read_as_the_original(tmp_path: Path, write: object) -> None:
    data = open_dataset(write(tmp_path / "old"))  # type: ignore[operator]
    kept = [sample for sample in data.samples if sample.path.stem != "c"]
    (tmp_path / "fold").mkdir()
    write_training_set(tmp_path / "fold" / "train.json", data, kept)
    again = open_dataset(tmp_path / "fold" / "train.json")
    assert again.class_names == data.class_names
    assert [it.path for it in again.samples] == [it.path.resolve() for it in kept]
    for one, other in zip(again.samples, kept, strict=True):
        np.testing.assert_allclose(one.ground_truth.xyxy, other.ground_truth.xyxy, atol=1e-9)
        assert (one.ground_truth.class_id == other.ground_truth.class_id).all()
    assert again.findings == ()


def test_one_fold_is_not_cross_validation() -> None:
    with pytest.raises(UsageError, match="validate 1: must be at least 2"):
        CrossValidation(1)
