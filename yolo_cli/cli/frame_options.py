"""The options of commands that read videos and live sources."""

from __future__ import annotations

import click

from yolo_cli.cli.options import collected, image_size

__all__ = ["video_options"]

_VIDEO = (
    click.option(
        "--every", type=int, metavar="N", default=1, show_default=True, help="Use every N-th frame."
    ),
    click.option(
        "--from", "start", type=float, metavar="SECONDS", default=0, help="First second of the video."
    ),
    click.option(
        "--to", "--until", "end", type=float, metavar="SECONDS", help="Last second.  [default: the end]"
    ),
    click.option("--max-frames", type=int, metavar="N", help="Maximum number of frames.  [default: all]"),
)


_REGION = click.option("--region", metavar="X1,Y1,…", help="Keep objects whose centre is in this polygon.")

_LIVE = (
    click.option(
        "--live",
        type=click.Choice(("newest", "all")),
        default="newest",
        show_default=True,
        help="Drop old frames of live sources, or none.",
    ),
    click.option(
        "--stall",
        type=float,
        metavar="SECONDS",
        default=10,
        show_default=True,
        help="Seconds without a frame until it has stalled.",
    ),
    click.option(
        "--reconnect",
        type=int,
        metavar="N",
        default=5,
        show_default=True,
        help="Tries to reach a live source again.",
    ),
    click.option(
        "--camera-size", callback=image_size, metavar="HEIGHTxWIDTH", help="Size to ask a camera for."
    ),
    click.option("--camera-rate", type=float, metavar="FPS", help="Frames a second to ask a camera for."),
)
_NAMES = (
    *("every", "start", "end", "max_frames", "region"),
    *("live", "stall", "reconnect", "camera_size", "camera_rate"),
)

video_options = collected("frames", _NAMES, *_VIDEO, _REGION, *_LIVE)
"""Which frames and which part of them are used, and how live sources are followed."""
