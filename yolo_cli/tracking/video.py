"""What is tracked: the frames of a video file, or a folder of images in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from yolo_cli.images import SUFFIXES
from yolo_cli.sources import SourceItem, open_source
from yolo_cli.video import Frame
from yolo_cli.video import open_video as open_file

__all__ = ["Video", "open_video"]

_USUAL_RATE = 25.0  # images of a folder a second


@dataclass(frozen=True, slots=True)
class Video:
    """A video file, or the images of a folder in order.

    Attributes:
        name: as the user named it.
        rate: frames a second.
        count: how many frames its header promises, 0 if nothing is known.
        frames: opens it and gives one frame after the other.
    """

    name: str
    rate: float
    count: int
    frames: Callable[[], Iterator[Frame | SourceItem]]


def open_video(source: str) -> Video:
    """Open a video file, or what `open_source` makes images of, such as a folder.

    Raises:
        UserError: if there is no frame to be read.
    """
    path = Path(source)
    if path.is_file() and path.suffix.lower() not in (*SUFFIXES, ".txt"):
        video = open_file(source)
        return Video(source, video.rate, video.count, video.frames)
    items = open_source([source]).entries
    return Video(source, _USUAL_RATE, len(items), lambda: iter(items))
