"""Gates, baselines and thresholds of `yolo eval`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.fake_eval import Fake, fake_cli


@pytest.fixture
def cli(tmp_path, monkeypatch):
    return fake_cli(tmp_path, monkeypatch)


def test_a_gate_decides_the_exit_code(cli):
    met = cli("eval", "--data", "yolo", "--no-save", "--fail-under", "map50=1", "--fail-under", "recall=0.5")
    assert met.exit_code == 0
    cli.fake = Fake(class_names=("cat", "hound"))
    missed = cli("eval", "--data", "yolo", "--no-save", "-q", "--fail-under", "map50=0.60")
    assert (missed.exit_code, missed.stderr) == (4, "error: map50 is 0.5000, but must be at least 0.6\n")
    assert "mAP50" in missed.stdout  # the figures are told all the same


def test_a_gate_that_names_no_figure_is_refused_before_anything_is_loaded(cli, monkeypatch):
    def fail(**_):
        raise AssertionError("the detector was loaded")

    monkeypatch.setattr("yolo_cli.detectors.load_detector", fail)
    for words, says in (
        (["foo=1"], "unknown figure 'foo'"),
        (["ap:bird=1"], "unknown figure 'ap:bird'"),
        (["ap:cat=1", "--classes", "dog"], "unknown figure 'ap:cat'; there are map, map50"),
        (["AP50=1", "--protocol", "voc10"], "unknown figure 'AP50'"),
    ):
        done = cli("eval", "--data", "yolo", "--fail-under", *words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert says in done.stderr
    assert not Path("runs").exists()


def test_a_baseline_is_compared_with(cli):
    cli("eval", "--data", "yolo", "--split", "train")
    same = cli.figures("eval", "--data", "yolo", "--split", "train", "--no-save", "--baseline", "runs/eval")
    assert same["baseline"]["map50"]["verdict"] == "not distinguishable"
    assert same["baseline"]["map50"]["difference"] == 0
    text = cli("eval", "--data", "yolo", "--split", "train", "--baseline", "runs/eval/run.json")
    assert "against the baseline" in text.stdout
    assert "not distinguishable" in Path("runs/eval2/report.html").read_text()


def test_a_run_that_is_worse_can_fail_a_build(cli):
    cli("eval", "--data", "yolo", "--split", "train")
    cli.fake = Fake(class_names=("dog", "cat"))
    words = ("eval", "--data", "yolo", "--split", "train", "--no-save", "-q", "--baseline", "runs/eval")
    assert cli(*words).exit_code == 0
    # Of two images one is empty, and drawn alone in a quarter of the draws; it has no figure then.
    done = cli(*words, "--fail-if-worse")
    assert done.exit_code == 4
    assert "error: map50 is worse than the baseline's" in done.stderr


@pytest.mark.parametrize("text", ["", "{}", '{"record": {"images": 3}}', "[1"])
def test_a_baseline_that_is_none_is_one_line(cli, text):
    Path("b.json").write_text(text)
    done = cli("eval", "--data", "yolo", "--no-save", "--baseline", "b.json")
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert "b.json: is not a run.json of yolo eval" in done.stderr


def test_a_baseline_on_other_images_is_one_line(cli):
    cli("eval", "--data", "yolo", "--split", "train")
    done = cli("eval", "--data", "yolo", "--no-save", "-q", "--baseline", "runs/eval")
    assert done.exit_code == 3
    assert done.stderr == "error: the two runs were evaluated on different images, and cannot be compared\n"


def test_thresholds_for_a_precision(cli):
    value = cli.figures("eval", "--data", "yolo", "--no-save", "--target-precision", "0.95")
    # float32's 0.9 is a hair below 0.9, so three decimals that keep it are 0.899.
    assert value["thresholds"]["cat"] == pytest.approx({"confidence": 0.899, "precision": 1.0, "recall": 1.0})
    assert (
        "for precision 0.95"
        in cli("eval", "--data", "yolo", "--no-save", "--target-precision", "0.95").stdout
    )
