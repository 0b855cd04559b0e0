from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.made_sets import write_voc
from yolo_cli.cli import main
from yolo_cli.cli.train_regions import DETECTORS


def train(*words: str) -> Result:
    return CliRunner().invoke(main, ["train", *words])


def test_the_choice_is_what_can_be_trained():
    from yolo_cli.region_training import REGION_DETECTORS

    assert ("yolo", *REGION_DETECTORS) == DETECTORS


@pytest.mark.slow
def test_a_model_that_detects(tmp_path):
    write_voc(tmp_path / "data")
    out = tmp_path / "run"
    done = train(
        "--detector", "fast-rcnn", "--data", str(tmp_path / "data"), "--epochs", "1", "--out", str(out)
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [str(out / "weights" / f"best.{kind}") for kind in ("keras", "onnx")]
    assert "epoch 1 of 1: 1 of 1 steps, loss" in done.stderr
    assert not (out / "unfinished").exists()
    picture = next((tmp_path / "data" / "JPEGImages").iterdir())
    words = ["detect", str(picture), "--weights", str(out / "weights" / "best.onnx"), "--no-save"]
    assert CliRunner().invoke(main, words).exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--detector", "rcnn"], 2, "--data is missing"),
        (["--detector", "rcnn", "--data", "nowhere"], 3, "nowhere"),
        (["--detector", "rcnn", "--data", "x", "--imgsz", "416"], 2, "--imgsz: only --detector yolo"),
        (["--detector", "rcnn", "--resume", "runs/train"], 2, "--detector rcnn: the run in runs/train"),
        (["--resume", "runs/train"], 3, "--resume needs the folder of a run"),
        (["--detector", "ssd", "--data", "x"], 2, "--detector"),
    ],
)
def test_what_cannot_be_done(words, code, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = train(*words)
    assert (done.exit_code, done.stderr.count("\n")) == (code, 1)
    assert says in done.stderr
    assert not list(Path().iterdir())
