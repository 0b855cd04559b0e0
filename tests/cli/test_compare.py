from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from tests.made_sets import write_voc
from tests.shared import ROOT
from tests.training_sets import write_shapes
from yolo_cli.cli import main

EXAMPLES = str(ROOT / "examples")


def yolo(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_a_folder_without_labels(tmp_path):
    out = tmp_path / "out"
    done = yolo("compare", "--data", EXAMPLES, "--detectors", "YOLO,convolutional window", "--out", str(out))
    assert done.exit_code == 0, done.output
    title, yolo_row, window_row = done.stdout.splitlines()
    assert title.split()[:4] == ["detector", "mAP50", "recall", "regions"]
    assert yolo_row.split()[:2] == ["YOLO", "-"]
    assert window_row.startswith("convolutional window")
    assert "From the sliding window to YOLO: 3 images of examples" in (out / "comparison.html").read_text()


def test_json_of_a_labelled_set(tmp_path):
    write_voc(tmp_path / "data")
    words = ["--detectors", "YOLO", "--format", "json", "--quiet", "--out", str(tmp_path / "out")]
    done = yolo("compare", "--data", str(tmp_path / "data"), *words)
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["images"] == 2  # of val
    [row] = told["detectors"]
    assert row["name"] == "YOLO"
    assert row["finished"]
    assert row["map50"] is not None


def test_classes_that_nobody_knows_are_compared_by_recall_alone(tmp_path):
    data = write_shapes(tmp_path / "data")
    words = ["--detectors", "YOLO,Faster R-CNN", "--format", "json", "--out", str(tmp_path / "out")]
    done = yolo("compare", "--data", str(data), *words)
    assert done.exit_code == 0, done.output
    assert [row["map50"] for row in json.loads(done.stdout)["detectors"]] == [None, None]
    assert json.loads(done.stdout)["detectors"][1]["recall"] is not None
    assert "YOLO: no mAP50, as these images show none of its classes" in done.stderr


def test_a_time_limit_that_is_reached_is_said(tmp_path):
    words = ["--detectors", "yolo", "--time-limit", "0", "--out", str(tmp_path / "out")]
    done = yolo("compare", "--data", EXAMPLES, *words)
    assert done.exit_code == 0
    assert "YOLO: time limit reached after 1 of 3 images" in done.stderr
    assert "1 (time limit)" in done.stdout


def test_some_images(tmp_path):
    words = ["--detectors", "yolo", "--limit", "2", "--format", "json", "--out", str(tmp_path / "out")]
    assert json.loads(yolo("compare", "--data", EXAMPLES, *words).stdout)["images"] == 2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--data", EXAMPLES, "--detectors", "R-CNM"], 2, "did you mean R-CNN?"),
        (["--data", "nowhere"], 3, "nowhere"),
        ([], 2, "--data"),
    ],
)
def test_what_cannot_be_done(words, code, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = yolo("compare", *words)
    assert (done.exit_code, done.stderr.count("\n")) == (code, 1)
    assert says in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_empty_folder(tmp_path):
    done = yolo("compare", "--data", str(tmp_path))
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)


def test_a_broken_data_set_is_not_taken_for_a_folder_of_images(tmp_path):
    (tmp_path / "data.yaml").write_text("names: [", encoding="utf-8")
    done = yolo("compare", "--data", str(tmp_path))
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert "data.yaml" in done.stderr
