"""Cameras, with a capture that is made up, and the one that is not there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.made_videos import grey, grey_level
from yolo_cli.errors import UsageError
from yolo_cli.live import LiveOptions, following, streams
from yolo_cli.video import FrameChoice


class Capture:
    """A camera of 30 frames a second that gives a number of frames, is unplugged, and then comes back."""

    opened = 0
    script = (4,)

    def __init__(self, index, *_):
        self.asked = {}
        self.frames = self.script[Capture.opened] if Capture.opened < len(self.script) else None
        self.number = 4 * Capture.opened
        Capture.opened += 1
        Capture.latest = self
        assert index == 2

    def isOpened(self):  # noqa: N802
        return self.frames is not None

    def set(self, setting, value):
        self.asked[setting] = value

    def get(self, setting):
        return 30.0 if setting == cv2.CAP_PROP_FPS else 0.0

    def read(self):
        if not self.frames:
            return False, None
        self.frames -= 1
        self.number += 1
        return True, grey(self.number - 1)

    def release(self):
        self.released = True


@pytest.fixture
def camera(monkeypatch):
    """Frames the next camera gives each time that it is opened; then it cannot be opened."""
    monkeypatch.setattr(following, "_FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(streams.cv2, "VideoCapture", Capture)
    Capture.opened, Capture.script = 0, (4,)
    return Capture


def test_frames_until_it_is_unplugged(camera, follow):
    *frames, last = follow("2", reconnect=1)[0]
    assert [grey_level(frame.read().rgb) for frame in frames] == [0, 1, 2, 3]
    assert [frame.name for frame in frames] == ["2#0", "2#1", "2#2", "2#3"]
    assert frames[0].read().frame.rate == 30
    assert last.fault == (
        "camera 2: cannot be opened; is it plugged in, free, and yours to use?; what is done is kept"
    )
    assert camera.latest.frames is None


def test_it_comes_back(camera, follow):
    camera.script = (4, 4)
    frames, said = follow("2", FrameChoice(max_frames=6))
    assert [grey_level(frame.read().rgb) for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert [frame.read().frame.number for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert said[0] == "camera 2: gives no more frames; trying again in 0.02 s (1 of 5)"
    assert said[1].startswith("camera 2: frames again, after ")
    assert len(said) == 2


def test_size_and_rate_are_asked_for(camera, follow):
    follow("2", FrameChoice(max_frames=1), camera_size=(720, 1280), camera_rate=15.0)
    asked = camera.latest.asked
    assert (asked[cv2.CAP_PROP_FRAME_HEIGHT], asked[cv2.CAP_PROP_FRAME_WIDTH]) == (720, 1280)
    assert asked[cv2.CAP_PROP_FPS] == 15
    assert camera.latest.released


def test_red_is_red(camera, follow, monkeypatch):
    blue_first = np.zeros((48, 64, 3), np.uint8)
    blue_first[..., 2] = 200
    monkeypatch.setattr(Capture, "read", lambda _: (True, blue_first))
    [frame] = follow("2", FrameChoice(max_frames=1))[0]
    assert frame.read().rgb[0, 0].tolist() == [200, 0, 0]


def test_a_camera_that_is_not_there(follow):
    [frame], said = follow("97", stall=20)
    assert frame.fault == "camera 97: cannot be opened; is it plugged in, free, and yours to use?"
    assert said == []


def test_a_fault_of_ours_is_not_swallowed(camera, follow, monkeypatch):
    def broken(_):
        raise ZeroDivisionError

    monkeypatch.setattr(Capture, "read", broken)
    with pytest.raises(ZeroDivisionError):
        follow("2")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("live", "some"),
        ("stall", 0),
        ("stall", float("nan")),
        ("reconnect", -1),
        ("camera_size", (0, 640)),
        ("camera_rate", 0),
    ],
)
def test_options_out_of_range(option, value):
    with pytest.raises(UsageError, match=f"^{option} is "):
        LiveOptions(**{option: value})
