from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_sets import write_image, write_text
from tests.unit.datasets.forms.reading import boxes, read_json_beside, refusals
from yolo_cli.datasets import Dataset, read_dataset
from yolo_cli.datasets.forms.label_studio import _declared

Value = dict[str, Any]
RECTANGLE = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["cat"]}
BOX = (10, 10, 40, 30)  # of 100 x 50: 10 % and 40 % of 100, 20 % and 60 % of 50


def result(value: Value, region: str = "r1", **more: Any) -> Value:
    return {
        "id": region,
        "type": "rectanglelabels",
        "original_width": 100,
        "original_height": 50,
        "value": value,
    } | more


def annotation(*results: Value, **more: Any) -> Value:
    return {"id": 1, "was_cancelled": False, "created_at": "2026-01-01", "result": list(results)} | more


def read(
    folder: Path, *annotations: Value, image: str = "/data/upload/1/3f1c09ab-a.png", **options: Any
) -> Dataset:
    task = {"id": 7, "data": {"image": image}, "annotations": list(annotations)}
    return read_json_beside(folder, [task], "project-1-at-2026.json", **options)


@pytest.mark.parametrize(
    ("value", "box"),
    [
        (RECTANGLE, BOX),
        ({"points": [[10, 20], [40, 20], [40, 60]], "polygonlabels": ["cat"]}, BOX),
        ({"x": 25, "y": 40, "radiusX": 15, "radiusY": 20, "rotation": 0, "ellipselabels": ["cat"]}, BOX),
    ],
)
def test_percentages_become_pixels(tmp_path: Path, value: Value, box: tuple[float, ...]) -> None:
    assert boxes(read(tmp_path, annotation(result(value)))) == [("cat", box)]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (RECTANGLE | {"rotation": 12.5}, "a box turned by 12.5 degrees"),
        (RECTANGLE | {"rectanglelabels": []}, "the region has no label"),
        ({"format": "rle", "rle": [0, 1], "brushlabels": ["cat"]}, "brush masks"),
        ({"x": 5, "y": 5, "width": 1, "keypointlabels": ["nose"]}, "lone key points"),
        (RECTANGLE | {"width": None}, "the region has no box"),
    ],
)
def test_a_refused_region_leaves_its_image_out(tmp_path: Path, value: Value, words: str) -> None:
    found = read(tmp_path, annotation(result(RECTANGLE), result(value, "r2")))
    assert len(found) == 0
    assert words in refusals(found)[0]


def test_a_turned_image_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, annotation(result(RECTANGLE, image_rotation=90)))
    assert "an image turned by 90 degrees" in refusals(found)[0]


def test_the_class_may_be_in_another_result_of_the_region(tmp_path: Path) -> None:
    bare = {key: value for key, value in RECTANGLE.items() if key != "rectanglelabels"}
    label = result({"labels": ["dog"]}, type="labels")
    choice = result({"choices": ["wet"]}, type="choices")
    whole_image = {"id": "z", "type": "choices", "value": {"choices": ["outdoors"]}}
    found = read(tmp_path, annotation(result(bare), label, choice, whole_image), extras=True)
    assert boxes(found) == [("dog", BOX)]
    assert dict(found.samples[0].extras[0].attributes) == {"choices": "wet"}


def test_key_points_belong_to_their_parent(tmp_path: Path) -> None:
    point = result({"x": 50, "y": 20, "width": 1, "keypointlabels": ["nose"]}, "p", parentID="r1")
    found = read(tmp_path, annotation(result(RECTANGLE), point), extras=True)
    assert boxes(found) == [("cat", BOX)]
    assert found.keypoint_names == ("nose",)
    assert found.samples[0].extras[0].keypoints == ((0.5, 0.2, 2.0),)  # fractions, as the boxes
    # 50 % of 100 and 20 % of 50 pixels
    np.testing.assert_allclose(found.samples[0].ground_truth.keypoints, [[[50, 10, 2]]])


def test_ids_that_are_no_text_are_no_ids(tmp_path: Path) -> None:
    point = result({"x": 50, "y": 20, "width": 1, "keypointlabels": ["nose"]}, "p", parentID=["r1"])
    assert "lone key points" in refusals(read(tmp_path, annotation(result(RECTANGLE), point)))[0]


