"""`yolo detect`: images and videos in, boxes out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.damaged import accept_damaged_option, timeout_option
from yolo_cli.cli.frame_options import segment_option, video_options
from yolo_cli.cli.group import INTERRUPTED, YoloCommand
from yolo_cli.cli.interrupts import Interrupts
from yolo_cli.cli.options import (
    config_option,
    detection_options,
    drawing_options,
    encoding_option,
    format_option,
    talk_options,
)
from yolo_cli.cli.progress import track
from yolo_cli.cli.terminal import echo, say

if TYPE_CHECKING:
    from pathlib import Path

    from yolo_cli.detectors import Detector
    from yolo_cli.pipeline import Outcome
    from yolo_cli.pipeline.formats import Model
    from yolo_cli.pipeline.saving import Saving

__all__ = ["detect", "saving_of"]

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


@dataclass(slots=True)
class _Tally:
    """What has been done so far, and of how many images or frames; 0 if that is unknown.

    With ``every_class``, a box has a detection for each class above the threshold.
    """

    what: str
    total: int
    every_class: bool = False
    images: int = 0
    failed: int = 0
    objects: int = 0
    milliseconds: float = 0.0
    interrupted: bool = False


@click.command("detect", cls=YoloCommand, help=_HELP)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@detection_options
@click.option("--multi-label", is_flag=True, help="Keep all classes of a box above the threshold.")
@click.option("--recursive", is_flag=True, help="Search folders within folders, too.")
@video_options
@format_option(*_FORMATS)
@click.option("--out", metavar="DIR", help=f"Output folder.  [default: a new {_RUN_FOLDER}]")
@click.option("--save/--no-save", default=True, help="Save images and videos with boxes.  [default: save]")
@segment_option
@click.option("--show", is_flag=True, help="Show images in a window, too; q ends.")
@drawing_options
@click.option("--save-crops", is_flag=True, help="Save a crop of the image for each box.")
@click.option("--save-txt", is_flag=True, help="Save YOLO label files, as for training.")
@click.option("--exist-ok", is_flag=True, help="Write into an existing folder.")
@click.option("--ray", metavar="ADDRESS", help="Detect on a Ray cluster, or local, into Parquet.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes of --ray.  [default: one a core]")
@click.option("--resume", is_flag=True, help="Continue the run of --ray in --out.")
@accept_damaged_option
@timeout_option
@encoding_option
@config_option
@talk_options
def detect(
    detection: dict[str, Any], sources: tuple[str, ...], frames: dict[str, Any], quiet: bool, **given: Any
) -> int:
    """Everything, from the sources to the exit code."""
    from yolo_cli.api.detection import load_detector
    from yolo_cli.api.frames import frame_options, region_of
    from yolo_cli.files import open_run_folder
    from yolo_cli.pipeline import ahead, run_detector
    from yolo_cli.pipeline.formats import Model
    from yolo_cli.pipeline.saving import save_outcomes
    from yolo_cli.sources import open_source

    if given["ray"] or given["resume"] or given["workers"]:
        from yolo_cli.cli.detect_ray import detect_on_ray

        return detect_on_ray(sources, detection, {**given, "quiet": quiet})
    if given["show"]:
        from yolo_cli.pipeline.showing import check_display, show_outcomes

        check_display()
    interrupts = Interrupts()
    choice, live = frame_options({**frames, "stopped": lambda: interrupts.asked})
    source = open_source(sources, recursive=given["recursive"], choice=choice, live=live)
    batch = detection.pop("batch")
    every_class = given["multi_label"] or given["output_format"] == "coco"  # which is evaluated
    detector = load_detector(**detection, multi_label=every_class).detector
    card = detector.card
    model = Model(card.name, card.class_names, detector.input_size, source.has_frames, card.keypoints)
    if given["verbose"]:
        _describe(detector, detection)
    tally = _Tally("frames" if source.has_frames else "images", source.expected, every_class)
    region = region_of(frames["region"])
    results = run_detector(detector, source, batch=batch, read_ahead=source.reads_ahead, region=region)
    saving = saving_of(given, () if region is None else tuple(map(tuple, region.tolist())))
    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"]) if saving.anything else None
    if folder:
        places = {item.name: item.place for item in source.entries}
        results = save_outcomes(ahead(results, batch + 1), folder, saving, model.class_names, places)
    if given["show"]:
        results = show_outcomes(results, model.class_names, saving.style)
    results = _counted(results, tally)
    if not quiet and _shows_progress(given["output_format"], tally.total):
        results = track(results, tally.total, tally.what)
    with interrupts:
        for text in _texts(interrupts.until(results), model, given["output_format"]):
            echo(text, end="", painted=given["output_format"] == "table")
    tally.interrupted = interrupts.asked
    _tell(tally, folder, quiet, source.has_frames and saving.images)
    return _exit_code(tally)


def _describe(detector: Detector, detection: dict[str, Any]) -> None:
    """What runs, and what a GPU needs that is left unused."""
    from yolo_cli.config import DEFAULT_MODEL
    from yolo_cli.detectors import engine_for
    from yolo_cli.engines import unused_gpu
    from yolo_cli.weights import find_model

    how = {name: detection[name] for name in ("engine", "device", "precision")}
    files = find_model(detection.get("weights", DEFAULT_MODEL))
    say(f"model {detector.card.name}, input {detector.input_size}, {detector.card.detector}")
    say(f"{engine_for(files, **how).sentence} ({detection['precision']})")
    unused = unused_gpu(detection["engine"], detection["device"])
    if unused:
        say(unused)


def _texts(results: Iterable[Outcome], model: Model, output_format: str) -> Iterator[str]:
    """What is printed, a piece at a time."""
    if output_format == "table":
        from yolo_cli.cli.table import detection_table, video_table

        yield (video_table if model.video else detection_table)(results, model.class_names)
    else:
        from yolo_cli.pipeline.formats import FORMATS

        yield from FORMATS[output_format](results, model)


def saving_of(given: Mapping[str, Any], region: tuple[tuple[float, float], ...]) -> Saving:
    """What is saved of each image."""
    from yolo_cli.pipeline.saving import Saving
    from yolo_cli.render import DrawStyle

    style = DrawStyle(given["line_width"], not given["no_labels"], not given["no_confidence"], region)
    return Saving(given["save"], given["save_crops"], given["save_txt"], style, given["segment"])


def _counted(results: Iterable[Outcome], tally: _Tally) -> Iterator[Outcome]:
    """Pass results on, count them, and name the faults on stderr."""
    for result in results:
        tally.images += 1
        tally.objects += len(result.detections)
        if result.error:
            tally.failed += 1
            say(f"error: {result.error}")
        else:
            tally.milliseconds += sum(result.time_ms.values())
        yield result


def _shows_progress(output_format: str, total: int) -> bool:
    """Not for one image, and not between lines of data on the same terminal."""
    return total > 1 and (output_format == "table" or not sys.stdout.isatty())


def _tell(tally: _Tally, folder: Path | None, quiet: bool, video: bool) -> None:
    """What was done and where it is, on stderr; with ``video``, what its form is missing."""
    done = tally.images - tally.failed
    if folder and not done:
        with suppress(OSError):  # it may have been there before, with other files in it
            folder.rmdir()
    if tally.interrupted:
        total = f"of {tally.total} " if tally.total else ""
        say(f"error: interrupted after {tally.images} {total}{tally.what}; what is done is kept")
    if quiet or not done:
        return
    each = f"{tally.milliseconds / done:.0f} ms each"
    objects = _count(tally.objects, "object")
    if tally.every_class:  # several for one box
        objects = f"{_count(tally.objects, 'detection')} (all classes of each box)"
    say(f"{_count(done, tally.what[:-1])}, {objects}, {each}")
    if folder:
        say(f"saved in {folder}")
    if video:
        from yolo_cli.video import pyav_advice

        advice = pyav_advice()
        if advice:
            say(f"note: {advice}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _exit_code(tally: _Tally) -> int:
    """By the table in the documentation."""
    if tally.interrupted:
        return INTERRUPTED
    if tally.failed:
        return 3 if tally.failed == tally.images else 5
    return 0
