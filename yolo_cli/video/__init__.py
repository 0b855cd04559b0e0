"""Video files → frames with their times, and frames → a video file."""

from yolo_cli.video.reading import VIDEO_SUFFIXES, Frame, FrameChoice, Video, open_video
from yolo_cli.video.writing import VideoWriter, pyav_advice

__all__ = ["VIDEO_SUFFIXES", "Frame", "FrameChoice", "Video", "VideoWriter", "open_video", "pyav_advice"]
