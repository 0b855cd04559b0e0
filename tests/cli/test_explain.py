from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from tests.shared import ROOT
from yolo_cli.api.explaining import explain_saliency
from yolo_cli.cli import main

CAT = str(ROOT / "examples" / "cat.jpg")


def yolo(*words: str) -> Result:
    """The command with the bundled model itself: the fixture `cli` has a fake in its place."""
    return CliRunner().invoke(main, words, prog_name="yolo")


def test_text_and_image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = yolo("explain", CAT, "--at", "220,150")
    assert done.exit_code == 0
    assert done.stderr == "saved runs/explain/cat.png\n"
    assert (tmp_path / "runs" / "explain" / "cat.png").stat().st_size > 1000
    lines = done.stdout.splitlines()
    assert "at 220,150" in lines[0]
    assert any("stride 32, row 6, column 6, anchor 344x319" in line for line in lines)
    assert lines.count("     kept") == 1
    assert any("suppressed by 1: overlap 0.8" in line for line in lines)


def test_json():
    done = yolo("explain", CAT, "--at", "220.5,150", "--format", "json", "--no-save")
    told = json.loads(done.stdout)
    assert told["point"] == [220.5, 150]
    assert told["outcomes"][0]["class_name"] == "cat"
    assert [outcome["kept"] for outcome in told["outcomes"]].count(True) == 1


def test_proposals(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = yolo("explain", CAT, "--at", "220,150", "--weights", "fast-rcnn-voc")
    assert (done.exit_code, done.stderr) == (0, "saved runs/explain/cat.png\n")
    lines = done.stdout.splitlines()
    assert lines[0].endswith("at 220,150: 88 of 890 regions contain this point")
    assert sum(" cat    dog" in line for line in lines) == 10  # the best, with the class that comes next
    assert lines.count("     kept") == 1
    assert sum("suppressed by 1: overlap" in line for line in lines) == 10
    assert lines[-1] == "  3 more were suppressed: 3 by 1; --format json lists them all"


def test_windows_as_json():
    words = ("--weights", "windows-voc", "--conf", "0.6", "--format", "json", "--no-save")
    told = json.loads(yolo("explain", CAT, "--at", "220,150", *words).stdout)
    assert told["regions"] == 1302
    assert len(told["over"]) == 391
    best = told["best"][0]
    assert best["source"]["origin"].startswith("level 4 of 12, windows of 115x229, row 0, column 14")
    assert best["class_name"] == told["outcomes"][0]["class_name"] == "cat"
    assert best["scores"]["cat"] == best["confidence"]
    assert len(best["scores"]) == 20
    found = json.loads(yolo("detect", CAT, *words).stdout)["images"][0]["detections"]
    kept = [outcome for outcome in told["outcomes"] if outcome["kept"]]
    assert kept
    for outcome in kept:  # what detection prints is rounded
        assert any(entry["box"] == pytest.approx(outcome["xyxy"], abs=0.06) for entry in found)


def test_nothing_there():
    done = yolo("explain", CAT, "--at", "1,1", "--conf", "0.99", "--no-save")
    assert done.stdout.endswith("No box above the confidence 0.99 contains this point.\n")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--at", "9999,5"], 2, "outside"),
        (["--at", "here"], 2, "give X,Y"),
        ([], 2, "--at"),
        (["--at", "5,5", "--suppression", "soft"], 2, "soft"),
        (["--at", "5,5", "--weights", "nosuch"], 3, "nosuch"),
        (["--at", "5,5", "--weights", "windows-voc", "--suppression", "soft"], 2, "soft"),
        (["--at", "5,5", "--weights", "windows-voc", "--imgsz", "320"], 2, "--imgsz"),
        (["--at", "999,5", "--weights", "windows-voc"], 2, "outside"),
    ],
)
def test_what_cannot_be_done(words, code, says):
    done = yolo("explain", CAT, *words, "--no-save")
    assert done.exit_code == code
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_image():
    done = yolo("explain", "no.jpg", "--at", "5,5", "--no-save")
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)


