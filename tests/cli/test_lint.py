from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.made_sets import write_text, write_yolo
from yolo_cli.datasets import RULES, open_dataset


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """b has a row without width, a box that sticks out, and twelve small ones."""
    root = write_yolo(tmp_path / "pets")
    small = "".join(f"0 {0.05 + 0.075 * i} .5 .005 .5\n" for i in range(12))
    write_text(root / "labels" / "train" / "b.txt", f"1 .5 .5 0 .5\n1 .9 .5 .4 .5\n{small}")
    return root


def test_a_clean_set(cli, tmp_path):
    done = cli("lint", "--data", write_yolo(tmp_path))
    assert done.stdout == (
        "YOLO data set: 4 images (2 train, 2 val), 2 classes, 4 boxes\nnothing is wrong with it\n"
    )
    assert (done.exit_code, done.stderr) == (0, "0 errors, 0 warnings\n")


def test_errors_are_a_table_and_exit_3(cli, faulty):
    done = cli("lint", "--data", faulty)
    assert (done.exit_code, done.stderr) == (3, "1 error, 13 warnings\n")
    assert "Y302 error" in done.stdout
    assert "labels/train/b.txt:1 " in done.stdout
    assert "Y304 warning" in done.stdout
    assert done.stdout.count("Y307 warning") == 10
    assert "and 2 more; --format json lists all" in done.stdout


def test_warnings_alone_exit_0(cli, faulty):
    label = faulty / "labels" / "train" / "b.txt"
    label.write_text(label.read_text().split("\n", 1)[1])
    done = cli("lint", "--data", faulty, "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")


def test_json_lists_all(cli, faulty):
    done = cli("lint", "--data", faulty, "--format", "json", "--imgsz", "320")
    report = json.loads(done.stdout)
    assert done.exit_code == 3
    assert report.keys() == {
        "data", "kind", "content_hash", "imgsz", "splits", "classes", "errors", "warnings", "findings",
    }  # fmt: skip
    assert report["imgsz"] == 320
    assert [f["code"] for f in report["findings"]] == ["Y302", "Y304"] + ["Y307"] * 12
    assert report["findings"][1] == {
        "code": "Y304",
        "name": "box-sticks-out",
        "severity": "warning",
        "where": "labels/train/b.txt:2",
        "what": "the box sticks out of the image: left 44.8, top 12, right 70.4, bottom 36 of 64x48",
    }


def test_fix_writes_a_copy_and_says_what_it_did(cli, faulty, tmp_path):
    done = cli("lint", "--data", faulty, "--fix", tmp_path / "fixed")
    assert done.exit_code == 0
    assert done.stdout.endswith(
        "\nfixed in the copy (2):\n"
        "  Y302 labels/train/b.txt:1: row left out\n"
        "  Y304 labels/train/b.txt:2: clipped\n"
    )
    assert done.stderr == f"1 error, 13 warnings; 0 errors, 12 warnings in the copy in {tmp_path / 'fixed'}\n"
    assert open_dataset(tmp_path / "fixed").class_counts().tolist() == [14, 3]
    again = cli("lint", "--data", faulty, "--fix", tmp_path / "fixed")
    assert again.exit_code == 2
    assert again.stderr.endswith("fixed: exists and is not empty; name another folder\n")


def test_fix_in_json(cli, faulty, tmp_path):
    done = cli("lint", "--data", faulty, "--fix", tmp_path / "fixed", "--format", "json")
    assert json.loads(done.stdout)["fix"] == {
        "out": str(tmp_path / "fixed"),
        "done": ["Y302 labels/train/b.txt:1: row left out", "Y304 labels/train/b.txt:2: clipped"],
        "errors_left": 0,
    }


def test_errors_that_no_copy_fixes_exit_3(cli, tmp_path):
    root = write_yolo(tmp_path / "pets", "train: images/train\nval: images/val\nnames: [cat, CAT]\n")
    done = cli("lint", "--data", root, "--fix", tmp_path / "fixed")
    assert done.exit_code == 3
    assert "1 error, 0 warnings in the copy" in done.stderr


def test_unlabelled_images_may_be_allowed(cli, tmp_path):
    root = write_yolo(tmp_path)
    (root / "labels" / "train" / "b.txt").unlink()
    assert cli("lint", "--data", root).exit_code == 3
    assert cli("lint", "--data", root, "--allow-unlabelled").exit_code == 0


def test_the_rules_are_listed(cli):
    done = cli("lint", "--rules")
    assert done.exit_code == 0
    assert [line[:4] for line in done.stdout.splitlines()] == sorted(RULES)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--data", "nowhere"], 3, "nowhere: no such file or folder"),
        ([], 2, "--data is missing"),
        (["--data", ".", "--imgsz", "5"], 2, "--imgsz"),
    ],
)
def test_faults_are_one_line(cli, words, code, says):
    done = cli("lint", *words)
    assert done.exit_code == code
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_label_files_in_another_encoding(cli, tmp_path):
    folder = write_yolo(tmp_path / "pets")
    keys = "train: images/train\nval: images/val\nnames: [cat, Käse]\n"
    (folder / "data.yaml").write_text(keys, encoding="cp1252")
    refused = cli("lint", "--data", folder)
    assert refused.exit_code == 3
    assert "data.yaml:3: is not text in UTF-8" in refused.stderr
    assert cli("lint", "--data", folder, "--encoding", "cp1252").exit_code == 0
    assert cli("lint", "--data", folder, "--encoding", "klingon").exit_code == 2
