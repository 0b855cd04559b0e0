"""Which frames of a video or stream are read, for the verbs that take one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from yolo_cli.live import LiveOptions, LivePolicy
    from yolo_cli.video import FrameChoice

__all__ = ["FrameOptions", "frame_options", "region_of"]

_FRAMES = ("every", "start", "end", "max_frames")
_LIVE = ("live", "stall", "reconnect", "camera_size", "camera_rate", "tell", "stopped")


class FrameOptions(TypedDict, total=False):
    """Which frames are read, how cameras and streams are followed, and which part of a frame counts.

    Attributes:
        every: of a video, each so many-th frame.
        start: of a video, seconds from which on.
        end: of a video, seconds before which; None is its end.
        max_frames: of a video, maximum number of frames; None is all.
        live: of a camera or stream, ``newest`` drops frames while the network is busy; ``all`` waits.
        stall: seconds without a frame after which a live source has stalled.
        reconnect: maximum number of tries in a row to reach it again.
        camera_size: height and width to ask a camera for; None is its own.
        camera_rate: frames a second to ask a camera for; None is its own.
        tell: called with a line about dropped frames or a lost connection; None logs a warning.
        stopped: whether a live source is to end; asked ten times a second.
        region: only objects whose centre is in this polygon, ``"x1,y1,x2,y2,x3,y3,…"`` in pixels.
    """

    every: int
    start: float
    end: float | None
    max_frames: int | None
    live: LivePolicy
    stall: float
    reconnect: int
    camera_size: tuple[int, int] | None
    camera_rate: float | None
    tell: Callable[[str], object] | None
    stopped: Callable[[], bool]
    region: str | None


def frame_options(given: Mapping[str, Any]) -> tuple[FrameChoice, LiveOptions]:
    """Which frames are read, and how live sources are followed, from `FrameOptions`."""
    from yolo_cli.live import LiveOptions
    from yolo_cli.video import FrameChoice

    chosen = {name: given[name] for name in _FRAMES if name in given}
    followed = {name: given[name] for name in _LIVE if given.get(name) is not None}
    return FrameChoice(**chosen), LiveOptions(**followed)


def region_of(text: str | None) -> NDArray[np.floating[Any]] | None:
    """The polygon (K, 2) of the option ``region``.

    Raises:
        UsageError: if it cannot be read.
    """
    from yolo_cli.zones import read_points

    return None if text is None else read_points("--region", text)
