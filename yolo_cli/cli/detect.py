"""`yolo detect`: images and videos in, boxes out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.damaged import accept_damaged_option, timeout_option
from yolo_cli.cli.frame_options import video_options
from yolo_cli.cli.group import INTERRUPTED, YoloCommand, exit_code
from yolo_cli.cli.interrupts import Interrupts
from yolo_cli.cli.options import detection_options, format_option, general_options
from yolo_cli.cli.output_options import drawing_style, out_options, save_run, saving_options, segment_option
from yolo_cli.cli.progress import track
from yolo_cli.cli.terminal import complain, echo, say
from yolo_cli.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from yolo_cli.pipeline import Outcome
    from yolo_cli.pipeline.runs import DetectRun

__all__ = ["detect"]

_RUN_FOLDER = "runs/detect/predict"
_FORMATS = ("table", "json", "ndjson", "csv", "coco", "yolo", "label-studio", "cvat")


# \b keeps click from filling a paragraph.
_HELP = """Find objects in images and videos.

SOURCE is an image, a video, a folder of images, a quoted 'glob', a list.txt with one path per line, the
number of a camera, an http, https, rtsp or rtsps address, or - for images on standard input: one, JPEGs one
after the other, or a tar archive. By default it prints a table and saves the images and videos with boxes.

\b
yolo detect photo.jpg
yolo detect photos/ --conf 0.5 --classes cat,dog
yolo detect 'photos/*.png' --format json --no-save > found.json
cat photo.jpg | yolo detect - --format ndjson --no-save
yolo detect street.mp4 --every 5 --from 60 --to 90
yolo detect 0 --camera-size 720x1280 --format ndjson --no-save
yolo detect rtsp://user:password@camera/stream --max-frames 1000

Exit codes: 0 done, 2 wrong usage, 3 no image could be used, 5 some images failed or a video ends early,
130 interrupted.
"""


@click.command("detect", cls=YoloCommand, help=_HELP)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@detection_options
@click.option("--multi-label", is_flag=True, help="Keep all classes of a box above the threshold.")
@click.option("--recursive", is_flag=True, help="Search folders within folders, too.")
@video_options
@format_option(*_FORMATS)
@out_options(_RUN_FOLDER)
@saving_options(
    "Save images and videos with boxes.  [default: save]",
    "Save YOLO label files, as for training.",
    default=True,
)
@segment_option
@click.option("--show", is_flag=True, help="Show images in a window, too; q ends.")
@click.option("--ray", metavar="ADDRESS", help="Detect on a Ray cluster, or local, into Parquet.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes of --ray.  [default: one a core]")
@click.option("--resume", is_flag=True, help="Continue the run of --ray in --out.")
@accept_damaged_option
@timeout_option
@general_options
def detect(detection: dict[str, Any], frames: dict[str, Any], quiet: bool, **given: Any) -> int:
    """Everything, from the sources to the exit code."""
    if given["ray"] or given["resume"] or given["workers"]:
        from yolo_cli.cli.detect_ray import detect_on_ray

        return detect_on_ray(given["sources"], detection, {**given, "quiet": quiet})
    from yolo_cli.api.detection import detect as find

    interrupts, output_format = Interrupts(), given["output_format"]
    every_class = given["multi_label"] or output_format == "coco"  # which is evaluated
    run = find(
        given["sources"],
        multi_label=every_class,
        recursive=given["recursive"],
        on_error=complain,
        watch=lambda found, _: interrupts.until(found if quiet else _told(found, run, output_format)),
        tell=say,
        stopped=lambda: interrupts.asked,
        **detection,
        **frames,
    )
    if given["verbose"]:
        _describe(run, detection)
    if given["show"]:
        run.show(**drawing_style(given))
    folder = save_run(run, _RUN_FOLDER, given)
    with interrupts:
        for text in _texts(run, output_format):
            echo(text, end="", painted=output_format == "table")
    if interrupts.asked:
        total = f"of {run.total} " if run.total else ""
        say(f"error: interrupted after {run.images} {total}{_what(run)}s; what is done is kept")
    if not quiet and run.images > run.failed:
        _summarise(run, "detection" if every_class else "object")
        _tell_place(folder, run.model.video and given["save"])
    return INTERRUPTED if interrupts.asked else exit_code(run.failed, run.images)


def _describe(run: DetectRun, detection: dict[str, Any]) -> None:
    """What runs, and what a GPU needs that is left unused."""
    from yolo_cli.api.models import show_model
    from yolo_cli.config import DEFAULT_MODEL
    from yolo_cli.engines import unused_gpu

    how = {name: detection[name] for name in ("engine", "device", "precision")}
    model = show_model(detection.get("weights", DEFAULT_MODEL))
    say(f"model {run.card.name}, input {run.model.input_size}, {run.card.detector}")
    say(f"{model.engine_for(**how).sentence} ({detection['precision']})")
    unused = unused_gpu(detection["engine"], detection["device"])
    if unused:
        say(unused)


def _told(found: Iterable[Outcome], run: DetectRun, output_format: str) -> Iterable[Outcome]:
    """With the progress; not of one image, and not between lines of data on the same terminal."""
    shown = run.total > 1 and (output_format == "table" or not sys.stdout.isatty())
    return track(found, run.total, f"{_what(run)}s") if shown else found


def _texts(run: DetectRun, output_format: str) -> Iterator[str]:
    """What is printed, a piece at a time."""
    if output_format == "table":
        from yolo_cli.cli.table import detection_table, video_table

        yield (video_table if run.model.video else detection_table)(run.each(), run.model.class_names)
    else:
        yield from run.texts(output_format)


def _what(run: DetectRun) -> str:
    return "frame" if run.model.video else "image"


def _summarise(run: DetectRun, what: str) -> None:
    """How many there were, and how long each took, on stderr; a box may have several ``detection``s."""
    done = run.images - run.failed
    objects = counted(run.objects, what) + (" (all classes of each box)" if what == "detection" else "")
    say(f"{counted(done, _what(run))}, {objects}, {run.spent_ms / done:.0f} ms each")


def _tell_place(folder: Path | None, video: bool) -> None:
    """Where everything is, on stderr; with ``video``, what its form is missing."""
    if folder:
        say(f"saved in {folder}")
    if video:
        from yolo_cli.video import pyav_advice

        advice = pyav_advice()
        if advice:
            say(f"note: {advice}")
