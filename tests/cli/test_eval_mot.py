"""`yolo eval --mot`: MOT text against MOT text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.track_references import sample

GT = "1,1,1,1,10,10,1,-1,-1,-1\n2,1,1,1,10,10,1,-1,-1,-1\n"
SWITCH = "1,7,1,1,10,10,-1,-1,-1,-1\n2,8,1,1,10,10,-1,-1,-1,-1\n"


@pytest.fixture
def files(cli):
    Path("gt.txt").write_text(GT)
    Path("found.txt").write_text(SWITCH)
    return "eval", "--mot", "gt.txt", "--detections", "found.txt"


def test_table(cli, files):
    done = cli(*files)
    # HOTA: the detection is perfect; each match's ids share 1 of 2 boxes: sqrt(1 * 1/2) = 0.707.
    row = ["found", "0.707", "1.000", "0.500", "0.500", "0.500", "1", "0", "0"]
    assert done.stdout.splitlines()[1].split() == row
    assert done.exit_code == 0
    assert not Path("runs").exists()


def test_json(cli, files):
    printed = json.loads(cli(*files, "--format", "json").stdout)
    assert (printed["mota"], printed["id_switches"], printed["tracks"]) == (0.5, 1, 2)
    assert printed["sequences"][0]["sequence"] == "found"


def test_gates(cli, files):
    assert cli(*files, "--fail-under", "hota=0.7").exit_code == 0
    done = cli(*files, "--fail-under", "idf1=0.6")
    assert (done.exit_code, done.stderr) == (4, "error: idf1 is 0.5000, but must be at least 0.6\n")
    done = cli(*files, "--fail-under", "hotta=0.6")
    assert done.exit_code == 2
    assert "did you mean hota?" in done.stderr


def test_folders_of_sequences(cli):
    """One perfect sequence of 2 boxes, and one with a switch: MOTA 1 - 1/4."""
    Path("gt/a/gt").mkdir(parents=True)
    Path("found").mkdir()
    for path in ("gt/a/gt/gt.txt", "gt/b.txt", "found/a.txt"):
        Path(path).write_text(GT)
    Path("found/b.txt").write_text(SWITCH)
    words = "eval", "--mot", "gt", "--detections", "found"
    lines = cli(*words).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["sequence", "a", "b", "all"]
    assert json.loads(cli(*words, "--format", "json").stdout)["mota"] == 0.75
    Path("found/b.txt").unlink()
    done = cli(*words)
    assert (done.exit_code, "found: has no b.txt" in done.stderr) == (3, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,1,1,1,10\n", "line 1: has 5 columns, but needs frame,id,left,top,width,height"),
        ("\n1,1,x,1,10,10\n", "line 2: '1,1,x,1,10,10' is not a row of numbers"),
        ("1,1,nan,1,10,10\n", "out of range"),
        ("0,1,1,1,10,10\n", "must be integers, the frame from 1"),
        ("1,1.5,1,1,10,10\n", "must be integers"),
        ("3,1,1,1,10,10\n3,1,5,1,10,10\n", "frame 3 has the id 1 twice"),
        ("", "holds no box that counts"),
        ("1,1,1,1,10,10,0\n", "holds no box that counts"),
    ],
)
def test_faults_in_files(cli, files, text, said):
    Path("gt.txt").write_text(text)
    done = cli(*files)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("error: gt.txt: ")
    assert said in done.stderr


@pytest.mark.parametrize("words", [("--mot", "gt.txt"), ("--mot", "a", "--data", "b", "--detections", "c")])
def test_wrong_usage(cli, words):
    done = cli("eval", *words)
    assert (done.exit_code, "--mot needs --detections" in done.stderr) == (2, True)


def test_data_is_needed_for_all_else(cli):
    done = cli("eval")
    assert (done.exit_code, "missing option '--data'" in done.stderr) == (2, True)


def test_sample(cli):
    gt, found = map(str, sample("TUD-Campus"))
    printed = json.loads(cli("eval", "--mot", gt, "--detections", found, "--format", "json").stdout)
    # As py-motmetrics' README has them.
    assert (round(printed["idf1"], 3), round(printed["mota"], 3), printed["id_switches"]) == (0.558, 0.526, 7)
