"""`yolo convert`: what it prints, writes and exits with."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tests.made_sets import write_voc, write_yolo
from yolo_cli import convert
from yolo_cli.cli import main
from yolo_cli.datasets import open_dataset


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_yolo(tmp_path / "yolo")
    return lambda *words: CliRunner().invoke(main, ["convert", *words])


def test_it_prints_the_splits_and_says_where(run):
    done = run("--data", "yolo", "--to", "coco", "--out", "new")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "split  images  background  boxes",
        "train       2           1      2",
        "val         2           0      2",
    ]
    assert done.stderr == "2 classes, coco form, saved in new\n"


def test_json_is_what_python_gets(run, tmp_path):
    words = ("--split", "train=.5,val=.5", "--seed", "3", "--map", "cat=lion", "--classes", "lion,dog")
    printed = run("--data", "yolo", "--to", "voc", "--out", "new", *words, "--format", "json", "--link", "-q")
    split = {"train": 0.5, "val": 0.5}
    options = {"map": {"cat": "lion"}, "classes": ["lion", "dog"], "seed": 3, "link": True}
    ours = convert(["yolo"], "voc", "again", split=split, **options)
    assert json.loads(printed.stdout) | {"out": "again"} == ours.to_dict()
    one, two = open_dataset(tmp_path / "new"), open_dataset(tmp_path / "again")
    assert one.content_hash == two.content_hash


def test_what_is_lost_and_left_out_is_named(run, tmp_path):
    write_voc(tmp_path / "voc")
    label = tmp_path / "voc" / "Annotations" / "a.xml"
    label.write_text(label.read_text().replace("</object>", "<difficult>1</difficult></object>", 1))
    (tmp_path / "voc" / "JPEGImages" / "d.jpg").write_bytes(b"no image")
    done = run("--data", "voc", "--to", "yolo", "--out", "new")
    assert done.exit_code == 5
    left_out, lost, _ = done.stderr.splitlines()
    assert left_out.startswith("error: left out: ")
    assert "d.jpg" in left_out
    assert lost == "warning: yolo cannot hold difficult: the flag is dropped (1 box)"


def test_several_data_sets_and_an_existing_folder(run, tmp_path):
    write_voc(tmp_path / "voc")
    words = ("--data", "yolo", "--data", "voc", "--to", "yolo", "--out", "both")
    assert run(*words).exit_code == 0
    assert len(open_dataset(tmp_path / "both")) == 8
    again = run(*words)
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr.endswith("both: exists and is not empty; name another folder\n")
    assert run(*words, "--exist-ok").exit_code == 0


def test_nothing_to_convert(run, tmp_path):
    for path in (tmp_path / "yolo" / "images").rglob("*.jpg"):
        path.write_bytes(b"")
    done = run("--data", "yolo", "--to", "voc", "--out", "new")
    assert done.exit_code == 3
    assert not (tmp_path / "new").exists()
