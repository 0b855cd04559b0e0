"""`yolo explain`: why a model found what it found at one point of an image."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.explain_text import explanation_text
from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, explaining_options, format_option, talk_options
from yolo_cli.cli.progress import say

if TYPE_CHECKING:
    from yolo_cli.explanation import Explanation, RegionExplanation

__all__ = ["explain"]

_RUN_FOLDER = "runs/explain"
_LOADING = ("weights", "engine", "device", "conf", "nms_iou", "suppression", "imgsz")

# \b keeps click from filling a paragraph.
_HELP = """Explain a model's predictions at one point of an image.

\b
yolo explain examples/cat.jpg --at 220,150
yolo explain examples/cat.jpg --at 220,150 --weights fast-rcnn-voc
yolo explain photo.jpg --at 100,80 --conf 0.05 --format json --no-save

Prints the predictions of each YOLO cell and anchor at the point, or of the windows or proposals that contain
it, and which box suppressed which. Saves an image with the grids or regions, and the boxes before and after
suppression.

Exit codes: 0 done, 2 wrong usage, 3 the image cannot be used.
"""


def _point(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, float]:
    """``X,Y`` in pixels."""
    numbers = re.fullmatch(r"\(?\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*\)?", value)
    if numbers is None:
        raise click.BadParameter(f"{value} is not a point; give X,Y in pixels, as 220,150", ctx, param)
    return float(numbers[1]), float(numbers[2])


@click.command("explain", cls=YoloCommand, help=_HELP)
@click.argument("source", metavar="IMAGE")
@click.option(
    "--at", required=True, metavar="X,Y", callback=_point, help="Point in pixels from the top left."
)
@explaining_options
@format_option("text", "json")
@click.option("--out", metavar="DIR", help=f"Output folder.  [default: a new {_RUN_FOLDER}]")
@click.option("--save/--no-save", default=True, help="Save the explanation as an image.  [default: save]")
@click.option("--exist-ok", is_flag=True, help="Write into an existing folder.")
@config_option
@talk_options
def explain(source: str, at: tuple[float, float], **given: Any) -> int:
    """Load, explain, print, save."""
    from yolo_cli import explanation
    from yolo_cli.api.detection import load_detector
    from yolo_cli.images import read_image

    image = read_image(source)
    options: dict[str, Any] = {name: given[name] for name in _LOADING if given[name] is not None}
    detector = load_detector(**options).detector
    explained = explanation.explain(detector, image, at)
    if given["output_format"] == "json":
        plain = explanation.to_dict(explained, detector.class_names)
        click.echo(json.dumps({"image": source, **plain}, ensure_ascii=False, indent=1))
    else:
        lines = explanation_text(explained, source, detector.class_names, given["conf"])
        click.echo("\n".join(lines))
    if given["save"]:
        path = _save(explained, image, detector.class_names, given)
        if not given["quiet"]:
            say(f"saved {path}")
    return 0


def _save(
    explained: Explanation | RegionExplanation,
    image: Any,
    class_names: tuple[str, ...],
    given: dict[str, Any],
) -> Path:
    from yolo_cli.explanation import draw_explanation
    from yolo_cli.files import open_run_folder
    from yolo_cli.images import write_image

    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"])
    path = folder / f"{Path(image.name).stem}.png"
    write_image(path, draw_explanation(image, explained, class_names))
    return path
