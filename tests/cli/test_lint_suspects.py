"""`yolo lint` with a model: suspects on stdout, as JSON and as a page; corrections into a copy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.fake_eval import Fake, fake_cli
from tests.training_sets import write_shapes
from yolo_cli import UsageError, find_suspects, lint
from yolo_cli.datasets import open_dataset


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """The model is right; the first label of a is swapped, and that of c is dropped."""
    run = fake_cli(tmp_path, monkeypatch)
    label = Path("yolo/labels/train/a.txt")
    label.write_text(label.read_text().replace("0 ", "1 ", 1))
    Path("yolo/labels/val/c.txt").write_text("")
    return run


WITH_MODEL = ("lint", "--data", "yolo", "--weights", "yolov4-tiny-coco")


def test_a_table_and_a_page(cli):
    done = cli(*WITH_MODEL)
    assert done.exit_code == 0
    *_, head, columns, first, second = done.stdout.splitlines()
    assert head == (
        "2 suspect labels (1 overlooked, 1 swapped, 0 misplaced, 0 invented), 2 with a score from 0.5 by fake"
    )
    assert columns.split() == ["suspect", "score", "where", "labelled", "the", "model", "sees"]
    assert sorted([first.split()[::2], second.split()[::2]]) == [
        ["overlooked", "images/val/c.jpg", "dog"],
        ["swapped", "labels/train/a.txt:1", "cat"],
    ]
    assert "open runs/lint/suspects.html in a browser" in done.stderr
    assert Path("runs/lint/suspects.html").is_file()


def test_json_is_that_of_the_api(cli):
    done = cli(*WITH_MODEL, "--format", "json", "--quiet", "--split", "train", "--out", "there")
    suspects = find_suspects("yolo", "yolov4-tiny-coco", split="train")
    assert json.loads(done.stdout) == {**lint("yolo").to_dict(), "suspects": suspects.to_dict()}
    assert json.loads(Path("there/suspects.json").read_text()) == suspects.to_dict()
    assert done.stderr == ""
    assert suspects.to_dict()["images"] == 2


def test_corrections_go_into_a_copy(cli):
    suspects = find_suspects("yolo", "yolov4-tiny-coco")
    accepted = {"content_hash": suspects.content_hash}
    accepted["corrections"] = [it.correction() for it in suspects.suspects]
    Path("accepted.json").write_text(json.dumps(accepted))
    done = cli("lint", "--data", "yolo", "--apply", "accepted.json", "--fix", "fixed")
    assert done.exit_code == 0
    assert "images/train/a.jpg: box 1 is cat now" in done.stdout
    assert "images/val/c.jpg: added dog at 4 16 12 48" in done.stdout
    counts = {it.path.stem: len(it.labels) for it in open_dataset("fixed").samples}
    assert counts == {"a": 2, "b": 0, "c": 1, "d": 1}
    again = cli("lint", "--data", "fixed", "--apply", "accepted.json", "--fix", "twice")
    assert again.exit_code == 3
    assert "error: accepted.json: was made for other data than" in again.stderr
    assert not Path("twice").exists()


def test_a_model_that_learnt_the_labels_is_named(cli):
    data = open_dataset("yolo")
    cli.fake = replace(cli.fake, source={"data_sha256": data.content_hash})
    assert "fake was trained on 2 of the 4 images, so it may repeat" in cli(*WITH_MODEL).stderr


def test_classes_that_the_model_does_not_know_are_not_ranked(cli):
    cli.fake = replace(cli.fake, class_names=("sheep", "dog"))
    done = cli(*WITH_MODEL)
    assert "labels of classes that the model does not know are not ranked: cat" in done.stderr
    assert "a.txt:1" not in done.stdout
    assert "a.txt:1" in cli(*WITH_MODEL, "--map", "sheep=cat").stdout


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--apply", "x.json"), "--apply writes corrections into a copy; name its folder with --fix"),
        (("--max-minutes", "3"), "--max-minutes is for finding suspect labels; it goes with --weights"),
        (("--map", "a=b"), "--map is for finding suspect labels"),
        (("--weights", "yolov4-tiny-coco", "--seed", "1"), "--seed is for training; it goes with --cross"),
        (("--cross-validate", "3", "--split", "val"), "--split goes with a model"),
        (("--cross-validate", "1"), "1 is not in the range x>=2"),
        ((*WITH_MODEL[3:], "--out", "yolo/suspects"), "yolo/suspects: is in the data set"),
    ],
)
def test_options_that_do_not_fit(cli, words, fault):
    done = cli("lint", "--data", "yolo", *words)
    assert done.exit_code == 2
    assert fault in done.stderr


def test_a_model_or_folds_are_needed(cli):
    with pytest.raises(UsageError, match="name a model with"):
        find_suspects("yolo")


def test_each_image_is_seen_by_the_model_of_the_other_folds(cli, monkeypatch):
    folds = []

    def trained(data, rest, how, folder, watcher):
        folds.append({sample.path.stem for sample in rest})
        return Fake(seen=seen)

    seen: list[str] = []
    monkeypatch.setattr("yolo_cli.suspects.finding._trained", trained)
    done = cli("lint", "--data", "yolo", "--cross-validate", "2")
    assert "2 suspect labels (1 overlooked, 1 swapped, 0 misplaced, 0 invented)" in done.stdout
    assert "fold 1 of 2: 2 images held out" in done.stderr
    assert sorted(seen) == ["a", "b", "c", "d"]
    assert folds[0] | folds[1] == set("abcd")
    assert folds[0].isdisjoint(folds[1])
    assert set(seen[:2]).isdisjoint(folds[0])


@pytest.mark.slow
def test_cross_validation_trains(tmp_path):
    data = write_shapes(tmp_path / "shapes")
    report = find_suspects(data, cross_validate=2, epochs=1, imgsz=64)
    assert len(report.dataset) == len(open_dataset(data))
    assert report.model == "2 models of held-out folds, from yolov4-tiny-coco"
