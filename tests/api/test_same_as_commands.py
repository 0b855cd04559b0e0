"""What the commands print as JSON, a program gets from the API on the same input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli import test_calibrate
from tests.cli.fake_eval import fake_cli
from tests.cli.test_eval_results import results
from yolo_cli import calibrate, evaluate

pets = test_calibrate.pets  # a fixture


@pytest.fixture
def cli(tmp_path, monkeypatch):
    return fake_cli(tmp_path, monkeypatch)


def test_eval_of_a_model(cli):
    seen = []
    done = evaluate(
        "yolo",
        target_precision=0.5,
        cross_check=True,
        watch=lambda outcomes, total: seen.append(total) or outcomes,
    )
    words = ("--no-save", "--target-precision", "0.5", "--cross-check")
    assert json.loads(done.to_json()) == cli.figures("eval", "--data", "yolo", *words)
    assert (seen, done.faults, done.about.notes) == ([2], (), ())
    assert repr(done) == "<EvaluationResult fake on yolo, split val: mAP50 1.000, mAP50-95 1.000>"
    assert done.report.map50 == 1.0


def test_eval_with_every_option_that_changes_a_figure(cli):
    given = {
        "split": "train",
        "conf": 0.3,
        "iou": 0.75,
        "protocol": "voc10",
        "classes": ["dog", 0],
        "batch": 2,
    }
    words = "--split train --conf 0.3 --iou 0.75 --protocol voc10 --classes dog,0 --no-save"
    assert evaluate("yolo", **given).to_dict() == cli.figures("eval", "--data", "yolo", *words.split())


def test_eval_against_an_earlier_run(cli):
    page = evaluate("yolo").save("first")
    assert page == Path("first/report.html")
    again = evaluate("yolo", baseline="first")
    assert again.differences["map50"].verdict == "not distinguishable"
    printed = cli.figures("eval", "--data", "yolo", "--no-save", "--baseline", "first")
    assert json.loads(again.to_json()) == printed


def test_eval_of_another_programs_results(cli):
    results()
    Path("names.txt").write_text("hound\ncat\n")
    words = ("eval", "--data", "coco", "--detections", "r.json", "--no-save")
    assert evaluate("coco", detections="r.json").to_dict() == cli.figures(*words)
    rows = [{**row, "category_id": k} for k, row in enumerate(json.loads(Path("r.json").read_text()), 1)]
    Path("r.json").write_text(json.dumps(rows))
    renamed = cli.figures(*words, "--names", "names.txt", "--map", "hound=dog")
    for names in ("names.txt", ["hound", "cat"]):
        mapped = evaluate("coco", detections=Path("r.json"), names=names, map={"hound": "dog"})
        assert mapped.to_dict() == renamed


def test_an_evaluation_goes_on_where_it_was_interrupted(cli):
    whole = evaluate("yolo", split="train").to_dict()
    cli.fake = type(cli.fake)(stop_at="b")
    with pytest.raises(KeyboardInterrupt):
        evaluate("yolo", split="train", journal="seen.ndjson")
    cli.fake = type(cli.fake)()
    resumed = evaluate("yolo", split="train", journal="seen.ndjson", resume=True)
    assert (resumed.to_dict(), cli.fake.seen) == (whole, ["b"])


def test_calibration(pets):
    printed = json.loads(
        test_calibrate.yolo("calibrate", "--data", pets, "--out", "one", "--format", "json").stdout
    )
    done = calibrate(pets, out="two")
    assert repr(done).startswith(
        "<Calibrated weights/two.keras, weights/two.onnx, weights/two.md: D-ECE 0.275 be"
    )
    value = json.loads(done.to_json())
    assert value.pop("files") == [name.replace("one", "two") for name in printed.pop("files")]
    assert value == printed
