"""The bundled model on a real video: people are found, and what is saved plays in a browser."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.browser import browser, needs_chromium
from tests.shared import SHARED, needs_shared
from yolo_cli import load_detector
from yolo_cli.video import FrameChoice, open_video

VTEST = SHARED / "video" / "vtest.avi"
pytestmark = needs_shared("video", "vtest.avi")

_PLAY = """
const done = arguments[arguments.length - 1];
const video = document.querySelector("video");
const tell = (error) => done({
  error: error ? String(error) : null, size: [video.videoWidth, video.videoHeight], duration: video.duration,
  frames: video.getVideoPlaybackQuality().totalVideoFrames, time: video.currentTime,
});
video.muted = true;
video.onended = () => tell(null);
video.onerror = () => tell(video.error.message);
video.playbackRate = 4;
video.play().catch(tell);
"""


@pytest.fixture(scope="module")
def detected(tmp_path_factory):
    """What is printed for the first 24 frames, and the saved video."""
    folder = tmp_path_factory.mktemp("vtest")
    words = ["detect", str(VTEST), "--max-frames", "24", "--format", "ndjson", "--out", str(folder / "o")]
    done = subprocess.run([sys.executable, "-m", "yolo_cli", *words], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()], folder / "o" / "vtest.webm"


def test_people_are_found_in_every_frame(detected):
    frames, path = detected
    assert [frame["frame"] for frame in frames] == list(range(24))
    assert [frame["time_s"] for frame in frames] == pytest.approx([n / 10 for n in range(24)])
    people = [sum(it["class_name"] == "person" for it in frame["detections"]) for frame in frames]
    assert min(people) >= 3
    read = list(open_video(str(path)).frames())
    assert len(read) == 24
    assert {frame.read().rgb.shape for frame in read} == {(576, 768, 3)}


def test_a_stream_in_python_finds_the_same(detected):
    frames, _ = detected
    results = load_detector().stream(VTEST, every=8, max_frames=3)
    assert [(it.image.frame.number, it.to_dict()["detections"]) for it in results] == [
        (frame["frame"], frame["detections"]) for frame in frames[::8]
    ]


def test_boxes_are_drawn_where_they_belong(detected):
    """The frame differs from the original along the edges of boxes, and hardly elsewhere."""
    frames, path = detected
    original = next(open_video(str(VTEST)).frames(FrameChoice(start=2.0))).read().rgb
    drawn = next(open_video(str(path)).frames(FrameChoice(start=2.0))).read().rgb
    changed = abs(drawn.astype(int) - original).max(axis=2) > 60  # (height, width)
    edges, inside = np.zeros_like(changed), np.zeros_like(changed)
    for found in frames[20]["detections"]:
        x1, y1, x2, y2 = (round(edge) for edge in found["box"])
        edges[max(y1 - 20, 0) : y2 + 4, max(x1 - 4, 0) : x2 + 4] = True  # a label is above its box
        inside[y1 + 6 : y2 - 6, x1 + 6 : x2 - 6] = True
    assert changed[edges & ~inside].mean() > 0.1
    assert changed[~edges].mean() < 0.03  # labels are wider than boxes


@needs_chromium
def test_chromium_plays_it(detected, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(f'<video src="{detected[1].as_uri()}" width="768"></video>', encoding="utf-8")
    with browser(tmp_path / "profile") as driver:
        driver.set_script_timeout(60)
        driver.get(page.as_uri())
        told = driver.execute_async_script(_PLAY)
    assert told["error"] is None
    assert told["size"] == [768, 576]
    assert told["duration"] == pytest.approx(2.4, abs=0.15)
    assert told["frames"] >= 12  # it drops some where the computer is busy


@pytest.mark.slow
def test_all_795_frames(tmp_path):
    words = ["detect", str(VTEST), "--out", str(tmp_path / "o"), "-q"]
    subprocess.run([sys.executable, "-m", "yolo_cli", *words], capture_output=True, check=True)
    frames = [frame.read().frame for frame in open_video(str(tmp_path / "o" / "vtest.webm")).frames()]
    assert (len(frames), frames[-1].time_s) == (795, pytest.approx(79.4))