def test_the_ground_truth_counts_else_the_newest_that_was_not_cancelled(tmp_path: Path) -> None:
    old, new = (annotation(result(RECTANGLE | {"x": x}), created_at=f"2026-01-0{x}") for x in (1, 2))
    newest = annotation(result(RECTANGLE), created_at="2027", was_cancelled=True)
    found = read(tmp_path, old, new, newest)
    assert boxes(found) == [("cat", (2, 10, 32, 30))]
    assert "2 annotations of one task" in refusals(found)[0]
    assert boxes(read(tmp_path, old | {"ground_truth": True}, new)) == [("cat", (1, 10, 31, 30))]


def test_an_empty_annotation_is_background_and_none_is_not(tmp_path: Path) -> None:
    assert [len(sample.labels) for sample in read(tmp_path, annotation()).samples] == [0]
    for cancelled in ([], [annotation(result(RECTANGLE), was_cancelled=True)]):
        found = read(tmp_path, *cancelled)
        assert len(found) == 0
        assert "has no annotation" in refusals(found)[0]
        assert len(read(tmp_path, *cancelled, allow_unlabelled=True)) == 1


@pytest.mark.parametrize(
    "image",
    [
        "/data/upload/1/3f1c09ab-a.png",
        "/data/local-files/?d=photos/a.png",
        "s3://bucket/photos/a.png",
        "https://example.org/photos/a.png?X-Amz-Signature=1",
        "/data/upload/1/3f1c09ab-%61.png",
    ],
)
def test_the_ways_to_name_an_image(tmp_path: Path, image: str) -> None:
    assert len(read(tmp_path, annotation(result(RECTANGLE)), image=image)) == 1


def test_two_images_of_one_name_are_told_by_their_folders_or_not_at_all(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        write_image(tmp_path / folder / "b.png", (100, 50))
    found = read(tmp_path, annotation(result(RECTANGLE)), image="s3://bucket/y/b.png")
    assert [sample.name for sample in found.samples] == ["y/b.png"]
    assert (
        "2 images are called 'b.png'" in refusals(read(tmp_path, annotation(), image="s3://bucket/b.png"))[0]
    )


def test_several_annotators_in_the_short_form(tmp_path: Path) -> None:
    short = {
        "id": 7, "image": "a.png", "label": [RECTANGLE | {"original_width": 100, "original_height": 50}],
        "annotator": 1, "annotation_id": 1, "created_at": "2026-01-01", "lead_time": 1,
    }  # fmt: skip
    found = read_json_beside(
        tmp_path, [short, short | {"label": [], "created_at": "2025", "annotation_id": 2}]
    )
    assert boxes(found) == [("cat", BOX)]


def test_the_file_itself_can_be_named(tmp_path: Path) -> None:
    read(tmp_path, annotation(result(RECTANGLE)))
    assert read_dataset(tmp_path / "project-1-at-2026.json").kind == "label-studio"


def test_a_task_with_more_than_64_kib_before_its_data_is_recognised(tmp_path: Path) -> None:
    results = [result(RECTANGLE, f"r{number}") for number in range(400)]
    task = {"id": 7, "annotations": [annotation(*results)], "data": {"image": "a.png"}}
    found = read_json_beside(tmp_path, [task])
    assert (tmp_path / "a.json").stat().st_size > 1 << 16
    assert len(boxes(found)) == 400


def test_an_address_within_an_address_ends_in_the_images_name(tmp_path: Path) -> None:
    address = "https://cache.example/get/https://photos.example/a.png?size=1"
    assert boxes(read(tmp_path, annotation(result(RECTANGLE)), image=address)) == [("cat", BOX)]


def test_classes_and_key_points_of_the_configuration_are_told_apart(tmp_path: Path) -> None:
    labels = '<RectangleLabels name="l" toName="i"><Label value="dog"/><Label value="cat"/></RectangleLabels>'
    points = '<KeyPointLabels name="p" toName="i"><Label value="nose"/></KeyPointLabels>'
    write_text(tmp_path / "label_config.xml", f"<View>{labels}{points}</View>")
    assert _declared(tmp_path) == (("dog", "cat"), ("nose",))
    assert read(tmp_path, annotation(result(RECTANGLE))).class_names == ("dog", "cat")
