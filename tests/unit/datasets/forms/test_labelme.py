from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.made_sets import write_text
from tests.unit.datasets.forms.reading import boxes, read_json_beside, refusals
from yolo_cli.datasets import Dataset


def shape(kind: str, points: list[list[float]], label: str = "cat", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}} | more


def read(folder: Path, *shapes: Any, **options: Any) -> Dataset:
    document = {
        "version": "5.5.0", "flags": {}, "shapes": list(shapes), "imagePath": "a.png", "imageData": None,
        "imageHeight": 50, "imageWidth": 100,
    }  # fmt: skip
    return read_json_beside(folder, document, **options)


@pytest.mark.parametrize(
    ("kind", "points", "box"),
    [
        ("rectangle", [[30, 20], [10, 5]], (10, 5, 30, 20)),
        ("polygon", [[10, 5], [30, 8], [20, 20]], (10, 5, 30, 20)),
        ("circle", [[20, 20], [23, 24]], (15, 15, 25, 25)),  # the radius is 5: 3, 4, 5
        ("linestrip", [[10, 5], [30, 20]], (10, 5, 30, 20)),
        ("mask", [[10, 5], [29, 19]], (10, 5, 30, 20)),  # the last pixel is part of the mask
    ],
)
def test_the_box_of_a_shape(
    tmp_path: Path, kind: str, points: list[list[float]], box: tuple[float, ...]
) -> None:
    assert boxes(read(tmp_path, shape(kind, points))) == [("cat", box)]


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (
            shape("oriented_rectangle", [[0, 9], [9, 0], [19, 9], [9, 19]]),
            "a rotated box (oriented_rectangle)",
        ),
        (shape("rotation", [[0, 9], [9, 0], [19, 9], [9, 19]]), "a rotated box (rotation)"),
        (shape("point", [[5, 5]]), "the shape (point) has no box"),
        (shape("cuboid", [[0, 0], [9, 9]]), "shapes of the type 'cuboid' with 2 points"),
        (shape("rectangle", [[0, 0], [9, "x"]]), "the shape (rectangle) has no box"),
        (shape("rectangle", [[0, 0], [9, 9]], label=""), "the shape has no label"),
        (None, "the shape (polygon) has no box"),
    ],
)
def test_a_refused_shape_leaves_its_image_out(tmp_path: Path, refused: Any, words: str) -> None:
    found = read(tmp_path, shape("rectangle", [[0, 0], [9, 9]]), refused)
    assert len(found) == 0
    assert next(finding.where for finding in found.findings) == "a.json: object 2"
    assert words in refusals(found)[0]
    assert refusals(found)[0].endswith("the image is left out")


def test_parts_of_one_object_have_its_label_and_group(tmp_path: Path) -> None:
    first, second = shape("polygon", [[0, 0], [4, 0], [4, 4]]), shape("polygon", [[20, 9], [30, 9], [30, 20]])
    apart = read(tmp_path / "apart", first, second)
    assert boxes(apart) == [("cat", (0, 0, 4, 4)), ("cat", (20, 9, 30, 20))]
    joined = read(tmp_path / "joined", first | {"group_id": 3}, second | {"group_id": 3}, extras=True)
    assert boxes(joined) == [("cat", (0, 0, 30, 20))]
    assert joined.samples[0].extras[0].polygons == ((0, 0, 4, 0, 4, 4), (20, 9, 30, 9, 30, 20))


def test_points_of_a_group_are_key_points_of_its_box(tmp_path: Path) -> None:
    box = shape("rectangle", [[0, 0], [30, 20]], group_id=1)
    nose, eye = (shape("point", [[x, 9]], label=name, group_id=1) for x, name in ((5, "nose"), (7, "eye")))
    hidden = shape("point", [[8, 9]], label="eye", group_id=1, difficult=True)
    found = read(tmp_path, box, nose, eye, hidden, extras=True)
    assert boxes(found) == [("cat", (0, 0, 30, 20))]
    # Sorted by name; the second eye is another point, as no name may be lost.
    assert found.keypoint_names == ("eye", "eye 2", "nose")
    assert found.samples[0].extras[0].keypoints == ((7, 9, 2), (8, 9, 1), (5, 9, 2))
    assert not found.samples[0].extras[0].attributes  # the group only holds them together


