"""Key points of data sets: in pixels beside their boxes, and one clear line where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_sets import write_image, write_json, write_text
from yolo_cli.datasets import fix, lint, open_dataset, read_dataset
from yolo_cli.errors import DataError

POSE = "train: images/train\nval: images/val\nnames: [cat]\nkpt_shape: [3, 3]\n"
ROW = "0 0.5 0.5 0.5 0.5 0.25 0.5 2 0.75 0.25 1 0 0 0\n"


def yolo(root: Path, more: str = "", row: str = ROW) -> Path:
    """A data set of one image of 64 × 48 pixels a split."""
    for split in ("train", "val"):
        write_image(root / "images" / split / f"{split}.png", (64, 48), len(split))
        write_text(root / "labels" / split / f"{split}.txt", row)
    write_text(root / "data.yaml", POSE + more)
    return root


def coco(root: Path, points: Any, names: Any = ("left_eye", "right_eye")) -> Path:
    write_image(root / "a.jpg", (64, 48))
    animal = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [8, 8, 16, 16], "area": 99.0}
    value = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "cat", "keypoints": list(names), "skeleton": [[1, 2], [0, 9]]}],
        "annotations": [animal | {"keypoints": points}, animal | {"id": 2, "bbox": [30, 8, 16, 16]}],
    }
    write_json(root / "train.json", value)
    return root


def test_rows_of_yolo(tmp_path: Path) -> None:
    data = open_dataset(yolo(tmp_path))
    found = data.samples[0].ground_truth.keypoints
    # (0.25, 0.5) of 64 × 48 pixels is (16, 24), and (0.75, 0.25) is (48, 12).
    np.testing.assert_allclose(found, [[[16, 24, 2], [48, 12, 1], [0, 0, 0]]])
    assert data.key_points is not None
    assert (data.key_points.names, data.key_points.flip_idx) == (("0", "1", "2"), ())


def test_a_box_without_points_has_none_labelled(tmp_path: Path) -> None:
    found = open_dataset(yolo(tmp_path, row=f"{ROW}0 0.5 0.5 0.25 0.25\n")).samples[0].ground_truth
    assert found.keypoints is not None
    assert found.keypoints.shape == (2, 3, 3)
    assert (found.keypoints[1] == 0).all()


def test_names_and_skeleton_of_a_description(tmp_path: Path) -> None:
    more = "kpt_names: {0: [nose, left_eye, right_eye]}\nskeleton: [[0, 1], [0, 2]]\n"
    points = open_dataset(yolo(tmp_path, more)).key_points
    assert points is not None
    assert (points.names, points.flip_idx) == (("nose", "left_eye", "right_eye"), (0, 2, 1))
    assert points.skeleton == ((0, 1), (0, 2))


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("kpt_names: [a, b]\n", "kpt_names must be 3 different names, as kpt_shape says"),
        ("kpt_names: nose\n", "kpt_names must be 3 different names"),
        ("kpt_names: [a, b, b]\n", "kpt_names must be 3 different names"),
        ("kpt_names: [a, b, {}]\n", "kpt_names must hold text only"),
        ("kpt_names: {0: [a, b, c], 1: [a, b]}\n", "kpt_names must be the same for all classes"),
        ('kpt_names: [a, b, "c\\n"]\n', "a key point's name, number 2, that holds a control character"),
        ("skeleton: [[0, 3]]\n", "skeleton must hold pairs of key points from 0 to 2"),
        ("skeleton: nose\n", "skeleton must hold pairs of key points from 0 to 2"),
        ("flip_idx: [1, 0]\n", "flip_idx holds 2 numbers, and kpt_shape says 3 key points"),
        ("flip_idx: [1, 2, 0]\n", "flip_idx must exchange key points in pairs"),
    ],
)
def test_a_description_that_does_not_fit(tmp_path: Path, more: str, what: str) -> None:
    with pytest.raises(DataError, match=what):
        open_dataset(yolo(tmp_path, more))


def test_rows_that_do_not_fit_kpt_shape_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"kpt_shape \[3, 3\] needs 14 numbers, the row has 11"):
        open_dataset(yolo(tmp_path, row="0 0.5 0.5 0.5 0.5 0.25 0.5 2 0.75 0.25 1\n"))


@pytest.mark.parametrize("bad", ["nan 0.5 2", "0.25 inf 1", "0.25 0.5 7", "0.25 0.5 1.5", "1e300 0.5 2"])
def test_a_point_that_is_none_leaves_its_image_out(tmp_path: Path, bad: str) -> None:
    with pytest.raises(DataError, match="a key point is not two finite coordinates and a visibility of 0, 1"):
        open_dataset(yolo(tmp_path, row=f"0 0.5 0.5 0.5 0.5 {bad} 0.75 0.25 1 0 0 0\n"))


@pytest.mark.parametrize(
    ("points", "what"),
    [
        ([float("nan"), 12, 2, 0, 0, 0], "a key point is not two finite coordinates"),
        ([10, 12, 3, 0, 0, 0], "a key point is not two finite coordinates"),
        ([10, 12, 2], "the first category that has some need 6 numbers, keypoints has 3"),
        ([None] * 6, "keypoints is list, with more than numbers"),
        ("abc", "keypoints is 'abc', with more than numbers"),
    ],
)
def test_annotations_with_points_that_are_none(tmp_path: Path, points: Any, what: str) -> None:
    with pytest.raises(DataError, match=what):
        open_dataset(coco(tmp_path, points))


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["eye", "eye"], "a key point's name, number 1, that another one has, too"),
        (["eye\x1b[2J"], "number 0, that holds a control character"),
        (list(map(str, range(1_001))), "1,001 names of key points; at most 1,000"),
    ],
)
def test_names_that_cannot_be_used(tmp_path: Path, names: list[str], what: str) -> None:
    with pytest.raises(DataError, match=what):
        open_dataset(coco(tmp_path, [10, 12, 2], names))


def test_annotations_of_coco(tmp_path: Path) -> None:
    data = open_dataset(coco(tmp_path, [10, 12, 2, 0, 0, 0]))
    np.testing.assert_allclose(
        data.samples[0].ground_truth.keypoints, [[[10, 12, 2], [0, 0, 0]], np.zeros((2, 3))]
    )
    assert data.key_points is not None
    assert data.key_points.flip_idx == (1, 0)
    assert data.key_points.skeleton == ((0, 1),)  # the other pair is of points that are not there


def test_points_turn_with_the_image_in_memory_and_in_the_copy(tmp_path: Path) -> None:
    # Stored 64 × 48 (width × height), as the file says; by orientation 6, (x, y) is shown at (48 − y, x).
    root = coco(tmp_path / "here", [10, 12, 2, 0, 0, 0])
    write_image(root / "a.jpg", (64, 48), exif=6)
    report = lint(root)
    assert [finding.code for finding in report.findings] == ["Y104"]
    wanted = [[[36, 10, 2], [0, 0, 0]], np.zeros((2, 3))]
    [sample] = report.usable.samples
    np.testing.assert_allclose(sample.ground_truth.keypoints, wanted)
    fix(report, tmp_path / "there")
    [copied] = open_dataset(tmp_path / "there").samples
    np.testing.assert_allclose(copied.ground_truth.xyxy, sample.ground_truth.xyxy)
    np.testing.assert_allclose(copied.ground_truth.keypoints, wanted)


def test_a_fixed_copy_keeps_all_that_is_said_of_key_points(tmp_path: Path) -> None:
    more = "kpt_names: [nose, left_eye, right_eye]\nskeleton: [[0, 1], [0, 2]]\nflip_idx: [0, 2, 1]\n"
    original = open_dataset(yolo(tmp_path / "here", more))
    fix(lint(original), tmp_path / "there")
    copy = open_dataset(tmp_path / "there")
    assert copy.key_points == original.key_points
    for ours, theirs in zip(copy.samples, original.samples, strict=True):
        np.testing.assert_allclose(ours.ground_truth.keypoints, theirs.ground_truth.keypoints)


def test_data_without_key_points_has_none(tmp_path: Path) -> None:
    data = open_dataset(coco(tmp_path, [10, 12, 2], names=()))
    assert data.key_points is None
    assert data.samples[0].ground_truth.keypoints is None


def test_a_single_key_point_of_coco(tmp_path: Path) -> None:
    # One point has three numbers: a multiple of three, but not of two.
    found = open_dataset(coco(tmp_path, [9, 10, 2], ["nose"])).samples[0].ground_truth.keypoints
    np.testing.assert_allclose(found, [[[9, 10, 2]], [[0, 0, 0]]])


def test_points_without_visibility_are_labelled_unless_both_coordinates_are_zero(tmp_path: Path) -> None:
    row = "0 0.5 0.5 0.5 0.5 0 0 0 1 1 0 0 0.25 0.25 0\n"
    root = yolo(tmp_path, row=row)
    write_text(root / "data.yaml", POSE.replace("[3, 3]", "[5, 2]"))
    found = open_dataset(root).samples[0].ground_truth.keypoints
    assert found is not None
    assert found[0, :, 2].tolist() == [0, 2, 2, 2, 2]


def test_a_row_of_five_words_is_not_told_about_key_points(tmp_path: Path) -> None:
    root = yolo(tmp_path, row="0 0.5 0.5 0.5 x\n")
    told = " ".join(finding.what for finding in read_dataset(root).findings)
    assert "'0 0.5 0.5 0.5 x'" in told
    assert "kpt_shape" not in told
