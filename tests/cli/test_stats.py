"""`yolo stats`: tables, JSON, and where the page is."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tests.made_sets import write_yolo
from yolo_cli import dataset_stats
from yolo_cli.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_yolo(tmp_path / "yolo")
    return lambda *words: CliRunner().invoke(main, ["stats", "--data", "yolo", *words])


def test_tables_and_a_page(run, tmp_path):
    done = run()
    assert (done.exit_code, done.stderr) == (0, "saved in runs/stats/report.html\n")
    assert done.stdout.splitlines() == [
        "split  images  background  boxes  difficult  crowd",
        "train       2           1      2          0      0",
        "val         2           0      2          0      0",
        "",
        "class  boxes  images  train  val",
        "cat        2       2      1    1",
        "dog        2       2      1    1",
        "",
        "boxes: 4 small (below 32x32 pixels), 0 medium, 0 large (96x96 and more)",
        "images: 2 sizes, 3 of 64x48",
    ]
    assert "<title>yolo: 4 images</title>" in (tmp_path / "runs" / "stats" / "report.html").read_text()


def test_json_is_what_python_gets(run, tmp_path):
    done = run("--format", "json", "--no-save", "-q")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == dataset_stats("yolo", page="page.html").to_dict()
    assert (tmp_path / "page.html").exists()
    assert not (tmp_path / "runs").exists()


def test_an_unreadable_image(run, tmp_path):
    (tmp_path / "yolo" / "images" / "val" / "d.jpg").write_bytes(b"no image")
    done = run("--no-save")
    assert done.exit_code == 5
    assert "d.jpg" in done.stderr


def test_the_page_is_not_written_into_the_data_set(run, tmp_path):
    done = run("--out", "yolo/figures")
    assert done.exit_code == 2
    assert "yolo/figures: is in the data set, which is never written to" in done.stderr
    assert not (tmp_path / "yolo" / "figures").exists()
