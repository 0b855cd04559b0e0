"""Broken files of data sets: always a data set with findings, or one clear line; never anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.made_sets import coco_json, write_coco, write_text, write_voc, write_yolo
from yolo_cli.datasets import Dataset, read_dataset
from yolo_cli.datasets.yolo import parse_row
from yolo_cli.errors import DataError
from yolo_cli.text import read_json, read_yaml

ANY_FILE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
NUMBERS = st.one_of(
    st.floats(), st.integers(), st.sampled_from(["nan", "-inf", "1e400", "1_0", "0x1", "", "-"])
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def one_line(text: str) -> str:
    assert "\n" not in text
    return text


def outcome(path: Path) -> Dataset | str:
    """What reading gives: a data set whose boxes are all sound, or the one line of a fault."""
    try:
        dataset = read_dataset(path)
        for sample in dataset.samples:
            xyxy = sample.ground_truth.xyxy
            assert (xyxy[:, 2:] > xyxy[:, :2]).all()
            assert (sample.ground_truth.class_id < len(dataset.class_names)).all()
    except DataError as fault:
        return one_line(str(fault))
    return dataset


@ANY_FILE
@given(st.lists(st.lists(NUMBERS, max_size=9), max_size=6))
def test_yolo_rows_of_anything(tmp_path: Path, rows: list[list[Any]]) -> None:
    write_yolo(tmp_path)
    write_text(tmp_path / "labels" / "train" / "b.txt", "\n".join(" ".join(map(str, row)) for row in rows))
    dataset = outcome(tmp_path)
    assert isinstance(dataset, Dataset)
    samples = [sample for sample in dataset.samples if sample.path.stem == "b"]
    lines = "\n".join(" ".join(map(str, row)) for row in rows).split("\n")
    filled = {f"labels/train/b.txt:{i}" for i, line in enumerate(lines, 1) if line.strip()}
    named = {finding.where for finding in dataset.findings}
    # Nothing is lost in silence: every row that is not blank is a box or a finding, or the image is left out.
    for sample in samples:
        assert named | {f"{sample.label}:{row}" for row in sample.rows} == filled
    assert samples or named & filled


@given(st.text(max_size=40))
@example("\x1c")
def test_a_row_of_any_text(text: str) -> None:
    row = parse_row(text, 1)
    assert row is None or len(row.xyxy) == 4


@ANY_FILE
@given(st.binary(max_size=60))
@example(b"\xff\xfe0\x00 \x00.\x005\x00")
@example(b"\xef\xbb\xbf0 .5 .5 .5 .5\r0 .5 .5 .5 .5")
@example(b"0 .5 .5 .5 .5\x00")
def test_yolo_labels_of_any_bytes(tmp_path: Path, data: bytes) -> None:
    write_yolo(tmp_path)
    (tmp_path / "labels" / "train" / "b.txt").write_bytes(data)
    assert isinstance(outcome(tmp_path), Dataset)


@ANY_FILE
@given(st.text(max_size=60))
@example("train: &a [*a]")
@example("names: !!python/object/apply:os.system ['true']\ntrain: x")
@example("? [a]\n: b")
@example("names: {a: b}\ntrain: x")
@example("path: [x]\ntrain: images/train\nnames: [cat, dog]")
@example("nc: 999999999999\ntrain: images/train")
@example("nc: nan\ntrain: images/train")
@example("train: '\0'\nnames: [cat]")
@example("train: [[images/train]]\nnames: [cat, dog]")
def test_a_data_yaml_of_any_text(tmp_path: Path, text: str) -> None:
    write_yolo(tmp_path, text or " ")
    outcome(tmp_path / "data.yaml")


def test_yaml_that_doubles_itself_costs_nothing(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    write_text(tmp_path / "data.yaml", "\n".join([*lines, "names: *a59", "train: *a59"]))
    with pytest.raises(DataError, match="over 200,000 values, with those that its aliases repeat"):
        read_dataset(tmp_path / "data.yaml")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, '{"a": 1', "", "{'a': 1}"])
def test_json_that_cannot_be(tmp_path: Path, text: str) -> None:
    write_text(tmp_path / "a.json", text)
    with pytest.raises(DataError, match=r"a\.json"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["[" * 1500, "a: b: c", "\t- x", "a: 'x", "- 1", "", "&a" * 5])
def test_yaml_that_cannot_be(tmp_path: Path, text: str) -> None:
    write_text(tmp_path / "a.yaml", text)
    with pytest.raises(DataError, match=r"a\.yaml"):
        read_yaml(tmp_path / "a.yaml")


@ANY_FILE
@given(JSON, st.sampled_from(["id", "image_id", "category_id", "bbox", "area", "iscrowd"]))
@example(10**400, "bbox")
@example([1e308] * 4, "bbox")
@example([1, 1, 10**400, 1], "bbox")
@example([[1]] * 4, "bbox")
@example({"a": 1}, "image_id")
def test_coco_annotations_of_anything(tmp_path: Path, value: Any, key: str) -> None:
    root = write_coco(tmp_path)
    whole = coco_json("train")
    whole["annotations"][0][key] = value
    write_text(root / "annotations" / "instances_train2017.json", json.dumps(whole))
    assert isinstance(outcome(root), Dataset)


@ANY_FILE
@given(JSON, st.sampled_from(["id", "file_name", "width", "height"]))
@example("../../../etc/passwd", "file_name")
@example("a\0b.jpg", "file_name")
@example("x" * 300, "file_name")
@example(-5, "width")
def test_coco_images_of_anything(tmp_path: Path, value: Any, key: str) -> None:
    root = write_coco(tmp_path)
    whole = coco_json("train")
    whole["images"][0][key] = value
    write_text(root / "annotations" / "instances_train2017.json", json.dumps(whole))
    # All annotations are of this image: with another id, they are of none, which is an error.
    assert isinstance(outcome(root), Dataset) or key == "id"


@ANY_FILE
@given(JSON, st.sampled_from(["images", "annotations", "categories"]))
def test_coco_parts_of_anything(tmp_path: Path, value: Any, key: str) -> None:
    root = write_coco(tmp_path)
    whole = coco_json("train")
    whole[key] = value
    write_text(root / "annotations" / "instances_train2017.json", json.dumps(whole))
    outcome(root)


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.999])
def test_a_coco_file_cut_short(tmp_path: Path, keep: float) -> None:
    root = write_coco(tmp_path)
    path = root / "annotations" / "instances_train2017.json"
    path.write_text(path.read_text()[: int(len(path.read_text()) * keep)])
    assert isinstance(outcome(path), str)


@ANY_FILE
@given(NUMBERS, st.sampled_from(["xmin", "ymin", "xmax", "ymax", "width", "height", "difficult"]))
def test_voc_numbers_of_anything(tmp_path: Path, value: Any, key: str) -> None:
    root = write_voc(tmp_path)
    path = root / "Annotations" / "a.xml"
    head, tail = path.read_text().replace("<bndbox>", "<difficult></difficult><bndbox>").split(f"<{key}>", 1)
    write_text(path, f"{head}<{key}>{value}{tail[tail.index('<') :]}")
    assert isinstance(outcome(root), Dataset)


@ANY_FILE
@given(st.binary(max_size=80))
@example(b"<annotation>" + b"<a>" * 20)
@example("<annotation><filename>\u00fc</filename></annotation>".encode("utf-16"))
def test_xml_of_any_bytes(tmp_path: Path, data: bytes) -> None:
    root = write_voc(tmp_path)
    (root / "Annotations" / "a.xml").write_bytes(data)
    assert isinstance(outcome(root), Dataset)


def test_xml_bombs_are_findings(tmp_path: Path) -> None:
    root = write_voc(tmp_path)
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<!DOCTYPE a [<!ENTITY e0 "boom">{entities}]>'
    write_text(root / "Annotations" / "a.xml", f"{bomb}<annotation><filename>&e11;</filename></annotation>")
    write_text(root / "Annotations" / "b.xml", "<annotation>" + "<a>" * 200_000)
    external = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    write_text(root / "Annotations" / "c.xml", f"{external}<annotation><filename>&e;</filename></annotation>")
    dataset = outcome(root)
    assert isinstance(dataset, Dataset)
    assert [(f.code, f.where) for f in dataset.findings] == [
        *(("Y203", f"Annotations/{stem}.xml") for stem in "abc"),
        ("Y504", "ImageSets/Main/train.txt"),
    ]
    assert [s.path.stem for s in dataset.samples] == ["d"]


@ANY_FILE
@given(st.text(max_size=30))
@example("../../a\n")
@example("a b c\n")
def test_image_sets_of_any_text(tmp_path: Path, text: str) -> None:
    root = write_voc(tmp_path)
    write_text(root / "ImageSets" / "Main" / "train.txt", text)
    outcome(root)
