"""Folds, and the data set that a fold's model is trained on."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_sets import write_image, write_text, write_voc, write_yolo
from yolo_cli.datasets import open_dataset
from yolo_cli.errors import DataError, UsageError
from yolo_cli.suspects import CrossValidation
from yolo_cli.suspects.folds import folds_of, write_training_set


def write_set(root: Path) -> Path:
    """24 images: every third shows a dog; 20 is 0 recompressed, 21 is 1 again, 22 and 23 are 2 again."""
    for number in range(20):
        write_image(root / "images" / f"{number:02d}.jpg", (320, 240), number)
    pixels = cv2.imread(str(root / "images" / "00.jpg"))
    cv2.imwrite(str(root / "images" / "20.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])
    for old, new in ((1, 21), (2, 22), (2, 23)):
        shutil.copy(root / "images" / f"{old:02d}.jpg", root / "images" / f"{new}.jpg")
    for number in range(24):
        write_text(root / "labels" / f"{number:02d}.txt", f"{int(number % 3 == 0)} .5 .5 .5 .5\n")
    write_text(root / "classes.txt", "cat\ndog\n")
    return root


def test_folds_keep_near_duplicates_together_and_classes_apart(tmp_path: Path) -> None:
    data = open_dataset(write_set(tmp_path))
    folds = folds_of(data, 3, 0)
    names = [[sample.path.stem for sample in fold] for fold in folds]
    fold = {name: number for number, part in enumerate(names) for name in part}
    assert sorted(name for part in names for name in part) == [f"{number:02d}" for number in range(24)]
    assert fold["00"] == fold["20"]
    assert fold["01"] == fold["21"]
    assert fold["02"] == fold["22"] == fold["23"]
    assert min(map(len, names)) >= 5
    assert min(sum(int(name) % 3 == 0 for name in part) for part in names) >= 2
    assert all(sample.split == data.samples[0].split for part in folds for sample in part)
    assert names == [[sample.path.stem for sample in part] for part in folds_of(data, 3, 0)]


def test_more_folds_than_different_images(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 4 groups of images for 5 splits"):
        folds_of(open_dataset(write_yolo(tmp_path)), 5, 0)


@pytest.mark.parametrize("write", [write_yolo, write_voc])
def test_the_training_set_is_read_as_the_original(tmp_path: Path, write: object) -> None:
    data = open_dataset(write(tmp_path / "old"))  # type: ignore[operator]
    kept = [sample for sample in data.samples if sample.path.stem != "c"]
    (tmp_path / "fold").mkdir()
    write_training_set(tmp_path / "fold" / "train.json", data.class_names, kept)
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
