"""Accepted corrections, written into a copy in each of the three forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_sets import write_coco, write_voc, write_yolo
from yolo_cli.datasets import Dataset, Sample, fix, lint, open_dataset, read_corrections
from yolo_cli.errors import DataError

FORMS = [write_yolo, write_coco, write_voc]


def sample_of(data: Dataset, stem: str) -> Sample:
    return next(sample for sample in data.samples if sample.path.stem == stem)


def entry(data: Dataset, stem: str, action: str, **values: Any) -> dict[str, Any]:
    sample = sample_of(data, stem)
    return {"split": sample.split, "image": sample.name, "action": action, **values}


def saved(root: Path, data: Dataset, entries: list[dict[str, Any]]) -> Path:
    path = root / "corrections.json"
    path.write_text(json.dumps({"content_hash": data.content_hash, "corrections": entries}))
    return path


def boxes(data: Dataset, stem: str) -> list[tuple[str, list[float]]]:
    ground_truth = sample_of(data, stem).ground_truth
    rounded = np.round(ground_truth.xyxy, 3).tolist()
    return sorted(zip([data.class_names[i] for i in ground_truth.class_id], rounded, strict=True))


@pytest.mark.parametrize("write", FORMS)
def test_one_correction_of_each_action(tmp_path: Path, write: Any) -> None:
    data = open_dataset(write(tmp_path / "old"))
    cat, dog = sample_of(data, "a").rows
    entries = [
        entry(data, "a", "class", row=cat, class_name="dog"),
        entry(data, "a", "box", row=dog, box=[2, 3, 16, 24]),
        entry(data, "b", "add", class_name="cat", box=[4, 6, 90, 30]),  # 64 pixels wide: clipped
        entry(data, "c", "remove", row=sample_of(data, "c").rows[0]),
    ]
    corrections = read_corrections(saved(tmp_path, data, entries), data)
    done = fix(lint(data), tmp_path / "new", corrections)
    new = open_dataset(tmp_path / "new")
    assert boxes(new, "a") == [("dog", [2, 3, 16, 24]), ("dog", [8, 12, 40, 36])]
    assert boxes(new, "b") == [("cat", [4, 6, 64, 30])]
    assert boxes(new, "c") == []
    assert boxes(new, "d") == boxes(data, "d")
    name = sample_of(data, "a").name
    assert done[:2] == (f"{name}: box {cat} is dog now", f"{name}: box {dog} moved: now at 2 3 16 24")
    assert boxes(data, "c") == [("dog", [4, 16, 12, 48])]  # the original is as it was


def test_a_new_box_in_coco_gets_a_free_id(tmp_path: Path) -> None:
    data = open_dataset(write_coco(tmp_path / "old"))
    entries = [entry(data, "b", "add", class_name="dog", box=[4, 6, 14, 16])]
    fix(lint(data), tmp_path / "new", read_corrections(saved(tmp_path, data, entries), data))
    document = json.loads((tmp_path / "new/annotations/instances_train.json").read_text())
    *old, new = document["annotations"]
    assert new["id"] == max(one["id"] for one in old) + 1
    assert (new["category_id"], new["bbox"], new["area"]) == (3, [4, 6, 10, 10], 100)


def test_corrections_of_other_data_are_refused(tmp_path: Path) -> None:
    data = open_dataset(write_yolo(tmp_path / "old"))
    path = saved(tmp_path, data, [])
    (tmp_path / "old/labels/train/b.txt").write_text("0 .5 .5 .5 .5\n")
    with pytest.raises(DataError, match=r"corrections\.json: was made for other data than .*old holds;"):
        read_corrections(path, open_dataset(tmp_path / "old"))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"action": "explode"}, "is not understood"),
        ({"row": "1"}, "is not understood"),
        ({"row": True}, "is not understood"),
        ({"row": 9}, "has no box in row 9"),
        ({"image": "gone.jpg"}, "there is no image gone.jpg in train"),
        ({"image": None}, "is not understood"),
        ({"action": "class", "class_name": "cow"}, "there is no class cow"),
        ({"action": "class", "class_name": ""}, "is not understood"),
        ({"action": "box", "box": [1, 2, 1, 5]}, "is not understood"),
        ({"action": "box", "box": [1, 2, float("nan"), 5]}, "is not understood"),
        ({"action": "box", "box": "1234"}, "is not understood"),
    ],
)
def test_broken_corrections_are_named(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    data = open_dataset(write_yolo(tmp_path / "old"))
    path = saved(tmp_path, data, [entry(data, "a", "remove", row=1) | change])
    with pytest.raises(DataError, match=f"correction 1: .*{fault}"):
        read_corrections(path, data)


@pytest.mark.parametrize("text", ["[]", "{}", '{"corrections": 3}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    data = open_dataset(write_yolo(tmp_path / "old"))
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(DataError, match="is not a file of corrections"):
        read_corrections(tmp_path / "other.json", data)


@pytest.mark.parametrize(
    "second", [{"action": "class", "class_name": "cat"}, {"action": "box", "box": [1, 1, 9, 9]}, {}]
)
def test_corrections_that_contradict_each_other_are_named(tmp_path: Path, second: dict[str, Any]) -> None:
    data = open_dataset(write_yolo(tmp_path / "old"))
    row = sample_of(data, "a").rows[0]
    first = entry(data, "a", "class", row=row, class_name="dog")
    if second.get("action") == "box":
        first = entry(data, "a", "remove", row=row)
    other = {**entry(data, "a", "remove", row=row), **second}
    with pytest.raises(DataError, match=f"corrections 1 and 2 contradict each other: both change row {row} "):
        read_corrections(saved(tmp_path, data, [first, other]), data)
    together = [
        entry(data, "a", "class", row=row, class_name="dog"),
        entry(data, "a", "box", row=row, box=[1, 1, 9, 9]),
    ]
    assert len(read_corrections(saved(tmp_path, data, together), data)) == 2


@pytest.mark.parametrize("box", [[2, 24, 16, 3], [16, 3, 2, 24], [2, 30, 40, 20], [30, 2, 20, 40]])
def test_edges_in_the_wrong_order_are_refused(tmp_path: Path, box: list[float]) -> None:
    data = open_dataset(write_yolo(tmp_path / "old"))
    with pytest.raises(DataError):
        read_corrections(saved(tmp_path, data, [entry(data, "b", "add", class_name="cat", box=box)]), data)
