from __future__ import annotations

import pytest

from yolo_cli.live import LiveOptions, find_address
from yolo_cli.live.following import live_frames
from yolo_cli.video import FrameChoice


@pytest.fixture
def follow():
    """All frames of an address, and what was said on the way."""

    def run(url, choice=None, **options):
        said = []
        given = LiveOptions(**{"stall": 5.0, "live": "all", "tell": said.append, **options})
        return list(live_frames(find_address(url), choice or FrameChoice(), given)), said

    return run
