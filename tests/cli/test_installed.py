"""The real thing: the program as people run it, with the model that comes with it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.processes import heeding_signals
from tests.shared import ROOT
from yolo_cli.config import bundled

needs_model = pytest.mark.skipif(
    not (bundled("weights") / "yolov4-tiny-coco.onnx").is_file(),
    reason="the bundled model is not in ./weights",
)


def yolo(*words, cwd, stdin=None):
    command = [sys.executable, "-m", "yolo_cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, cwd=cwd, input=stdin, check=False, timeout=120)


@needs_model
def test_the_examples_hold_what_they_show(tmp_path):
    done = yolo("detect", ROOT / "examples", "--format", "ndjson", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    best = {}
    for line in done.stdout.splitlines():
        record = json.loads(line)
        best[record["image"].replace("\\", "/").rsplit("/", 1)[-1]] = record["detections"][0]["class_name"]
    assert best == {"astronaut.jpg": "person", "cat.jpg": "cat", "coffee.jpg": "cup"}
    folder = tmp_path / "runs" / "detect" / "predict"
    assert sorted(path.name for path in folder.iterdir()) == sorted(best)


@needs_model
def test_a_pipe_in_and_a_pipe_out(tmp_path):
    image = (ROOT / "examples" / "cat.jpg").read_bytes()
    done = yolo(
        "detect", "-", "--format", "json", "--no-save", "--classes", "cat", "-q", cwd=tmp_path, stdin=image
    )
    assert (done.returncode, done.stderr) == (0, b"")
    [record] = json.loads(done.stdout)["images"]
    assert [found["class_name"] for found in record["detections"]] == ["cat"]
    assert not list(tmp_path.iterdir())


@needs_model
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to another process")
def test_ctrl_c_ends_with_a_whole_document(tmp_path):
    examples = [str(path) for path in (ROOT / "examples").glob("*.jpg")]
    (tmp_path / "p").mkdir()
    for number in range(3000):  # minutes of work, if nothing interrupts
        (tmp_path / "p" / f"{number}.jpg").symlink_to(examples[0])
    command = [sys.executable, "-m", "yolo_cli", "detect", "p", "--format", "json", "--no-save"]
    with (tmp_path / "out.json").open("wb") as out, heeding_signals():
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while (tmp_path / "out.json").stat().st_size < 3000 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, complaint = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"error: interrupted after" in complaint
    assert len(json.loads((tmp_path / "out.json").read_text())["images"]) > 0


def test_a_model_that_is_not_there(tmp_path):
    done = yolo("detect", ROOT / "examples", "--weights", "yolov9000", cwd=tmp_path)
    assert done.returncode in (2, 3)
    assert done.stderr.startswith(b"error: no model is called 'yolov9000'")
    assert done.stderr.count(b"\n") == 1
    assert not list(tmp_path.iterdir())
