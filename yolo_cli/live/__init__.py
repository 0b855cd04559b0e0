"""Live sources: cameras, RTSP and HTTP addresses → frames."""

from yolo_cli.live.address import Address, find_address
from yolo_cli.live.jpegs import split_jpegs
from yolo_cli.live.options import LiveOptions, LivePolicy

__all__ = ["Address", "LiveOptions", "LivePolicy", "find_address", "split_jpegs"]
