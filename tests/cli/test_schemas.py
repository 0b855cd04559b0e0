"""What the commands print is what the published schemas promise."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator, ValidationError

from tests.made_sets import write_coco, write_yolo
from tests.shared import ROOT
from yolo_cli.cli import main


def validator(name):
    schema = json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


DETECT, EVAL = validator("detect"), validator("eval")


def test_detect_json(cli):
    printed = json.loads(cli("detect", "p", "bad.jpg", "--format", "json", "--no-save").stdout)
    assert [set(image) == {"image", "error"} for image in printed["images"]] == [False, False, False, True]
    DETECT.validate(printed)
    for part in printed["images"]:
        DETECT.validate(part)


def test_detect_ndjson(cli):
    done = cli("detect", "p", "bad.jpg", "--format", "ndjson", "--no-save", "--conf", "0.99")
    assert len(done.stdout.splitlines()) == 4
    for line in done.stdout.splitlines():
        DETECT.validate(json.loads(line))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda image: image.pop("width"),
        lambda image: image.update(height="40"),
        lambda image: image.update(extra=1),
        lambda image: image["detections"][0].update(confidence=1.5),
        lambda image: image["detections"][0]["box"].append(0),
        lambda image: image["detections"][0].pop("class_name"),
        lambda image: image["time_ms"].update(read=-1),
    ],
)
def test_the_schema_refuses_other_records(cli, spoil):
    image = json.loads(cli("detect", "p/a.jpg", "--format", "ndjson", "--no-save").stdout)
    spoilt = copy.deepcopy(image)
    spoil(spoilt)
    DETECT.validate(image)
    with pytest.raises(ValidationError):
        DETECT.validate(spoilt)


@pytest.fixture
def figures(tmp_path, monkeypatch):
    """Run `yolo eval` on another program's boxes: c.jpg's dog, and a cat that is not there."""
    monkeypatch.chdir(tmp_path)
    write_coco(tmp_path / "coco")
    write_yolo(tmp_path / "yolo")
    rows = [
        {"image_id": 100, "category_id": 3, "bbox": [4, 16, 8, 32], "score": 0.9},
        {"image_id": 100, "category_id": 7, "bbox": [32, 24, 32, 24], "score": 0.8},
    ]
    Path("r.json").write_text(json.dumps(rows))
    Path("none.json").write_text("[]")

    def run(*words):
        done = CliRunner().invoke(main, ["eval", "--data", "coco", "--format", "json", *words])
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize(
    "words",
    [
        ["r.json"],
        ["none.json"],
        ["r.json", "--protocol", "voc10", "--iou", "0.75"],
        ["r.json", "--target-precision", "0.9", "--cross-check"],
    ],
)
def test_eval_json(figures, words):
    EVAL.validate(figures("--detections", *words, "--no-save"))


def test_eval_json_with_a_baseline(figures):
    EVAL.validate(figures("--detections", "none.json", "--out", "first"))
    printed = figures("--detections", "r.json", "--baseline", "first", "--no-save")
    assert set(printed["baseline"]) == {"map50", "map50_95"}
    EVAL.validate(printed)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value.pop("map50"),
        lambda value: value.update(map=1.01),
        lambda value: value["per_class"][0].update(unknown=1),
        lambda value: value["protocol"].update(name="mine"),
        lambda value: value["coco"].update(map=0.5),
    ],
)
def test_the_schema_refuses_other_figures(figures, spoil):
    value = figures("--detections", "r.json", "--no-save")
    spoil(value)
    with pytest.raises(ValidationError):
        EVAL.validate(value)
