"""`yolo eval --detections`: what another program found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.fake_eval import fake_cli
from tests.made_sets import coco_json


@pytest.fixture
def cli(tmp_path, monkeypatch):
    return fake_cli(tmp_path, monkeypatch)


def results(path="r.json", **changes):
    """COCO results that find c.jpg's dog (3) and d.jpg's cat (7)."""
    rows = [
        {"image_id": 100, "category_id": 3, "bbox": [4, 16, 8, 32], "score": 0.9},
        {"image_id": 101, "category_id": 7, "bbox": [32, 24, 32, 24], "score": 0.8},
    ]
    rows[0].update(changes)
    Path(path).write_text(json.dumps(rows))
    return path


def test_a_results_file_of_another_program(cli):
    value = cli.figures("eval", "--data", "coco", "--detections", results())
    assert (value["model"], value["map50"], value["images"]) == ("r.json", 1.0, 2)
    assert value["protocol"]["suppression"] is None  # not known
    assert not Path("runs/eval/detections.ndjson").exists()


def test_the_images_themselves_are_not_needed_where_the_labels_give_their_sizes(cli):
    for image in Path("coco").rglob("*.jpg"):
        image.unlink()
    done = cli("eval", "--data", "coco", "--detections", results(), "--no-save", "--format", "json")
    assert (done.exit_code, json.loads(done.stdout)["map50"]) == (0, 1.0)


def test_results_on_half_of_the_images_show_in_the_exit_code(cli):
    Path("yolo/images/val/d.jpg").write_bytes(b"")
    rows = [{"image_id": "c", "category_id": 2, "bbox": [4, 16, 8, 32], "score": 0.9}]
    Path("r.json").write_text(json.dumps(rows))
    done = cli("eval", "--data", "yolo", "--detections", "r.json", "--no-save", "--format", "json")
    assert (done.exit_code, json.loads(done.stdout)["images"]) == (5, 1)
    assert "left out 1 of 2 images of the data: images/val/d.jpg" in done.stderr


def test_its_classes_may_have_a_list_of_their_own(cli):
    """hound and cat are categories 1 and 2 of the other program."""
    Path("names.txt").write_text("hound\ncat\n")
    rows = json.loads(Path(results()).read_text())
    for row, category in zip(rows, (1, 2), strict=True):
        row["category_id"] = category
    Path("r.json").write_text(json.dumps(rows))
    words = ("eval", "--data", "coco", "--detections", "r.json", "--names", "names.txt", "--no-save")
    assert cli.figures(*words)["map50"] == 0.5
    assert cli.figures(*words, "--map", "hound=dog")["map50"] == 1.0


def test_a_folder_of_labels_of_another_program(cli):
    Path("labels").mkdir()
    Path("labels/c.txt").write_text("1 0.25 0.5 0.25 0.5 0.9\n")
    value = cli.figures("eval", "--data", "yolo", "--detections", "labels", "--no-save")
    assert {it["class_name"]: it["ap"] for it in value["per_class"]} == {"cat": 0.0, "dog": 1.0}


def test_what_the_data_does_not_know_is_left_out_and_named(cli):
    results(image_id=999)
    done = cli("eval", "--data", "coco", "--detections", "r.json", "--no-save", "-q")
    assert done.exit_code == 5
    line = "error: r.json: 1 of 2 boxes left out: the data does not know their image_id; the first is 999\n"
    assert done.stderr == line
    results(category_id=55)
    done = cli("eval", "--data", "coco", "--detections", "r.json", "--no-save", "-q")
    assert (done.exit_code, "their category_id; the first is 55" in done.stderr) == (5, True)
    loud = cli("eval", "--data", "coco", "--detections", "r.json", "--no-save")
    assert loud.stderr.count("the first is 55") == 1


def bad_files():
    results("nan.json", score=float("nan"))
    results("negative.json", bbox=[4, 16, -8, 32])
    results("score.json", score=90)
    Path("truncated.json").write_text(Path(results()).read_text()[:-40])
    Path("alien.json").write_text(Path(results()).read_text().replace('"image_id": 10', '"image_id": 77'))
    Path("classes.json").write_text(
        Path(results()).read_text().replace('"category_id": ', '"category_id": 9')
    )
    Path("object.json").write_text(json.dumps(coco_json("val")))
    Path("empty.json").write_text("")
    with Path("huge.json").open("wb") as file:
        file.truncate(2 << 30)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nan.json", "entry 1 holds a number that is not finite"),
        ("negative.json", "entry 1 has a box of negative width or height"),
        ("score.json", "entry 1 has a score outside 0 to 1"),
        ("truncated.json", "is cut short or broken after 1 entries; write it again"),
        ("alien.json", "no image_id in it is an image of the data"),
        ("classes.json", "no category_id in it is a class of the data"),
        ("object.json", "is not a COCO results file, which is a JSON list"),
        ("empty.json", "is not a COCO results file"),
        ("huge.json", "is 2.0 GiB, and more than 0.5 GiB is not read"),
        ("missing.json", "no such file"),
    ],
)
def test_bad_results_are_one_line_each(cli, name, says):
    bad_files()
    done = cli("eval", "--data", "coco", "--detections", name, "--no-save")
    assert done.exit_code == 3
    assert done.stderr.startswith(f"error: {name}: {says}")
    assert done.stderr.count("\n") == 1


def test_external_results_are_evaluated_without_importing_model_code(cli):
    """No engine, no detector, no framework is imported for it."""
    results()
    code = (
        "import sys\nfrom yolo_cli.cli import main\n"
        "try: main(['eval', '--data', 'coco', '--detections', 'r.json', '-q', '--format', 'json'])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "ours = {f'yolo_cli.{name}' for name in ('detectors', 'engines', 'weights', 'codec', 'model')}\n"
        "heavy = {'onnxruntime', 'onnx', 'keras', 'tensorflow', 'matplotlib', 'pycocotools'} | ours\n"
        "heavy &= {*sys.modules}\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert json.loads(done.stdout)["map50"] == 1.0
    assert Path("runs/eval/report.html").exists()
