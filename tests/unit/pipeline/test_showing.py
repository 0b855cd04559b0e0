"""A window, with OpenCV's functions for it made up; there is no display here."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.detections import Detections
from yolo_cli.errors import UsageError
from yolo_cli.images import FramePosition, Image
from yolo_cli.pipeline import Outcome, showing
from yolo_cli.render import DrawStyle

STYLE = DrawStyle(None, True, True)


@pytest.fixture
def window(monkeypatch):
    """What was done to the window; ``keys`` are pressed in it, ``visible`` is whether it is open."""

    class Window:
        keys, visible, done = [], 1, []

    Window.done = done = []
    monkeypatch.setattr(showing.cv2, "imshow", lambda _, bgr: done.append(bgr[-1, -1].tolist()))
    monkeypatch.setattr(showing.cv2, "waitKey", lambda ms: (done.append(ms), [*Window.keys, -1][0])[1])
    monkeypatch.setattr(showing.cv2, "getWindowProperty", lambda *_: Window.visible)
    monkeypatch.setattr(showing.cv2, "destroyAllWindows", lambda: done.append("closed"))
    return Window


def outcomes(*frames):
    for number in frames:
        rgb = np.zeros((48, 64, 3), np.uint8)
        rgb[..., 0] = 200  # red
        place = None if number is None else FramePosition("v", number, 0.0)
        yield Outcome("v", Detections(), None, Image(rgb, "v", place))


def shown(items):
    return [outcome.image.frame for outcome in showing.show_outcomes(items, ("cat",), STYLE)]


def test_each_is_shown_in_its_colours_and_passed_on(window):
    failed = Outcome("x", Detections(), "x: is gone")
    items = [*outcomes(0), failed, *outcomes(1)]
    assert list(showing.show_outcomes(items, ("cat",), STYLE)) == items
    assert window.done == [[0, 0, 200], 1, [0, 0, 200], 1, "closed"]


def test_an_image_waits_for_a_key(window):
    shown(outcomes(None))
    assert window.done[1] == 0


@pytest.mark.parametrize("key", [ord("q"), 27])
def test_a_key_ends(window, key):
    window.keys = [key]
    assert len(shown(outcomes(0, 1, 2))) == 1
    assert window.done[-1] == "closed"


def test_closing_the_window_ends(window):
    window.visible = 0
    assert len(shown(outcomes(0, 1, 2))) == 1


@pytest.mark.parametrize("display", [None, ":97"])
def test_no_display_is_one_line(monkeypatch, display):
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(showing.sys, "platform", "linux")
    if display:
        monkeypatch.setenv("DISPLAY", display)
    with pytest.raises(UsageError, match=r"^show: there is no display to open a window on; leave it out$"):
        showing.check_display()
