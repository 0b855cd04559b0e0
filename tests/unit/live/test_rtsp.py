"""RTSP, against a server on this computer."""

from __future__ import annotations

import socket
import time

import pytest

from tests.made_videos import grey_level
from yolo_cli.live import following
from yolo_cli.video import FrameChoice

pytest.importorskip("av", reason="av is not installed")
from tests.rtsp_server import rtsp_server, transport_stream


@pytest.fixture(scope="module")
def data():
    return transport_stream(19)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(following, "_FIRST_PAUSE_S", 0.02)


def test_frames_with_a_password_that_is_not_shown(follow, data):
    with rtsp_server(data) as server:
        frames, said = follow(f"rtsp://me:s3cret@{server.host}/live", FrameChoice(max_frames=5))
    levels = [grey_level(frame.read().rgb) for frame in frames]
    assert levels == list(range(levels[0], levels[0] + 5))
    assert frames[0].name == f"rtsp://me:***@{server.host}/live#0"
    assert said == []
    assert "PLAY" in server.seen


def test_a_stream_that_dies_is_opened_again(follow, data):
    with rtsp_server(data) as server:
        frames, said = follow(f"rtsp://me:s3cret@{server.host}/live", FrameChoice(max_frames=30), stall=20)
    assert [frame.read().frame.number for frame in frames] == list(range(30))
    times = [frame.read().frame.time_s for frame in frames]
    assert times == sorted(times)
    assert (
        said[0] == f"rtsp://me:***@{server.host}/live: gives no more frames; trying again in 0.02 s (1 of 5)"
    )
    assert server.seen.count("PLAY") == 2


def test_a_stream_that_stalls_ends_with_one_line(follow, data):
    start = time.monotonic()
    with rtsp_server(data, silent_s=30) as server:
        *frames, last = follow(f"rtsp://me:s3cret@{server.host}/live", stall=2, reconnect=0)[0]
    assert len(frames) >= 10
    assert last.fault == f"rtsp://me:***@{server.host}/live: no frame for 2 s; what is done is kept"
    assert time.monotonic() - start < 15


def test_a_wrong_password(follow, data):
    with rtsp_server(data) as server:
        [frame], _ = follow(f"rtsp://me:wr0ng@{server.host}/live")
    assert frame.fault == (
        f"rtsp://me:***@{server.host}/live: gives no video or stream; check the address, user and password"
    )


def test_a_server_that_says_nothing(follow):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        [frame], _ = follow(f"rtsp://me:s3cret@{host}/live", stall=1)
    assert frame.fault == f"rtsp://me:***@{host}/live: no frame for 1 s"
    assert time.monotonic() - start < 4
