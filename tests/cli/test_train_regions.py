from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.made_sets import write_voc
from tests.processes import heeding_signals
from yolo_cli.cli import main
from yolo_cli.datasets import open_dataset
from yolo_cli.training import TrainJob, read_job
from yolo_cli.training.job import write_job


def train(*words: str) -> Result:
    return CliRunner().invoke(main, ["train", *words])


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
    image = next((tmp_path / "data" / "JPEGImages").iterdir())
    words = ["detect", str(image), "--weights", str(out / "weights" / "best.onnx"), "--no-save"]
    assert CliRunner().invoke(main, words).exit_code == 0


def begun(folder: Path) -> Path:
    """The folder of a run of R-CNN that was cut off before it had done anything."""
    write_voc(folder / "data")
    run = folder / "run"
    run.mkdir()
    data = open_dataset(folder / "data")
    write_job(TrainJob(str(folder / "data"), run, "rcnn", fingerprint=data.content_hash))
    return run


def test_resume_needs_the_same_data(tmp_path):
    run = begun(tmp_path)
    image = sorted((tmp_path / "data" / "JPEGImages").iterdir())[0]
    image.write_bytes(image.read_bytes() + b"more")
    done = train("--resume", str(run))
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert "has changed since the run" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--detector", "fast-rcnn"], "--detector fast-rcnn: the run in"),
        (["--epochs", "2"], "leave --epochs out"),
        (["--no-augment"], "leave --no-augment out"),
        (["--seed", "0"], "leave --seed out"),  # the default, but asked for
    ],
)
def test_resume_takes_the_options_of_its_run(words, says, tmp_path):
    done = train("--resume", str(begun(tmp_path)), *words)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr


def test_resume_needs_the_data_where_it_is_said_to_be(tmp_path):
    done = train("--resume", str(begun(tmp_path)), "--data", "x")
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert "x: the data of" in done.stderr


def test_resume_refuses_options_of_a_config_file(tmp_path):
    config = tmp_path / "options.yaml"
    config.write_text("epochs: 2\n")
    done = train("--resume", str(begun(tmp_path)), "--config", str(config))
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "leave --epochs out" in done.stderr


def test_a_finished_run_is_left_as_it_is(tmp_path):
    run = begun(tmp_path)
    write_job(replace(read_job(run), finished=True))
    (run / "unfinished").mkdir()
    (run / "weights").mkdir()
    files = [run / "weights" / f"best.{kind}" for kind in ("keras", "onnx")]
    for file in files:
        file.write_text("a model", encoding="utf-8")
    done = train("--detector", "rcnn", "--resume", str(run))
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [str(file) for file in files]
    assert done.stderr.startswith("this run is finished already\n")
    assert {file.read_text(encoding="utf-8") for file in files} == {"a model"}
    assert sorted(path.name for path in run.iterdir()) == ["args.yaml", "weights"]


@pytest.mark.slow
def test_interrupt_says_how_to_go_on(tmp_path):
    write_voc(tmp_path / "data")
    words = ["--detector", "fast-rcnn", "--data", "data", "--epochs", "100000", "--out", "run"]
    command = [sys.executable, "-m", "yolo_cli", "train", *words]
    with heeding_signals():
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (tmp_path / "run" / "unfinished" / "mlp_head.npz").exists():
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130
    assert told.decode().endswith(
        "interrupted; what is done is kept. Continue with: yolo train --resume run\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--detector", "rcnn"], 2, "--data PATH names"),
        (["--detector", "rcnn", "--data", "nowhere"], 3, "nowhere"),
        (["--detector", "rcnn", "--data", "x", "--imgsz", "416"], 2, "--imgsz: only --detector yolo"),
        (["--detector", "rcnn", "--resume", "runs/train"], 3, "--resume needs the folder of a run"),
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
