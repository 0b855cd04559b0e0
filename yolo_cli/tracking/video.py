"""What is tracked: the frames of a video or live source, or a folder of images in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from yolo_cli.images import SUFFIXES
from yolo_cli.live import LiveOptions
from yolo_cli.sources import STDIN, SourceItem, open_source
from yolo_cli.video import USUAL_RATE, Frame, FrameChoice
from yolo_cli.video import open_video as open_file

__all__ = ["Video", "open_video"]


@dataclass(frozen=True, slots=True)
class Video:
    """A video or live source, or the images of a folder in order.

    Attributes:
        name: as the user named it, without passwords.
        rate: frames a second, about.
        count: about how many frames there are, 0 if nothing is known.
        frames: opens it and gives one frame after the other.
        is_live: whether frames come while they happen.
    """

    name: str
    rate: float
    count: int
    frames: Callable[[], Iterator[Frame | SourceItem]]
    is_live: bool = False


def open_video(source: str, choice: FrameChoice | None = None, live: LiveOptions | None = None) -> Video:
    """Open a video file, or what `open_source` makes images or frames of.

    Args:
        source: as the user named it; a file of any other name than an image or list is taken for a video.
        choice: the frames that are read; None is all.
        live: how cameras and streams are followed.

    Raises:
        UserError: if there is no frame to be read.
    """
    choice, path = choice or FrameChoice(), Path(source)
    if path.is_file() and path.suffix.lower() not in (*SUFFIXES, ".txt"):
        video = open_file(source)
        return Video(source, video.rate, video.expected(choice), partial(video.frames, choice))
    opened = open_source([source], choice=choice, live=live)
    name = opened.entries[0].name if opened.is_live or source == STDIN else source
    return Video(name, USUAL_RATE, opened.expected, partial(iter, opened), opened.is_live)
