"""`convert` of data sets with faults: nothing wrong is written as if it were right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.made_sets import write_image, write_json, write_text
from yolo_cli import convert, lint
from yolo_cli.datasets import open_dataset

ROW = "0 .5 .5 .2 .2\n"


def coco(root: Path, declared: tuple[int, int], exif: int | None = None) -> Path:
    """A COCO set of one image of 96 x 64 pixels as stored, whose label declares this height and width."""
    write_image(root / "images" / "a.jpg", (96, 64), exif=exif)
    write_image(root / "images" / "b.jpg", (96, 64), seed=1)
    height, width = declared
    annotation = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [60, 10, 30, 40],
        "segmentation": [[60, 10, 90, 10, 90, 50]],
        "keypoints": [70, 20, 2, 0, 0, 0],
    }
    write_json(
        root / "a.json",
        {
            "images": [
                {"id": 1, "file_name": "a.jpg", "height": height, "width": width},
                {"id": 2, "file_name": "b.jpg", "height": 64, "width": 96},
            ],
            "annotations": [annotation, annotation | {"id": 2, "image_id": 2}],
            "categories": [{"id": 1, "name": "cat", "keypoints": ["nose", "tail"], "skeleton": []}],
        },
    )
    return root


@pytest.mark.parametrize("form", ["yolo", "coco", "voc"])
def test_boxes_made_for_another_size_are_left_out(tmp_path: Path, form: str) -> None:
    made = convert(coco(tmp_path / "data", (480, 640)), form, tmp_path / "out")
    assert made.splits["all"] == {"images": 1, "background": 0, "boxes": 1}
    assert made.left_out == ("Y103 images/a.jpg: the label says 640x480, the image is 96x64",)


def test_boxes_before_an_exif_rotation_are_turned_with_all_that_they_carry(tmp_path: Path) -> None:
    """Orientation 6 turns 96 x 64 to 64 x 96: (x, y) becomes (64 - y, x)."""
    data = coco(tmp_path / "data", (64, 96), exif=6)
    made = convert(data, "coco", tmp_path / "out")
    assert made.notes == ("boxes of 1 image turned with the image, as its EXIF says",)
    first = open_dataset(tmp_path / "out", extras=True).samples[0]
    assert first.size == (96, 64)
    assert first.ground_truth.xyxy.tolist() == [[14, 60, 54, 90]]
    assert first.extras[0].polygons == ((54, 60, 54, 90, 14, 90),)
    assert first.extras[0].keypoints == ((44, 70, 2), (0, 0, 0))
    lint(data, fix=tmp_path / "fixed")
    fixed = open_dataset(tmp_path / "fixed").samples[0]
    np.testing.assert_allclose(fixed.ground_truth.xyxy, first.ground_truth.xyxy)
    assert lint(tmp_path / "out").errors == ()


def yolo(root: Path, names: str | None, row: str = ROW) -> Path:
    write_image(root / "images" / f"{root.name}.png", (48, 64), seed=len(root.name))
    write_text(root / "labels" / f"{root.name}.txt", row)
    if names:
        write_text(root / "data.yaml", f"train: images\nnames: [{names}]\nnc: 2\n")
    return root


def test_faults_that_stay_are_not_called_left_out(tmp_path: Path) -> None:
    made = convert(yolo(tmp_path / "a", "cat"), "coco", tmp_path / "out")
    assert made.left_out == ()
    assert made.notes == ("warning: Y402 data.yaml: nc is 2, but there are 1 names",)


def test_corners_that_may_be_rotated_boxes_are_said(tmp_path: Path) -> None:
    made = convert(yolo(tmp_path / "a", "x, y", "0 .1 .1 .5 .2 .4 .6 .1 .5\n"), "coco", tmp_path / "out")
    assert [note[:14] for note in made.notes] == ["warning: Y209 "]


def test_classes_that_differ_in_case_are_said_until_they_are_mapped(tmp_path: Path) -> None:
    both = [yolo(tmp_path / "a", "Cat, x"), yolo(tmp_path / "bb", "cat, x")]
    made = convert(both, "coco", tmp_path / "out")
    assert made.class_names == ("Cat", "x", "cat")
    assert [note[:14] for note in made.notes] == ["warning: Y406 "]
    assert convert(both, "coco", tmp_path / "mapped", map={"Cat": "cat"}).notes == ()


def test_classes_without_names_are_said_when_they_are_merged_by_number(tmp_path: Path) -> None:
    both = [yolo(tmp_path / "a", None), yolo(tmp_path / "bb", None)]
    assert [note[:14] for note in convert(both, "coco", tmp_path / "out").notes] == ["warning: Y405 "] * 2
    assert convert(both[0], "coco", tmp_path / "one").notes == ()
