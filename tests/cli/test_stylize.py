"""`yolo stylize`, with few steps on small images."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.shared import ROOT
from tests.training_sets import write_shapes
from yolo_cli import stylize_data
from yolo_cli.cli import main
from yolo_cli.datasets import open_dataset
from yolo_cli.errors import UsageError

CAT, PAINTING = str(ROOT / "examples" / "cat.jpg"), str(ROOT / "docs" / "course" / "painting.jpg")


def yolo(*words: str):
    return CliRunner().invoke(main, ["stylize", *words], prog_name="yolo")


def test_one_image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = yolo(CAT, "--style", PAINTING, "--imgsz", "64", "--steps", "6", "--format", "json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["size"], told["steps"]) == ([38, 64], 6)  # 270 · 64 / 451 = 38.3
    assert told["last"]["style"] < told["first"]["style"]
    assert done.stderr.splitlines()[-1] == "saved runs/stylize/cat.png"
    assert (tmp_path / "runs" / "stylize" / "cat.png").is_file()


def test_a_folder_with_files_is_refused_before_the_work(tmp_path, monkeypatch):
    def works(*_, **__):
        raise AssertionError("it began")

    monkeypatch.setattr("yolo_cli.api.styling.stylize", works)
    (tmp_path / "a.txt").write_text("mine")
    done = yolo(CAT, "--style", PAINTING, "--out", str(tmp_path))
    assert done.exit_code == 2
    assert "holds files already" in done.stderr


def test_a_data_set(tmp_path):
    """Boxes and sizes stay, the pixels do not; the data set itself is as it was."""
    data = write_shapes(tmp_path / "shapes", train=1, val=1)
    before = {path: path.read_bytes() for path in data.rglob("*.*") if path.is_file()}
    out = stylize_data(data, PAINTING, tmp_path / "out", imgsz=64, steps=2)
    assert before == {path: path.read_bytes() for path in before}
    old, new = open_dataset(data), open_dataset(out)
    assert [sample.split for sample in new.samples] == [sample.split for sample in old.samples]
    for one, other in zip(old.samples, new.samples, strict=True):
        assert other.ground_truth.xyxy == pytest.approx(one.ground_truth.xyxy)
        assert other.size == one.size
        assert np.abs(other.read().rgb.astype(int) - one.read().rgb).mean() > 1
    with pytest.raises(UsageError, match="exists"):
        stylize_data(data, PAINTING, tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--style", PAINTING], 2, "either an IMAGE or --data"),
        ([CAT, "--data", "x", "--style", PAINTING], 2, "either an IMAGE or --data"),
        (["--data", "x", "--style", PAINTING], 2, "--data needs --out"),
        (["--data", "x", "--style", PAINTING, "--out", "y", "--exist-ok"], 2, "needs a new folder"),
        ([CAT, "--style", "no.jpg"], 3, "no.jpg"),
        ([CAT, "--style", PAINTING, "--imgsz", "8"], 2, "between 64 and 2048"),
        ([CAT, "--style", PAINTING, "--steps", "0"], 2, "at least 1"),
        ([CAT, "--style", PAINTING, "--style-weight", "-1"], 2, "between 0 and 1,000,000"),
        ([CAT, "--style", PAINTING, "--style-weight", "1e308"], 2, "between 0 and 1,000,000"),
        ([CAT, "--style", PAINTING, "--backbone", "nosuch"], 2, "nosuch"),
        ([CAT, "--style", PAINTING, "--weights", "fast-rcnn-voc"], 2, "features of another network"),
    ],
)
def test_what_cannot_be_done(words, code, says):
    done = yolo(*words)
    assert (done.exit_code, done.stderr.count("\n")) == (code, 1)
    assert says in done.stderr
