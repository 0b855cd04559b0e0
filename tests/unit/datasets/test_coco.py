from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.made_sets import BOXES, boxes_by_name, coco_json, write_coco, write_image, write_json
from yolo_cli.datasets import UNSPLIT, open_dataset, read_dataset
from yolo_cli.datasets.coco_images import ImageFinder
from yolo_cli.errors import DataError


def one_file(root: Path, value: dict, name: str = "annotations.json") -> Path:
    for seed, image in enumerate(value["images"]):
        write_image(root / "images" / image["file_name"], (image["width"], image["height"]), seed)
    write_json(root / name, value)
    return root


def test_the_layout_of_coco_itself(tmp_path: Path) -> None:
    write_coco(tmp_path)
    write_json(tmp_path / "annotations" / "captions_val2017.json", {"images": [], "annotations": []})
    dataset = open_dataset(tmp_path)
    assert dataset.kind == "coco"
    # Class ids follow the category ids: dog is 3 and thus class 0, cat is 7 and thus class 1.
    assert dataset.class_names == ("dog", "cat")
    assert dataset.category_ids == (3, 7)
    swapped = {stem: [(1 - class_id, box) for class_id, box in boxes] for stem, boxes in BOXES.items()}
    assert boxes_by_name(dataset) == swapped
    assert [(s.name, s.split, s.image_id) for s in dataset.samples] == [
        ("train2017/a.jpg", "train", 100),
        ("train2017/b.jpg", "train", 101),
        ("val2017/c.jpg", "val", 100),
        ("val2017/d.jpg", "val", 101),
    ]
    assert dataset.findings == ()


def test_one_json_without_a_split(tmp_path: Path) -> None:
    dataset = open_dataset(one_file(tmp_path, coco_json("train")))
    assert dataset.splits == (UNSPLIT,)
    assert [s.image_id for s in dataset.samples] == [100, 101]
    assert dataset.samples[0].declared_size == (48, 64)


def test_a_json_given_by_name_finds_its_images(tmp_path: Path) -> None:
    write_coco(tmp_path)
    dataset = open_dataset(tmp_path / "annotations" / "instances_val2017.json")
    assert [(s.name, s.split) for s in dataset.samples] == [
        ("val2017/c.jpg", "val"),
        ("val2017/d.jpg", "val"),
    ]


def test_split_folders_with_a_json_in_each(tmp_path: Path) -> None:
    for split, folder in (("train", "train"), ("val", "valid")):
        value = coco_json(split)
        write_json(tmp_path / folder / "_annotations.coco.json", value)
        for seed, image in enumerate(value["images"]):
            write_image(tmp_path / folder / image["file_name"], (image["width"], image["height"]), seed)
    dataset = open_dataset(tmp_path)
    assert dataset.splits == ("train", "val")
    assert dataset.samples[2].name == "valid/c.jpg"


def test_the_category_name_decides_where_splits_number_differently(tmp_path: Path) -> None:
    write_coco(tmp_path)
    value = coco_json("val")  # here: cat 1, dog 2
    value["categories"] = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    for annotation in value["annotations"]:
        annotation["category_id"] = {7: 1, 3: 2}[annotation["category_id"]]
    write_json(tmp_path / "annotations" / "instances_val2017.json", value)
    dataset = open_dataset(tmp_path)
    assert dataset.class_names == ("dog", "cat")
    assert boxes_by_name(dataset)["c"] == [(0, (4, 16, 12, 48))]  # still a dog
    assert dataset.in_split("train").category_ids == (3, 7)
    assert dataset.in_split("val").category_ids == (2, 1)
    val = "annotations/instances_val2017.json"
    assert [(f.code, f.where) for f in dataset.findings] == [("Y407", val), ("Y407", val)]
    assert (
        "'cat' is category 1 here and 7 in annotations/instances_train2017.json" in dataset.findings[0].what
    )
    with pytest.raises(DataError, match="number their categories differently"):
        _ = dataset.category_ids


def test_a_category_of_one_split_only_is_named(tmp_path: Path) -> None:
    write_coco(tmp_path)
    value = coco_json("val")
    value["categories"].append({"id": 9, "name": "cow"})
    write_json(tmp_path / "annotations" / "instances_val2017.json", value)
    dataset = open_dataset(tmp_path)
    assert dataset.class_names == ("dog", "cat", "cow")
    assert dataset.in_split("train").category_ids == (3, 7, -1)
    assert [(f.code, f.where) for f in dataset.findings] == [("Y402", "annotations/instances_train2017.json")]


def test_crowd_and_area_are_kept(tmp_path: Path) -> None:
    value = coco_json("train")
    value["annotations"][0] |= {"iscrowd": 1, "area": 123.5}
    del value["annotations"][1]["area"]
    ground_truth = open_dataset(one_file(tmp_path, value)).samples[0].ground_truth
    assert ground_truth.xyxy.dtype == np.float64
    assert ground_truth.crowd is not None
    assert ground_truth.crowd.tolist() == [True, False]
    assert ground_truth.area is not None
    assert ground_truth.area.tolist() == [123.5, 16 * 24]


