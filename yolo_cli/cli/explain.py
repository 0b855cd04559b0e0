"""`yolo explain`: why a model found what it found at one point of a picture."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, explaining_options, talk_options
from yolo_cli.cli.progress import say
from yolo_cli.config import DetectConfig
from yolo_cli.errors import UsageError

if TYPE_CHECKING:
    from yolo_cli.explanation import Answer, Explanation, Fate, Place

__all__ = ["explain"]

_RUN_FOLDER = "runs/explain"

# The sign \b keeps click from filling a paragraph.
_HELP = """Say why a model found what it found at one point.

Which cell, anchor and scale of the network answered there, its raw values, and which box suppressed which
at which overlap; as text and as a picture: left the grid, the point's cell, its anchors and every box over
the point, right what suppression left.

\b
yolo explain examples/cat.jpg --at 220,150
yolo explain photo.jpg --at 100,80 --conf 0.05 --format json --no-save
"""


def _point(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, float]:
    """``X,Y`` in pixels."""
    numbers = re.fullmatch(r"\(?\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*\)?", value)
    if numbers is None:
        raise click.BadParameter(f"{value} is no point; give X,Y in pixels, as 220,150", ctx, param)
    return float(numbers[1]), float(numbers[2])


@click.command("explain", cls=YoloCommand, help=_HELP)
@click.argument("image", metavar="IMAGE")
@click.option(
    "--at", required=True, metavar="X,Y", callback=_point, help="The point: pixels from left and from above."
)
@explaining_options
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What is printed on stdout.",
)
@click.option("--out", metavar="DIR", help=f"Where the picture is saved.  [default: a new {_RUN_FOLDER}]")
@click.option("--save/--no-save", default=True, help="Save the picture, or do not.  [default: save]")
@click.option("--exist-ok", is_flag=True, help="Write into a folder that is there already.")
@config_option
@talk_options
def explain(image: str, at: tuple[float, float], **given: Any) -> int:
    """Load, explain, print, save."""
    from yolo_cli import detectors
    from yolo_cli.explanation import explain as explain_point
    from yolo_cli.images import read_image

    config = DetectConfig(
        confidence=given["conf"],
        nms_iou=given["nms_iou"],
        suppression=given["suppression"],
        imgsz=given["imgsz"],
    )
    picture = read_image(image)
    weights = given["weights"] or detectors.DEFAULT_MODEL
    detector = detectors.load_detector(weights, engine=given["engine"], device=given["device"], config=config)
    if not isinstance(detector, detectors.YoloDetector):
        raise UsageError(f"--weights {weights}: is no YOLO model, and has no cells and anchors to explain")
    explained = explain_point(detector, picture, at)
    if given["output_format"] == "json":
        click.echo(json.dumps(_plain(explained, image, detector.class_names), ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join(_text(explained, image, detector.class_names, config.confidence)))
    if given["save"]:
        path = _save(explained, picture, detector.class_names, given)
        if not given["quiet"]:
            say(f"saved {path}")
    return 0


def _save(explained: Explanation, picture: Any, class_names: tuple[str, ...], given: dict[str, Any]) -> Path:
    from yolo_cli.cli.runs import open_run_folder
    from yolo_cli.explanation_picture import draw_explanation
    from yolo_cli.images import write_image

    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"])
    path = folder / f"{Path(picture.name).stem}.png"
    write_image(path, draw_explanation(picture, explained, class_names))
    return path


def _plain(explained: Explanation, image: str, class_names: tuple[str, ...]) -> dict[str, Any]:
    """The explanation as plain data, classes by name too."""
    values = asdict(explained)
    for entry in (*values["answers"], *values["fates"]):
        entry["class_name"] = class_names[entry["class_id"]]
    return {"image": image, **values}


def _text(
    explained: Explanation, image: str, class_names: tuple[str, ...], confidence: float
) -> Iterator[str]:
    """The explanation for people, line by line."""
    (x, y), (net_x, net_y), box = explained.point, explained.network_point, explained.letterbox
    size = f"{box.net_width}x{box.net_height}"
    yield f"{image} at {x:g},{y:g}: that is {net_x:.1f},{net_y:.1f} of the network's {size} pixels"
    yield ""
    yield "What the cells at this point say, each anchor its likeliest class:"
    yield f"  confidence  {'class':14}  {'from':44}  raw: tx ty tw th, objectness, class"
    for answer in explained.answers:
        yield f"  {_answer(answer, class_names)}"
    yield ""
    if not explained.fates:
        yield f"No box above the confidence {confidence:g} lies over this point."
        return
    yield f"Boxes over this point above the confidence {confidence:g}, and those that suppressed them:"
    for number, fate in enumerate(explained.fates, start=1):
        yield f"  {number}. {_fate(fate, class_names)}"
        yield f"     {_outcome(fate, explained)}"


def _answer(answer: Answer, class_names: tuple[str, ...]) -> str:
    raw = " ".join(f"{value:.2f}" for value in answer.raw[:4])
    values = f"{raw}, {answer.raw[4]:.2f}, {answer.raw_class:.2f}"
    name = class_names[answer.class_id]
    return f"{answer.confidence:10.4f}  {name:14}  {_where(answer.place):44}  {values}"


def _fate(fate: Fate, class_names: tuple[str, ...]) -> str:
    box = ", ".join(f"{edge:.0f}" for edge in fate.xyxy)
    return f"{class_names[fate.class_id]} {fate.confidence:.4f}  box {box}  from {_where(fate.place)}"


def _outcome(fate: Fate, explained: Explanation) -> str:
    if fate.suppressed_by is not None:
        how = f"overlap {fate.overlap:.3f} > {explained.threshold:g} by the rule {explained.rule}"
        return f"suppressed by {fate.suppressed_by + 1}: {how}"
    return "kept" if fate.kept else "left out: beyond the number of boxes that are kept"


def _where(place: Place) -> str:
    wide, high = place.anchor_size
    return f"stride {place.stride}, row {place.row}, column {place.column}, anchor {wide:g}x{high:g}"