def test_labels_txt_gives_the_order_of_key_points_which_are_no_classes(tmp_path: Path) -> None:
    write_text(tmp_path / "labels.txt", "dog\ncat\ntail\nnose\n")
    box = shape("rectangle", [[0, 0], [30, 20]], group_id=1)
    found = read(
        tmp_path, box, *(shape("point", [[5, 9]], label=name, group_id=1) for name in ("nose", "tail"))
    )
    assert (found.class_names, found.keypoint_names) == (("dog", "cat"), ("tail", "nose"))
    assert found.samples[0].ground_truth.keypoints is not None


def test_a_point_that_nobody_marked_is_one_of_those_behind_the_classes(tmp_path: Path) -> None:
    write_text(tmp_path / "labels.txt", "dog\ncat\ntail\nnose\n")  # as `yolo convert` writes it
    box = shape("rectangle", [[0, 0], [30, 20]], group_id=1)
    found = read(tmp_path, box, shape("point", [[5, 9]], label="tail", group_id=1))
    assert (found.class_names, found.keypoint_names) == (("dog", "cat"), ("tail", "nose"))


def test_flags_and_difficult_are_kept(tmp_path: Path) -> None:
    marked = shape("rectangle", [[0, 0], [9, 9]], flags={"wet": True}, description="old", difficult=True)
    sample = read(tmp_path, marked, extras=True).samples[0]
    assert sample.labels.difficult.tolist() == [True]
    assert dict(sample.extras[0].attributes) == {"wet": True, "description": "old"}


def test_no_shapes_is_background_and_no_file_is_not(tmp_path: Path) -> None:
    assert len(read(tmp_path).samples[0].labels) == 0
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    found = read(tmp_path)
    assert [sample.name for sample in found.samples] == ["a.png"]
    assert "the image has no annotation" in refusals(found)
    assert len(read(tmp_path, allow_unlabelled=True)) == 2


def test_labels_txt_gives_the_order_of_classes(tmp_path: Path) -> None:
    write_text(tmp_path / "labels.txt", "__ignore__\n_background_\ndog\ncat\n")
    assert read(tmp_path, shape("rectangle", [[0, 0], [9, 9]])).class_names == ("dog", "cat")


def test_a_path_of_windows_and_a_missing_one_are_found_by_name(tmp_path: Path) -> None:
    for named in ("..\\images\\a.png", "", "C:\\Users\\me\\a.png"):
        document = {"version": "4", "shapes": [shape("rectangle", [[0, 0], [9, 9]])], "imagePath": named}
        assert boxes(read_json_beside(tmp_path, document)) == [("cat", (0, 0, 9, 9))]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    read(tmp_path, shape("rectangle", [[0, 0], [9, 9]]))
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "b.json").write_text('{"shapes": [')
    found = read(tmp_path, shape("rectangle", [[0, 0], [9, 9]]))
    assert ("Y203", "b.json") in {(finding.code, finding.where) for finding in found.findings}
    assert len(found) == 1


def test_a_renamed_image_is_found_by_the_name_of_its_label(tmp_path: Path) -> None:
    document = {"version": "4", "shapes": [shape("rectangle", [[0, 0], [9, 9]])], "imagePath": "IMG_0001.JPG"}
    assert boxes(read_json_beside(tmp_path, document)) == [("cat", (0, 0, 9, 9))]


def test_an_image_that_is_only_inside_the_label_is_named(tmp_path: Path) -> None:
    document = {"version": "4", "shapes": [], "imagePath": "b.png", "imageData": "iVBORw0KGgo="}
    found = read_json_beside(tmp_path, document, "b.json")
    assert "save the image that is inside the JSON (imageData) beside it" in refusals(found)[0]


def test_points_of_a_group_of_two_boxes_are_not_guessed(tmp_path: Path) -> None:
    two = [
        shape("rectangle", [[x, 0], [x + 9, 9]], label=name, group_id=1)
        for x, name in ((0, "cat"), (20, "dog"))
    ]
    found = read(tmp_path, *two, shape("point", [[5, 5]], label="nose", group_id=1))
    assert len(found) == 0
    assert "the shape (point) has no box" in refusals(found)[0]