def test_what_is_wrong_is_left_out_and_named_by_index(tmp_path: Path) -> None:
    value = coco_json("train")
    good = value["annotations"][0]
    value["annotations"] = [
        good,
        good | {"image_id": 999},  # [1] belongs to no image
        good | {"category_id": 1},  # [2] no such category
        good | {"bbox": [1, 2, 3]},  # [3] three numbers
        good | {"bbox": [1, 2, 3, None]},  # [4]
        good | {"bbox": [1, math.nan, 3, 4]},  # [5]
        good | {"bbox": [8, 8, 0, 4]},  # [6] no width
        good | {"bbox": [70, 8, 4, 4]},  # [7] the image is 64 wide
        "text",  # [8]
        good | {"id": "new"},
        good | {"id": "new", "bbox": [1, 1, 5, 5]},  # [10] an id that is there
        good | {"bbox": [8, 8, -4, 4]},  # [11] drawn to the left
    ]
    value["annotations"][11]["id"] = 70
    for index in range(1, 8):
        value["annotations"][index]["id"] = 50 + index
    value["images"].append({"id": 102, "file_name": "gone.jpg", "width": 5, "height": 5})
    root = one_file(tmp_path, value)
    (root / "images" / "gone.jpg").unlink()
    dataset = open_dataset(root)
    assert [(f.code, f.where) for f in dataset.findings] == [
        ("Y102", "gone.jpg"),
        ("Y202", "annotations.json:annotations[1]"),
        ("Y204", "annotations.json:annotations[3]"),
        ("Y204", "annotations.json:annotations[4]"),
        ("Y204", "annotations.json:annotations[8]"),
        ("Y207", "annotations.json:annotations[10]"),
        ("Y301", "annotations.json:annotations[5]"),
        ("Y302", "annotations.json:annotations[6]"),
        ("Y303", "annotations.json:annotations[7]"),
        ("Y308", "annotations.json:annotations[11]"),
        ("Y401", "annotations.json:annotations[2]"),
    ]
    assert [s.path.stem for s in dataset.samples] == ["b"]  # a shows more than its sound boxes


def test_entries_of_images_that_cannot_be_used(tmp_path: Path) -> None:
    root = one_file(tmp_path, coco_json("train"))
    value = coco_json("train")
    value["images"] += [{"id": 100, "file_name": "b.jpg"}, {"id": 7}, 5]
    write_json(root / "annotations.json", value)
    dataset = read_dataset(root)
    assert [(f.code, f.where) for f in dataset.findings if f.code != "Y504"] == [
        ("Y204", "annotations.json:images[3]"),
        ("Y204", "annotations.json:images[4]"),
        ("Y211", "images/a.jpg"),
        ("Y211", "images/b.jpg"),
    ]
    assert len(dataset) == 0


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"images": [], "annotations": []},
        {"images": {}, "annotations": [], "categories": []},
        {"images": [], "annotations": [], "categories": [{"id": "x", "name": "cat"}]},
        {"images": [], "annotations": [], "categories": ["cat"]},
    ],
)
def test_what_is_no_coco_file_is_refused(tmp_path: Path, value: object) -> None:
    write_json(tmp_path / "a.json", value)
    with pytest.raises(DataError, match=r"a\.json"):
        open_dataset(tmp_path / "a.json")


def test_two_files_of_the_same_split_are_refused_by_name(tmp_path: Path) -> None:
    one_file(tmp_path, coco_json("train"), "train.json")
    write_json(tmp_path / "train_fixed.json", coco_json("train"))
    with pytest.raises(DataError, match=r"train\.json and train_fixed\.json both hold the split 'train'"):
        open_dataset(tmp_path)


def test_categories_that_are_there_twice(tmp_path: Path) -> None:
    value = coco_json("train")
    value["categories"] += [{"id": 8, "name": "cat"}, {"id": 7, "name": "Dog"}]
    dataset = open_dataset(one_file(tmp_path, value))
    assert sorted({f.code for f in dataset.findings}) == ["Y402", "Y406"]
    assert {f.what.split(":")[0] for f in dataset.findings} == {
        "the category id 7 occurs twice",
        "2 categories have the name 'cat'; they are taken for one",
        "classes 0 and 1 differ only in case or blanks",
    }


def test_a_file_without_images_is_named(tmp_path: Path) -> None:
    root = write_coco(tmp_path)
    write_json(
        root / "annotations" / "instances_val2017.json", coco_json("val") | {"images": [], "annotations": []}
    )
    dataset = open_dataset(root)
    assert dataset.splits == ("train",)
    assert [(f.code, f.where) for f in dataset.findings] == [("Y504", "annotations/instances_val2017.json")]


def test_one_file_alone_has_no_split_in_the_middle_of_its_name(tmp_path: Path) -> None:
    root = one_file(tmp_path, coco_json("train"), "my_train_fixed.json")
    assert open_dataset(root).splits == (UNSPLIT,)


def test_images_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for seed, folder in enumerate("ab"):
        write_image(tmp_path / "images" / folder / "x.jpg", (64, 48), seed)
    finder = ImageFinder(tmp_path / "train.json", tmp_path, ["a/x.jpg", "b/x.jpg"])
    for name in ("a/x.jpg", "b/x.jpg"):
        assert finder.find(name) == (tmp_path / "images" / name, True)
    assert finder.find("c/y.jpg")[1] is False


def test_an_image_whose_boxes_are_all_dropped_is_named(tmp_path: Path) -> None:
    value = coco_json("train")  # image 100 has two boxes, 101 none
    value["annotations"].append(value["annotations"][0] | {"id": 99, "image_id": 101, "bbox": [9, 9, 0, 9]})
    told = [(finding.image, finding.what) for finding in read_dataset(one_file(tmp_path, value)).findings]
    assert ("images/b.jpg", "none of its annotations is a box") in told
