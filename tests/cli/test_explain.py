from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from tests.shared import ROOT
from yolo_cli.cli import main

CAT = str(ROOT / "examples" / "cat.jpg")


def yolo(*words: str) -> Result:
    """The command with the bundled model itself: the fixture `cli` has a fake in its place."""
    return CliRunner().invoke(main, words)


def test_text_and_picture(tmp_path, monkeypatch):
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
    assert told["fates"][0]["class_name"] == "cat"
    assert [fate["kept"] for fate in told["fates"]].count(True) == 1


def test_nothing_there():
    done = yolo("explain", CAT, "--at", "1,1", "--conf", "0.99", "--no-save")
    assert done.stdout.endswith("No box above the confidence 0.99 lies over this point.\n")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--at", "9999,5"], 2, "outside"),
        (["--at", "here"], 2, "give X,Y"),
        ([], 2, "--at"),
        (["--at", "5,5", "--suppression", "soft"], 2, "soft"),
        (["--at", "5,5", "--weights", "nosuch"], 3, "nosuch"),
    ],
)
def test_what_cannot_be_done(words, code, says):
    done = yolo("explain", CAT, *words, "--no-save")
    assert done.exit_code == code
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_picture():
    done = yolo("explain", "no.jpg", "--at", "5,5", "--no-save")
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
