from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.made_sets import write_coco, write_yolo
from yolo_cli.anchors import read_anchors
from yolo_cli.images import read_image


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_table_and_two_files(cli, tmp_path):
    # In train there are 32x24 and 16x24 pixels on images of 64: at 416, 6.5 times as large. Both come
    # nearest to 135x169: 104 * 156 / (135 * 169) is .711, 21060 / (208 * 156 + 135 * 169 - 21060) is .616.
    done = cli("anchors", "--data", write_yolo(tmp_path / "pets"), "-k", 2)
    assert done.exit_code == 0
    assert done.stdout == (
        "2 boxes on 2 images, at 416 pixels\n"
        "\n"
        "width  height\n"
        "104.0   156.0\n"
        "208.0   156.0\n"
        "\n"
        "                       mean IoU  best possible recall\n"
        "these                     1.000                 1.000\n"
        "present (yolov4-tiny)     0.663                 1.000\n"
        "\n"
        "in a Darknet cfg: anchors = 104,156,  208,156\n"
    )
    assert done.stderr == f"saved in {Path('runs/anchors/fit/anchors.yaml')} and anchors.png\n"
    saved = read_anchors("runs/anchors/fit/anchors.yaml")
    assert (saved.wh.tolist(), saved.imgsz, saved.name) == ([[104, 156], [208, 156]], 416, "pets-2")
    assert "2 boxes of pets" in saved.source
    assert read_image("runs/anchors/fit/anchors.png").width == 1200
    again = cli("anchors", "--data", "pets", "-k", 2, "--quiet")
    assert (again.exit_code, again.stderr) == (0, "")
    assert Path("runs/anchors/fit2/anchors.yaml").is_file()


def test_json(cli, tmp_path):
    write_coco(tmp_path / "pets")
    done = cli("anchors", "--data", "pets", "-k", 1, "--imgsz", 64, "--against", "yolov3", "--format", "json")
    report = json.loads(done.stdout)
    # One of the boxes itself, IoU 1 and 16 / 32, beats their median 24x24, IoU 24 / 32 and 16 / 24.
    assert report["anchors"] == [[32, 24]]
    assert report["mean_iou"] == 0.75
    assert report["best_possible_recall"] == 1
    assert report["present"].keys() == {"name", "mean_iou", "best_possible_recall"}
    assert (report["boxes"], report["images"], report["imgsz"]) == (2, 2, 64)
    assert len(report["content_hash"]) == 64


def test_out_is_not_overwritten(cli, tmp_path):
    write_yolo(tmp_path / "pets")
    words = ("anchors", "--data", "pets", "-k", 1, "--out", "mine.yaml", "--quiet")
    assert cli(*words).exit_code == 0
    done = cli(*words)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "mine.yaml exists" in done.stderr
    assert cli(*words, "--exist-ok").exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("mine*")) == ["mine.png", "mine.yaml"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--data", "pets", "-k", "3"], 3, "only 2 different sizes"),
        (["--data", "nowhere"], 3, "nowhere"),
        (["--data", "pets", "--against", "yolo12"], 2, "no such anchors"),
        (["--data", "pets", "-k", "0"], 2, "-k"),
        ([], 2, "--data"),
    ],
)
def test_faults_are_one_line_and_write_nothing(cli, tmp_path, words, code, says):
    write_yolo(tmp_path / "pets")
    done = cli("anchors", *words)
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (code, 1, "")
    assert says in done.stderr
    assert not Path("runs").exists()
