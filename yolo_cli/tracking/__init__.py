"""Detections of video frames → tracks, counts and a table of objects."""

from yolo_cli.tracking.tracker import Tracker

__all__ = ["Tracker"]
