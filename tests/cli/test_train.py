"""`yolo train`: what it refuses, and one small run from end to end."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tests.training_sets import write_shapes, write_tiny_cfg
from yolo_cli.cli import main
from yolo_cli.images import read_image


def run(*words: str):
    return CliRunner().invoke(main, ["train", *words])


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ([], "--data PATH names the images"),
        (["--data", "x", "--model", "a.cfg", "--backbone", "VGG16"], "--model and --backbone"),
        (["--data", "x", "--backbone-weights", "w.pth"], "goes with --backbone"),
        (["--resume", "runs/train", "--epochs", "9"], "leave --epochs out"),
        (["--data", "x", "--epochs", "0"], "--epochs is 0"),
        (["--data", "x", "--mosaic", "2"], "augmentation mosaic is 2"),
        (["--data", "x", "--imgsz", "big"], "is not a size"),
        (["--data", "x", "--use-val", "--patience", "3"], "leave one out"),
        (["--data", "x", "--teacher", "big"], "labels the images of --unlabelled FOLDER; give both"),
        (["--data", "x", "--use-val", "--unlabelled", "more"], "leave one out"),
        (["data=x"], "did you mean --data x?"),
        (["--data", "x", "--start-share", "2"], "--interpolate is 2"),
        (["--data", "x", "--close-mosaic", "2"], "--close-mosaic is 2"),
    ],
)
def test_wrong_usage(words: list[str], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert fault in result.output
    assert list(tmp_path.iterdir()) == []


def test_resume_needs_a_run(tmp_path: Path) -> None:
    result = run("--resume", str(tmp_path))
    assert result.exit_code == 3
    assert "args.yaml: no such file" in result.output


def test_data_that_is_not_there(tmp_path: Path) -> None:
    result = run("--data", str(tmp_path / "nothing"), "--out", str(tmp_path / "out"))
    assert result.exit_code == 3
    assert "no such file or folder" in result.output
    assert list(tmp_path.iterdir()) == []


def test_options_of_an_embedding_alone_are_refused() -> None:
    result = run("--quarter-turns")
    assert result.exit_code == 2
    assert "--quarter-turns belongs to --embedding" in result.stderr


def test_preview_draws_a_sheet_and_trains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = write_shapes(tmp_path / "data")
    result = run("--data", str(data), "--preview", "sheet.png", "--imgsz", "64")
    assert result.exit_code == 0, result.output
    # Four rows of four images of 64 pixels, with gaps of 4 pixels.
    assert read_image("sheet.png").rgb.shape == (268, 268, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "sheet.png"]


def test_a_small_run(tmp_path: Path) -> None:
    data, cfg, out = write_shapes(tmp_path / "data"), write_tiny_cfg(tmp_path), tmp_path / "out"
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    words = ["--epochs", "2", "--batch", "4", "--model", str(cfg), "--out", str(out), "--no-augment"]
    result = run("--data", str(data), *words)
    assert result.exit_code == 0, result.output
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert files == [
        "args.yaml", "report.html", "results.csv",
        "weights/best.keras", "weights/best.onnx", "weights/checkpoint.npz", "weights/last.keras",
    ]  # fmt: skip
    assert f"<code>yolo lint --data {data} --weights {out}</code>" in (out / "report.html").read_text()
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert rows[1]["map50_95"]
    args = yaml.safe_load((out / "args.yaml").read_text())
    assert (args["config"]["epochs"], args["augment"]["flip"]) == (2, 0.0)
    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before
    from yolo_cli.weights import read_card

    card = read_card(out / "weights" / "best.onnx")
    assert card.class_names == ("square", "disc")
    assert "mAP at IoU 0.5" in card.figures[0]
    assert card.source["data_sha256"] in card.training_data
    weights = str(out / "weights" / "best.onnx")
    for split, warns in (("train", True), ("val", False)):
        words_of_eval = ["eval", "--data", str(data), "--weights", weights, "--split", split, "--no-save"]
        assert ("that out was trained on" in CliRunner().invoke(main, words_of_eval).stderr) == warns
    again = run("--data", str(data), *words)
    assert again.exit_code == 2
    assert "holds files already" in again.output


def test_training_on_val_too_is_evaluated_on_test_and_only_at_the_end(tmp_path: Path) -> None:
    data, cfg, out = write_shapes(tmp_path / "data", test=3), write_tiny_cfg(tmp_path), tmp_path / "out"
    words = ["--epochs", "3", "--batch", "4", "--model", str(cfg), "--out", str(out), "--use-val"]
    result = run("--data", str(data), *words)
    assert result.exit_code == 0, result.output
    assert "12 images to learn from, 3 to validate on" in result.output
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        assert [row["map50"] != "" for row in csv.DictReader(file)] == [False, False, True]
    from yolo_cli.weights import read_card

    card = read_card(out / "weights" / "best.onnx")
    assert "3 test images" in card.figures[0]
    assert "used only then" in card.figures[1]
    assert "8 train, 4 val, 3 test images; learnt from train and val" in card.training_data
    assert card.source["learnt_from"] == "train,val"


def test_training_on_val_too_needs_a_test(tmp_path: Path) -> None:
    data = write_shapes(tmp_path / "data")
    result = run("--data", str(data), "--use-val", "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert 'has no split "test" to evaluate on' in result.output
    assert not (tmp_path / "out").exists()


def test_what_was_there_before_stays_where_nothing_is_learnt(tmp_path: Path) -> None:
    data, mine = write_shapes(tmp_path / "data"), tmp_path / "out" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    result = run("--data", str(data), "--use-val", "--out", str(mine.parent), "--exist-ok")
    assert result.exit_code == 2
    assert list(mine.parent.iterdir()) == [mine]


def test_a_gpu_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yolo_cli.engines.on_keras.keras_gpus", lambda: 0)
    data = write_shapes(tmp_path / "data")
    result = run("--data", str(data), "--out", str(tmp_path / "out"), "--device", "gpu")
    assert result.exit_code == 2
    assert "--device gpu: Keras sees no GPU; try --device cpu" in result.output
    assert not (tmp_path / "out").exists()


def test_without_a_gpu_no_backend_looks_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "KERAS_TORCH_DEVICE"):
        monkeypatch.setenv(name, "what was there")  # so that it is put back afterwards
    run("--data", str(tmp_path / "nothing"), "--device", "cpu")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"
    assert os.environ["JAX_PLATFORMS"] == os.environ["KERAS_TORCH_DEVICE"] == "cpu"


def test_the_old_name_of_interpolate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = []
    monkeypatch.setattr("yolo_cli.training.train", lambda job, *_, **__: jobs.append(job) or 1 / 0)
    data = write_shapes(tmp_path / "data")
    for number, option in enumerate(("--start-share", "--interpolate")):
        run("--data", str(data), "--out", str(tmp_path / f"out{number}"), option, "0.25")
    assert [job.config.interpolate for job in jobs] == [0.25, 0.25]
    assert "--start-share" not in CliRunner().invoke(main, ["train", "--help"]).stdout


@pytest.mark.parametrize("backend", ["jax9", "os"])
def test_a_backend_that_is_not_installed(backend: str, tmp_path: Path) -> None:
    data = write_shapes(tmp_path / "data")
    command = [sys.executable, "-m", "yolo_cli", "train", "--data", str(data), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"KERAS_BACKEND={backend}: no such backend is installed" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_time_budget_says_how_many_epochs_fit(tmp_path: Path) -> None:
    data, cfg = write_shapes(tmp_path / "data"), write_tiny_cfg(tmp_path)
    words = ["--model", str(cfg), "--batch", "4", "--out", str(tmp_path / "out"), "--max-minutes", "0.05"]
    result = run("--data", str(data), *words, "--epochs", "1000")
    assert result.exit_code == 0, result.output
    assert "up to 1000 epochs in 0.05 minutes" in result.output
    fit = re.search(r"at this speed, 0.05 minutes allow (\d+) epochs?", result.output)
    assert fit is not None
    assert int(fit[1]) < 1000
