"""The real data sets, against counts that other, slower code makes of the same files."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from PIL import Image

from tests.shared import SHARED, needs_shared
from yolo_cli.datasets import Dataset, open_dataset

DATA = SHARED / "data"


def counts(dataset: Dataset, split: str) -> Counter[str]:
    part = dataset.in_split(split)
    return Counter(dict(zip(part.class_names, part.class_counts().tolist(), strict=True)))


@needs_shared("data", "fridge")
def test_fridge() -> None:
    dataset = open_dataset(DATA / "fridge")
    assert (dataset.kind, dataset.class_names) == ("yolo", ("milk_bottle", "water_bottle", "carton", "can"))
    assert dataset.findings == ()
    for split, images in (("train", 96), ("val", 32)):
        lines = "".join(
            p.read_text() for p in (DATA / "fridge" / "labels" / split).glob("*.txt")
        ).splitlines()
        expected = Counter(dataset.class_names[int(line.split()[0])] for line in lines)
        assert counts(dataset, split) == expected
        assert len(dataset.in_split(split)) == images
    for sample in dataset.samples[::17]:
        with Image.open(sample.path) as image:
            assert sample.size == image.size[::-1]
        first = [float(word) for word in (DATA / "fridge" / sample.label).read_text().split()[:5]]
        x1, y1, x2, y2 = sample.ground_truth.xyxy[0]
        height, width = sample.size
        centre_and_size = [
            (x1 + x2) / 2 / width,
            (y1 + y2) / 2 / height,
            (x2 - x1) / width,
            (y2 - y1) / height,
        ]
        assert centre_and_size == pytest.approx(first[1:], abs=1e-12)


@pytest.mark.parametrize(
    ("name", "splits"),
    [
        pytest.param("bccd", {"train": 205, "val": 87, "test": 72}, marks=needs_shared("data", "bccd")),
        pytest.param(
            "voc2012-subset", {"train": 2008, "val": 600}, marks=needs_shared("data", "voc2012-subset")
        ),
    ],
)
def test_voc(name: str, splits: dict[str, int]) -> None:
    root = DATA / name
    dataset = open_dataset(root)
    assert {split: len(dataset.in_split(split)) for split in dataset.splits} == splits
    for split in splits:
        stems = (root / "ImageSets" / "Main" / f"{split}.txt").read_text().split()
        texts = [(root / "Annotations" / f"{stem}.xml").read_text() for stem in stems]
        expected = Counter(found for text in texts for found in re.findall(r"<name>(.*?)</name>", text))
        left_out = [f for f in dataset.findings if f.where.split(".xml")[0].split("/")[1] in stems]
        assert counts(dataset, split).total() == expected.total() - len(left_out)
        difficult = sum(text.count("<difficult>1<") for text in texts)
        assert sum(int(s.ground_truth.difficult.sum()) for s in dataset.in_split(split).samples) == difficult


@needs_shared("data", "bccd")
def test_the_two_points_in_bccd_are_left_out() -> None:
    # Both XML files hold an object whose xmin is its xmax and whose ymin is its ymax.
    found = open_dataset(DATA / "bccd").findings
    assert [(f.code, f.where) for f in found] == [
        ("Y302", "Annotations/BloodImage_00338.xml: object 13"),
        ("Y302", "Annotations/BloodImage_00343.xml: object 4"),
    ]


@needs_shared("data", "coco128-val")
def test_coco() -> None:
    dataset = open_dataset(DATA / "coco128-val")
    raw = json.loads((DATA / "coco128-val" / "annotations.json").read_text())
    assert (dataset.splits, len(dataset)) == (("all",), 128)
    names = {category["id"]: category["name"] for category in raw["categories"]}
    assert dict(zip(dataset.category_ids, dataset.class_names, strict=True)) == names
    by_image = {sample.image_id: sample.ground_truth for sample in dataset.samples}
    assert by_image.keys() == {image["id"] for image in raw["images"]}
    for image_id, ground_truth in by_image.items():
        own = [a for a in raw["annotations"] if a["image_id"] == image_id]
        assert [dataset.category_ids[i] for i in ground_truth.class_id] == [a["category_id"] for a in own]
        assert ground_truth.area.tolist() == [a["area"] for a in own]
        x, y, w, h = zip(*(a["bbox"] for a in own), strict=True)
        assert ground_truth.xyxy[:, 0].tolist() == list(x)
        assert ground_truth.xyxy[:, 1].tolist() == list(y)
        assert (ground_truth.xyxy[:, 2] - ground_truth.xyxy[:, 0]).tolist() == pytest.approx(w)
        assert (ground_truth.xyxy[:, 3] - ground_truth.xyxy[:, 1]).tolist() == pytest.approx(h)
