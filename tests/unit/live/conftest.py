from __future__ import annotations

import pytest

from tests.stream_server import stream_server
from yolo_cli.live import LiveOptions, find_address, following, live_frames
from yolo_cli.video import FrameChoice


@pytest.fixture
def server(monkeypatch):
    """A server on this computer; pauses before reconnecting are short."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(following, "_FIRST_PAUSE_S", 0.02)
    with stream_server() as running:
        yield running


@pytest.fixture
def follow():
    """All frames of an address, and what was said on the way."""

    def run(url, choice=None, **options):
        said = []
        given = LiveOptions(**{"stall": 5.0, "live": "all", "tell": said.append, **options})
        return list(live_frames(find_address(url), choice or FrameChoice(), given)), said

    return run
