"""`yolo eval` from the outside: what it prints, what it saves, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.fake_eval import Fake, fake_cli
from tests.images import encode, smooth


@pytest.fixture
def cli(tmp_path, monkeypatch):
    return fake_cli(tmp_path, monkeypatch)


def test_json_has_the_fields_that_are_documented(cli):
    value = cli.figures("eval", "--data", "yolo")
    assert {
        "protocol", "images", "map50", "map50_95", "map", "per_class", "precision", "recall", "confidence"
    } <= set(value)  # fmt: skip
    assert (value["images"], value["map"], value["map50"], value["map50_95"]) == (2, 1.0, 1.0, 1.0)
    assert {(it["class_name"], it["ap"], it["ground_truths"]) for it in value["per_class"]} == {
        ("cat", 1.0, 1),
        ("dog", 1.0, 1),
    }
    rules = value["protocol"]
    assert {rules["name"], rules["interpolation"]} == {"coco", "101 points"}
    assert (rules["confidence_floor"], rules["suppression"], rules["max_detections"]) == (
        0.001,
        "iou 0.45",
        300,
    )
    assert (rules["resize"], len(rules["data_hash"])) == ("letterbox 32x64", 16)
    assert rules["difficult"] == "ignored"


def test_text_and_files(cli):
    done = cli("eval", "--data", "yolo", "--plots")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("fake on yolo, split val: 2 images, 2 objects\nevaluated by coco")
    assert "saved in runs/eval; open runs/eval/report.html in a browser" in done.stderr
    names = {path.name for path in Path("runs/eval").iterdir()}
    assert names == {"detections.ndjson", "run.json", "report.html", "plots"}
    assert len(list(Path("runs/eval/plots").iterdir())) == 8
    assert "runs/eval2" in cli("eval", "--data", "yolo").stderr


def test_nothing_is_saved_if_so_wished(cli):
    done = cli("eval", "--data", "yolo", "--no-save", "-q")
    assert (done.exit_code, done.stderr) == (0, "")
    assert not Path("runs").exists()


def test_a_split_is_chosen(cli):
    assert cli.figures("eval", "--data", "yolo", "--split", "train", "--no-save")["images"] == 2
    done = cli("eval", "--data", "yolo", "--split", "test")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    Path("yolo/data.yaml").write_text("train: images/train\ntest: images/val\nnames: [cat, dog]\n")
    done = cli("eval", "--data", "yolo")
    assert done.exit_code == 2
    assert done.stderr == "error: yolo: has train and test, and no val; choose one with --split\n"


def test_the_data_of_the_config_is_evaluated_at_the_given_iou(cli):
    value = cli.figures("eval", "--data", "yolo", "--iou", "0.75", "--protocol", "voc07", "--no-save")
    assert (value["protocol"]["iou"], value["protocol"]["interpolation"]) == (0.75, "11 points")
    assert value["coco"] == {}


def test_classes_go_by_name_and_by_map(cli):
    cli.fake = Fake(class_names=("caat", "dog"))
    done = cli("eval", "--data", "yolo", "--no-save")
    assert "unknown to the model, and thus missed: 1 of 2 classes of the data: cat" in done.stderr
    assert "some of these may go by other names: --map 'caat=cat'" in done.stderr
    assert "1 class of the model is not in the data, and left out: caat" in done.stderr
    assert cli.figures("eval", "--data", "yolo", "--no-save")["map50"] == 0.5
    assert cli.figures("eval", "--data", "yolo", "--no-save", "--map", "caat=cat")["map50"] == 1.0
    only = cli.figures("eval", "--data", "yolo", "--no-save", "--classes", "1")
    assert [it["class_name"] for it in only["per_class"]] == ["dog"]


def test_classes_that_disagree_wholly_are_one_line(cli):
    cli.fake = Fake(class_names=("x", "y"))
    done = cli("eval", "--data", "yolo", "--no-save")
    assert done.exit_code == 3
    why = "no class of the model (x, y) is one of the data (cat, dog)"
    assert done.stderr == f"error: {why}; say which is which with --map old=new\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--iou", "0"], "--iou is 0.0; it must be above 0 and at most 1"),
        (["--fail-under", "map50"], "--fail-under map50: must be NAME=VALUE"),
        (["--fail-under", "mapp=0.5"], "unknown figure 'mapp'; did you mean map?"),
        (["--map", "a"], "--map a: must be OLD=NEW"),
        (["--map", "a=b,a=c"], "--map a=c: a is mapped to b already"),
        (["--map", "qq=cat"], "--map: the model has no class 'qq'"),
        (["--classes", "bird"], "--classes: the data has no class 'bird'"),
        (["--names", "f"], "--names goes with --detections"),
        (["--detections", "r.json", "--weights", "w"], "leave out --weights"),
        (["--cross-check", "--protocol", "voc10"], "--cross-check goes with --protocol coco only"),
        (["--fail-if-worse"], "--fail-if-worse needs a --baseline"),
        (["--resume", "a", "--out", "b"], "--resume names the run's folder by itself"),
        (["--plots", "--no-save"], "--plots are saved"),
        (["--target-precision", "1.5"], "--target-precision must be above 0 and at most 1"),
        (["--conf", "7"], "--conf must be between 0 and 1"),
    ],
)
def test_wrong_usage_is_one_line(cli, words, says):
    save = [] if {"--resume", "--plots"} & set(words) else ["--no-save"]
    done = cli("eval", "--data", "yolo", *words, *save)
    assert done.exit_code == 2
    assert says in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_cross_check_shows_twelve_figures(cli):
    value = cli.figures("eval", "--data", "coco", "--no-save", "--cross-check")
    assert len(value["cross_check"]) == 12
    assert all(
        it["ours"] == it["pycocotools"] or abs(it["ours"] - it["pycocotools"]) < 1e-9
        for it in value["cross_check"].values()
    )
    assert "pycocotools" in cli("eval", "--data", "coco", "--no-save", "--cross-check").stdout


def test_an_interrupted_run_goes_on(cli):
    cli.fake = Fake(stop_at="d")
    done = cli("eval", "--data", "yolo")
    assert done.exit_code == 130
    assert done.stderr.splitlines()[-1] == (
        "error: interrupted; what is done is kept; continue with the same options and --resume runs/eval"
    )
    cli.fake = Fake()
    assert cli.figures("eval", "--data", "yolo", "--resume", "runs/eval")["map50"] == 1.0
    assert cli.fake.seen == ["d"]  # c was done before
    other = cli("eval", "--data", "yolo", "--resume", "runs/eval", "--nms-iou", "0.6")
    assert other.exit_code == 3
    assert "was made with nms_iou 0.45, not 0.6" in other.stderr


def test_an_unreadable_image_is_named_and_left_out(cli):
    Path("yolo/images/val/d.jpg").write_bytes(encode(smooth(), "JPEG")[:300])
    done = cli("eval", "--data", "yolo", "--format", "json")
    assert done.exit_code == 5
    assert "error: images/val/d.jpg" in done.stderr
    assert json.loads(done.stdout)["images"] == 1
    Path("yolo/images/val/c.jpg").write_bytes(b"x")
    done = cli("eval", "--data", "yolo", "--no-save")
    assert done.exit_code == 3
    assert done.stderr.splitlines()[-1].endswith("none of its 2 images could be read")
