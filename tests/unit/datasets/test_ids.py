"""Ids and numberings of COCO files: of another type, twice, or shifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.made_sets import write_image, write_json
from yolo_cli.datasets import fix, lint, open_dataset
from yolo_cli.datasets.numbering import positions, shift_between
from yolo_cli.errors import DataError

SIZE = {"width": 64, "height": 48}


def box(own: int, image_id: Any, category_id: Any, bbox: list[float]) -> dict[str, Any]:
    return {"id": own, "image_id": image_id, "category_id": category_id, "bbox": bbox}


def written(
    root: Path, ids: list[Any], annotations: list[Any], names: tuple[str, ...] = ("cat", "dog")
) -> Path:
    """A COCO file with an image 0.jpg, 1.jpg … for each id, and categories from 1."""
    for seed in range(len(ids)):
        write_image(root / "images" / f"{seed}.jpg", (64, 48), seed)
    images = [{"id": own, "file_name": f"{at}.jpg", **SIZE} for at, own in enumerate(ids)]
    categories = [{"id": at, "name": name} for at, name in enumerate(names, start=1)]
    write_json(root / "a.json", {"images": images, "annotations": annotations, "categories": categories})
    return root


@pytest.mark.parametrize(
    ("own", "given", "category"),
    [(1, 1.0, 1.0), ("1", 1, 1), (1, "1", "1"), (1.0, 1, 1), ("x", "x", "1"), (1, "0.jpg", 1), (7, "0", 1)],
)
def test_ids_of_another_type_are_the_same_ids(tmp_path: Path, own: Any, given: Any, category: Any) -> None:
    dataset = open_dataset(written(tmp_path, [own], [box(1, given, category, [8, 8, 10, 10])]))
    assert dataset.findings == ()
    assert dataset.samples[0].labels.xyxy.tolist() == [[8, 8, 18, 18]]


def test_an_unknown_id_is_shown_as_it_is_written(tmp_path: Path) -> None:
    root = written(tmp_path, [1, 2], [box(1, 1, 1, [8, 8, 10, 10]), box(2, "9", 1, [8, 8, 10, 10])])
    assert [f.what for f in open_dataset(root).findings] == ["the image_id '9' belongs to no image"]


def two_entries(root: Path, **other: Any) -> Path:
    """0.jpg listed as image 1 and 3, with a cat and a dog; 1.jpg as image 2 with a cat."""
    annotations = [box(1, 1, 1, [0, 0, 20, 20]), box(2, 2, 1, [4, 4, 8, 8]), box(3, 3, 2, [20, 20, 9, 9]),
                   box(4, 3, 1, [0, 0, 20, 20])]  # fmt: skip
    written(root, [1, 2], annotations)
    value = {"images": [{"id": 1, "file_name": "0.jpg", **SIZE}, {"id": 2, "file_name": "1.jpg", **SIZE},
                        {"id": 3, "file_name": "0.jpg", **SIZE, **other}], "annotations": annotations,
             "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}  # fmt: skip
    write_json(root / "a.json", value)
    return root


def test_two_ids_of_one_file_are_one_image_with_the_boxes_of_both(tmp_path: Path) -> None:
    dataset = open_dataset(two_entries(tmp_path / "here"))
    first = dataset.samples[0]
    assert (first.image_id, first.other_ids, first.rows) == (1, (3,), (0, 2))  # the cat is there twice
    assert first.labels.class_id.tolist() == [0, 1]
    assert [f.code for f in dataset.findings] == ["Y205"]
    fix(lint(dataset), tmp_path / "there")
    copy = open_dataset(tmp_path / "there")
    assert copy.findings == ()
    assert sorted(copy.class_counts()) == [1, 2]


def test_two_entries_of_other_sizes_are_refused(tmp_path: Path) -> None:
    dataset = open_dataset(two_entries(tmp_path, width=99))
    assert [s.path.name for s in dataset.samples] == ["1.jpg"]
    assert [(f.code, f.unusable) for f in dataset.findings] == [("Y211", True)]


def test_one_id_of_two_files_leaves_both_out(tmp_path: Path) -> None:
    root = written(tmp_path, [1, 1, 2], [box(1, 1, 1, [8, 8, 10, 10]), box(2, 2, 1, [8, 8, 10, 10])])
    dataset = open_dataset(root)
    assert [s.path.name for s in dataset.samples] == ["2.jpg"]
    assert sorted((f.code, f.image) for f in dataset.findings) == [
        ("Y211", "images/0.jpg"),
        ("Y211", "images/1.jpg"),
    ]


@pytest.mark.parametrize(("first", "add"), [(0, "add 1"), (2, "add -1")])
def test_annotations_that_number_the_images_otherwise_are_named(tmp_path: Path, first: int, add: str) -> None:
    annotations = [box(at, first + at, 1, [8, 8, 10, 10]) for at in range(4)]
    with pytest.raises(DataError, match=f"{add} to every image_id"):
        open_dataset(written(tmp_path, [1, 2, 3, 4], annotations))


def test_one_odd_image_id_is_no_other_numbering(tmp_path: Path) -> None:
    annotations = [box(1, 0, 1, [8, 8, 10, 10]), box(2, 1, 1, [8, 8, 10, 10])]
    dataset = open_dataset(written(tmp_path, [1, 2, 3, 4], annotations))
    assert [f.code for f in dataset.findings] == ["Y202"]


def test_annotations_of_other_images_are_an_error_and_no_negatives(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of its annotations is of one of its images.*image_id 70"):
        open_dataset(written(tmp_path, [1, 2], [box(1, 70, 1, [8, 8, 10, 10])]))


def test_annotations_that_number_the_categories_otherwise_are_named(tmp_path: Path) -> None:
    annotations = [box(1, 1, 0, [8, 8, 10, 10]), box(2, 2, 1, [8, 8, 10, 10])]
    with pytest.raises(DataError, match="add 1 to every category_id"):
        open_dataset(written(tmp_path, [1, 2], annotations))


def test_a_huge_number_of_a_box_is_one_finding(tmp_path: Path) -> None:
    annotations = [box(1, 1, 1, [8, 8, 10, 10**400]), box(2, 2, 1, [8, 8, 10, 10])]
    dataset = open_dataset(written(tmp_path, [1, 2], annotations))
    assert [s.path.name for s in dataset.samples] == ["1.jpg"]
    assert [f.code for f in dataset.findings] == ["Y204"]


@pytest.mark.parametrize("entry", [None, [], {"image_id": [1]}, {"image_id": {}, "category_id": []}])
def test_annotations_that_are_no_annotations(tmp_path: Path, entry: Any) -> None:
    dataset = open_dataset(written(tmp_path, [1], [box(1, 1, 1, [8, 8, 10, 10]), entry]))
    assert len(dataset.findings) == 1
    assert len(dataset) == 1


def test_positions_and_shifts() -> None:
    known = {1: 0, "2": 1, "x": 2}
    assert positions([1, "1", 1.0, 2, "2", "x", None, 9, "nan"], known).tolist() == [
        0,
        0,
        0,
        1,
        1,
        2,
        -1,
        -1,
        -1,
    ]
    assert shift_between([2, 3], [1, 2]) == -1
    assert shift_between(["2"], [1]) is None
    assert shift_between([], [1]) is None


def test_numbers_far_apart_are_found(tmp_path: Path) -> None:
    known = {10**12: 0, 5: 1, 2 * 10**12: 2}  # a table from the lowest to the highest would be too large
    assert positions([5, 2 * 10**12, 10**12, 7, 3 * 10**12], known).tolist() == [1, 2, 0, -1, -1]