def test_saliency_of_the_best_box(tmp_path, monkeypatch):
    """With few masks; the figure of the course comes from 400."""
    few = {**(explain_saliency.__kwdefaults__ or {}), "masks": 8}
    monkeypatch.setattr(explain_saliency, "__kwdefaults__", few)
    monkeypatch.chdir(tmp_path)
    done = yolo("explain", CAT, "--saliency", "--imgsz", "96", "--conf", "0.05", "-q")
    assert done.exit_code == 0, done.output
    assert " cat 0." in done.stdout
    assert (tmp_path / "runs" / "explain" / "cat.png").is_file()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([CAT], "give a point with --at, or a view such as --filters or --stages"),
        (["--at", "5,5"], "IMAGE is missing"),
        (["--layers"], "--data is missing"),
        ([CAT, "--filters", "--weights", "fast-rcnn-voc"], "works on the features of another network"),
    ],
)
def test_what_is_missing(words, says):
    done = yolo("explain", *words, "--no-save")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr


def test_a_folder_with_files_is_refused_before_the_work(tmp_path, monkeypatch):
    def works(*_, **__):
        raise AssertionError("it began")

    monkeypatch.setattr("yolo_cli.api.explaining.explain_saliency", works)
    (tmp_path / "a.txt").write_text("mine")
    done = yolo("explain", "a.jpg", "--saliency", "--out", str(tmp_path))
    assert done.exit_code == 2
    assert "holds files already" in done.stderr


def test_filters_and_layers(tmp_path, monkeypatch):
    """The bundled model: five layers, the last of which sees nearly the whole input."""
    monkeypatch.chdir(tmp_path)
    done = yolo("explain", CAT, "--filters", "--format", "json", "-q")
    layers = json.loads(done.stdout)["layers"]
    assert [(layer["stride"], layer["field_size"]) for layer in layers] == [
        (2, 3),
        (4, 31),
        (8, 83),
        (16, 187),
        (32, 331),
    ]
    assert layers[-1]["size"] == [13, 13]
    done = yolo(
        "explain", "--layers", "--data", str(ROOT / "examples"), "--limit", "1", "--imgsz", "64", "-q"
    )
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "runs").rglob("*.png")} == {"cat.png", "layers.png"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--overlap", "--box", "10,10,50,30", "--box", "30,10,70,30"], "IoU: 400 / 1,200 = 0.333"),
        (["--overlap", "--box", "100,50,430,260"], "IoU: 69,300 / 112,8"),
        (["--targets"], "stride 32: the centre is in row 6, column 6"),
        (["--targets", "--box", "13,0,431,270"], "Assigned to 2 slots"),
        (["--loss", "--box", "cat=13,0,431,270"], "ground truth cat 13,0,431,270"),
        (["--stages", "--conf", "0.05"], "4 boxes above the confidence 0.05; 1 after suppression"),
    ],
)
def test_worked_examples(words, says, tmp_path):
    done = yolo("explain", CAT, *words, "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert says in done.stdout
    assert (tmp_path / "cat.png").stat().st_size > 1000
    told = json.loads(yolo("explain", CAT, *words, "--no-save", "--format", "json").stdout)
    assert told["image"] == CAT


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--overlap"], "give one --box"),
        (["--overlap", *["--box", "1,1,5,5"] * 3], "3 boxes"),
        (["--overlap", "--box", "1,1,5"], "is not a box; give X1,Y1,X2,Y2"),
        (["--targets", "--box", "9,9,1,1"], "X1 < X2"),
        (["--targets", *["--box", "1,1,5,5"] * 2], "one --box"),
        (["--targets", "--weights", "fast-rcnn-voc"], "has no anchors on a grid"),
        (["--loss"], "--box CLASS=X1,Y1,X2,Y2 is missing"),
        (["--loss", "--box", "1,1,5,5"], "is missing"),
        (["--loss", "--box", "unicorn=1,1,5,5"], "has no class 'unicorn'"),
        (["--stages", "--suppression", "soft"], "soft"),
    ],
)
def test_worked_examples_that_cannot_be(words, says):
    done = yolo("explain", CAT, *words, "--no-save")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr
