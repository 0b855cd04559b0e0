"""Videos in Python: a call gives a list, a stream gives one result after the other."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.made_videos import grey_level, write_video
from tests.moving import SquareDetector
from tests.shared import ROOT
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
