"""`yolo track`: objects followed through a video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.frame_options import video_options
from yolo_cli.cli.group import INTERRUPTED, YoloCommand, exit_code
from yolo_cli.cli.interrupts import Interrupts
from yolo_cli.cli.options import detection_options, format_option, general_options
from yolo_cli.cli.output_options import drawing_options, drawing_style, out_options, segment_option
from yolo_cli.cli.progress import track as track_progress
from yolo_cli.cli.terminal import echo, say
from yolo_cli.config import TrackConfig
from yolo_cli.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from yolo_cli.tracking import TrackedFrame, TrackRun

__all__ = ["track"]

_RUN_FOLDER = "runs/track"
_DEFAULTS = TrackConfig()


# \b keeps click from filling a paragraph.
_HELP = """Follow objects through a video.

SOURCE is a video file, a folder or quoted 'glob' of images in order, the number of a camera, or an http,
https, rtsp or rtsps address. It prints a table with a row for each object, and saves the video with ids and
trails, the tracks as MOT text, and tables.

\b
yolo track street.mp4
yolo track street.mp4 --classes person,car --count-line 0,300,640,300
yolo track street.mp4 --zone 100,100,400,100,400,400 --format ndjson
yolo track street.mp4 --smooth
yolo track rtsp://user:password@camera/stream --format ndjson
yolo track frames/ --no-save --format mot > tracks.txt

Exit codes: 0 done, 2 wrong usage, 3 the video cannot be read, 5 some frames failed, 130 interrupted.
"""


_ASKED = (
    "low_conf",
    "min_hits",
    "lost",
    "camera_motion",
    "appearance",
    "count_line",
    "zone",
    "smooth",
)  # by `track` of the API


@dataclass(slots=True)
class _Tally:
    """Passes frames on, counts them, names those that failed, and ends them at Ctrl-C."""

    quiet: bool
    frames: int = 0
    failed: int = 0
    interrupts: Interrupts = field(default_factory=Interrupts)

    def __call__(self, frames: Iterable[TrackedFrame], total: int) -> Iterator[TrackedFrame]:
        shown = frames if self.quiet or not total else track_progress(frames, total, "frames")
        for frame in self.interrupts.until(shown):
            self.frames += 1
            if frame.error is not None:
                self.failed += 1
                say(f"error: {frame.error}")
            yield frame


@click.command("track", cls=YoloCommand, help=_HELP)
@click.argument("source", metavar="SOURCE")
@detection_options
@video_options
@click.option(
    "--low-conf",
    type=float,
    default=_DEFAULTS.low_conf,
    show_default=True,
    help="Confidence that continues a track.",
)
@click.option(
    "--min-hits",
    type=int,
    metavar="N",
    default=_DEFAULTS.min_hits,
    show_default=True,
    help="Frames before an object counts.",
)
@click.option(
    "--lost",
    type=int,
    metavar="N",
    default=_DEFAULTS.lost,
    show_default=True,
    help="Frames that a lost object keeps its id.",
)
@click.option("--camera-motion", is_flag=True, help="Measure how the camera moves, and compensate.")
@click.option("--appearance", is_flag=True, help="Find lost objects again by their look.")
@click.option(
    "--count-line", multiple=True, metavar="X1,Y1,X2,Y2", help="Count objects that cross a line, in pixels."
)
@click.option("--zone", multiple=True, metavar="X1,Y1,…", help="Count objects that enter or leave a polygon.")
@click.option("--smooth", is_flag=True, help="At the end, fill gaps, smooth, drop false tracks.")
@format_option("table", "json", "ndjson", "csv", "mot")
@out_options(_RUN_FOLDER)
@click.option("--save/--no-save", default=True, help="Save the video and the tables.  [default: save]")
@segment_option
@drawing_options
@general_options
def track(detection: dict[str, Any], frames: dict[str, Any], source: str, quiet: bool, **given: Any) -> int:
    """Everything, from the video to the exit code."""
    from yolo_cli.api import tracking
    from yolo_cli.run_folders import open_run_folder

    tally = _Tally(quiet)
    how: Any = {"watch": tally, "tell": say, "stopped": lambda: tally.interrupts.asked}
    run = tracking.track(source, **how, **detection, **frames, **{name: given[name] for name in _ASKED})
    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"]) if given["save"] else None
    if folder:
        run.save_to(folder, given["segment"], **drawing_style(given))
    with tally.interrupts:
        for text in run.texts(given["output_format"]):
            echo(text, end="")
    _tell(run, tally, folder)
    return INTERRUPTED if tally.interrupts.asked else exit_code(tally.failed, tally.frames)


def _tell(run: TrackRun, tally: _Tally, folder: Path | None) -> None:
    """What was done and where it is, on stderr."""
    if tally.interrupts.asked:
        say(f"error: interrupted after {counted(tally.frames, 'frame')}; what is done is kept")
    if tally.quiet:
        return
    say(f"{counted(tally.frames, 'frame')}, {counted(len(run.table), 'object')}")
    if folder:
        from yolo_cli.video import pyav_advice

        advice = pyav_advice()
        say(f"saved in {folder}{f'; note: {advice}' if advice else ''}")
