"""Video files, and image files of several pages → frames with their times; frames → a video file."""

from yolo_cli.video.pages import Pages, has_pages, page_frames, pages_of
from yolo_cli.video.reading import (
    USUAL_RATE,
    VIDEO_SUFFIXES,
    Frame,
    FrameChoice,
    Video,
    open_capture,
    open_video,
    quiet_capture,
)
from yolo_cli.video.segments import SegmentWriter
from yolo_cli.video.writing import VideoWriter, pyav_advice

__all__ = [
    "USUAL_RATE",
    "VIDEO_SUFFIXES",
    "Frame",
    "FrameChoice",
    "Pages",
    "SegmentWriter",
    "Video",
    "VideoWriter",
    "has_pages",
    "open_capture",
    "open_video",
    "page_frames",
    "pages_of",
    "pyav_advice",
    "quiet_capture",
]
