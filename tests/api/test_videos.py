"""Videos in Python: a call gives a list, a stream gives one result after the other."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from tests import moving
from tests.made_videos import grey_level, write_video
from tests.moving import SquareDetector
from tests.shared import ROOT
from tests.stream_server import jpeg, part, stream_server
from yolo_cli import DataError, UsageError
from yolo_cli.api.detection import Predictor


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "clip.mp4", [n / 10 for n in range(12)])


def test_a_call_gives_a_list_even_of_one_frame(clip):
    detector = Predictor(SquareDetector())
    assert [result.image.frame.number for result in detector(clip)] == list(range(12))
    assert len(detector(str(clip), max_frames=1)) == 1


def test_a_stream_has_the_frames_that_are_chosen(clip):
    results = list(Predictor(SquareDetector()).stream(clip, every=4, start=0.1, end=1.0, batch=2))
    assert [grey_level(result.image.rgb) for result in results] == [1, 5, 9]
    assert [result.image.frame.time_s for result in results] == pytest.approx([0.1, 0.5, 0.9])
    assert [result.to_dict()["frame"] for result in results] == [1, 5, 9]


def test_a_stream_that_is_left_early_leaves_no_thread(clip):
    before = threading.active_count()
    stream = Predictor(SquareDetector()).stream(clip)
    next(stream)
    stream.close()
    assert threading.active_count() == before


def test_faults_come_where_they_are(clip, tmp_path):
    (tmp_path / "text.mp4").write_text("hello")
    detector, faults = Predictor(SquareDetector()), []
    found = detector([tmp_path / "text.mp4", clip], max_frames=2, on_error=faults.append)
    assert [result.image.frame.number for result in found] == [0, 1]
    assert [str(fault) for fault in faults] == [
        f"{tmp_path / 'text.mp4'}: cannot be read as a video; play it elsewhere, or convert it to MP4"
    ]
    with pytest.raises(DataError, match=r"none\.mp4: no such file"):
        detector(tmp_path / "none.mp4")


def test_wrong_options(clip):
    detector = Predictor(SquareDetector())
    with pytest.raises(UsageError, match="every is 0"):
        detector(clip, every=0)
    with pytest.raises(UsageError, match="there is no option 'evry'"):
        detector(clip, evry=2)


def test_images_beside_a_video_are_not_chosen_from(clip):
    images = [np.zeros((8, 8, 3), np.uint8), ROOT / "examples" / "cat.jpg"]
    assert len(Predictor(SquareDetector())([*images, clip], every=6)) == 2 + 2


def test_a_live_source(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    said = []
    with stream_server() as server:
        server.routes["/cam"] = lambda it: it.parts(range(5))
        server.routes["/a.jpg"] = lambda it: it.whole("image/jpeg", jpeg(3))
        detector = Predictor(SquareDetector())
        whole = f"http://me:s3cret@{server.host}"
        stream = detector.stream(f"{whole}/cam", live="all", reconnect=0, tell=said.append)
        assert [next(stream).image.frame.number for _ in range(5)] == [0, 1, 2, 3, 4]
        with pytest.raises(DataError, match=r"^http://me:\*\*\*@.*/cam: the connection has ended; "):
            next(stream)
        assert grey_level(detector(f"{whole}/a.jpg").image.rgb) == 3  # one image, one result
        assert [result.image.name for result in detector([f"{whole}/a.jpg"])] == [
            f"http://me:***@{server.host}/a.jpg"
        ]
    assert said == []


def test_dropped_frames_are_logged_where_nobody_listens(monkeypatch, caplog):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with stream_server() as server:
        server.routes["/cam"] = lambda it: it.parts(range(5), 0.02, 5 * len(part(0)))
        for _ in Predictor(SquareDetector()).stream(f"{server.url}/cam", max_frames=3):
            time.sleep(0.1)
    assert len(caplog.messages) == 1
    assert "frames dropped while the network was busy" in caplog.text


def test_a_region(tmp_path):
    # The cat's centre goes from (12, 24) to (88, 24), the dog's from (108, 72) to (32, 72).
    moving.write_video(tmp_path / "v.avi")
    upper = "0,0,128,0,128,48,0,48"
    found = Predictor(SquareDetector())(tmp_path / "v.avi", region=upper, max_frames=3)
    assert [[each.class_name for each in result] for result in found] == [["cat"]] * 3
    with pytest.raises(UsageError, match=r"^region 1,2: must be x1,y1,x2,y2,x3,y3,… in pixels$"):
        Predictor(SquareDetector())(tmp_path / "v.avi", region="1,2")
