"""`yolo explain`: why a model found what it found, and what its layers see."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, explaining_options, format_option, talk_options
from yolo_cli.cli.output_options import out_options
from yolo_cli.cli.progress import echo_result, watched
from yolo_cli.cli.terminal import say
from yolo_cli.errors import UsageError
from yolo_cli.run_folders import check_run_folder, open_run_folder

__all__ = ["explain"]

_RUN_FOLDER = "runs/explain"
_Box = tuple[float, ...]

# \b keeps click from filling a paragraph.
_HELP = """Explain what a model sees: predictions at a point, filters, layers.

\b
yolo explain examples/cat.jpg --at 220,150      predictions, suppressed boxes
yolo explain examples/cat.jpg --filters         filters and feature maps
yolo explain examples/cat.jpg --saliency        pixels that a box rests on
yolo explain examples/cat.jpg --stages          from proposals to boxes
yolo explain examples/cat.jpg --targets         its cell and anchors
yolo explain examples/cat.jpg --overlap --box 100,50,430,260
yolo explain examples/cat.jpg --loss --box cat=100,50,430,260
yolo explain --layers --data examples           what excites each layer most

At a point: the predictions of each YOLO cell and anchor, or of the windows or proposals that contain it, and
which box suppressed which. Everything is also saved as an image. --filters and --layers need a YOLO model,
and take --weights and --imgsz.

Exit codes: 0 done, 2 wrong usage, 3 the image cannot be used.
"""


def _point(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """``X,Y`` in pixels."""
    if value is None:
        return None
    numbers = re.fullmatch(r"\(?\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*\)?", value)
    if numbers is None:
        raise click.BadParameter(f"{value} is not a point; give X,Y in pixels, as 220,150", ctx, param)
    return float(numbers[1]), float(numbers[2])


def _boxes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, _Box]]:
    """``X1,Y1,X2,Y2`` in pixels, each with the class before it, or ""."""
    found = []
    for value in values:
        name, _, edges = value.rpartition("=")
        if not re.fullmatch(r"\d+(\.\d+)?(,\d+(\.\d+)?){3}", edges):
            raise click.BadParameter(f"{value} is not a box; give X1,Y1,X2,Y2 in pixels", ctx, param)
        found.append((name, tuple(map(float, edges.split(",")))))
    return found


@click.command("explain", cls=YoloCommand, help=_HELP)
@click.argument("source", metavar="IMAGE", required=False)
@click.option("--at", metavar="X,Y", callback=_point, help="Point in pixels from the top left.")
@click.option("--filters", "view", flag_value="filters", help="Show filters, feature maps, receptive fields.")
@click.option("--saliency", "view", flag_value="saliency", help="Show the pixels that a detection rests on.")
@click.option("--stages", "view", flag_value="stages", help="Show what is proposed, and each round of NMS.")
@click.option("--targets", "view", flag_value="targets", help="Cell and anchors of --box, or the best box.")
@click.option(
    "--overlap", "view", flag_value="overlap", help="IoU of two --box, or of one and the best detection."
)
@click.option("--loss", "view", flag_value="loss", help="Loss with each --box as ground truth, term by term.")
@click.option("--layers", "view", flag_value="layers", help="Show what excites the units of each layer most.")
@click.option(
    "--box",
    "boxes",
    multiple=True,
    metavar="BOX",
    callback=_boxes,
    help="Box in pixels, X1,Y1,X2,Y2; for --loss CLASS=X1,Y1,X2,Y2.",
)
@click.option("--data", metavar="PATH", help="Images for --layers: a data set or a folder.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="N",
    help="Maximum number of images of --data.",
)
@explaining_options
@format_option("text", "json")
@out_options(_RUN_FOLDER)
@click.option("--save/--no-save", default=True, help="Save the explanation as an image.  [default: save]")
@config_option
@talk_options
def explain(quiet: bool, **given: Any) -> None:
    """Explain, print, save."""
    if given["save"]:
        check_run_folder(given["out"], given["exist_ok"])
    explained = _explained(given, quiet)
    echo_result(explained, given["output_format"])
    if given["save"]:
        path = explained.save(open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"]))
        if not quiet:
            say(f"saved {path}")


def _explained(given: dict[str, Any], quiet: bool) -> Any:
    """What was asked for."""
    from yolo_cli.api import explaining, worked

    view, source, at, how = given["view"], given["source"], given["at"], given["detection"]
    boxes = [box for _, box in given["boxes"]]
    _check(view, given)
    network = {name: how[name] for name in ("weights", "imgsz") if name in how}
    if view == "layers":
        watch = partial(watched, quiet, "images")
        return explaining.explain_layers(given["data"], limit=given["limit"], watch=watch, **network)
    if view == "filters":
        return explaining.explain_filters(source, at, **network)
    if view == "saliency":
        return explaining.explain_saliency(source, at, watch=partial(watched, quiet, "masks"), **how)
    if view == "stages":
        return worked.explain_stages(source, **how)
    if view == "targets":
        return worked.explain_targets(source, *boxes, **how)
    if view == "overlap":
        return worked.explain_overlap(source, boxes, **how)
    if view == "loss":
        return worked.explain_loss(source, given["boxes"], **how)
    return explaining.explain(source, at, **how)


def _check(view: str | None, given: dict[str, Any]) -> None:
    """Raise a UsageError unless what the view needs is given."""
    needed, hint = "data" if view == "layers" else "source", "see `yolo explain --help`"
    if view == "targets" and len(given["boxes"]) > 1:
        raise UsageError("--targets: takes one --box")
    if given[needed] is None:
        raise UsageError(f"{'IMAGE' if needed == 'source' else '--data'} is missing; {hint}")
    if view is None and given["at"] is None:
        raise UsageError(f"give a point with --at, or a view such as --filters or --stages; {hint}")
