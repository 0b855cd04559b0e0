"""Detections of video frames → tracks, counts and a table of objects."""

from yolo_cli.tracking.running import TrackedFrame, TrackRun
from yolo_cli.tracking.tracker import Tracker

__all__ = ["TrackRun", "TrackedFrame", "Tracker"]
