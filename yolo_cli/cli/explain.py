"""`yolo explain`: why a model found what it found, and what its layers see."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, explaining_options, format_option, talk_options
from yolo_cli.cli.progress import echo_result, watched
from yolo_cli.cli.terminal import say
from yolo_cli.errors import UsageError
from yolo_cli.files import check_run_folder, open_run_folder

__all__ = ["explain"]

_RUN_FOLDER = "runs/explain"

# \b keeps click from filling a paragraph.
_HELP = """Explain what a model sees: predictions at a point, filters, layers.

\b
yolo explain examples/cat.jpg --at 220,150      predictions, suppressed boxes
yolo explain examples/cat.jpg --filters         filters and feature maps
yolo explain examples/cat.jpg --saliency        pixels that a box rests on
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


@click.command("explain", cls=YoloCommand, help=_HELP)
@click.argument("source", metavar="IMAGE", required=False)
@click.option("--at", metavar="X,Y", callback=_point, help="Point in pixels from the top left.")
@click.option("--filters", "view", flag_value="filters", help="Show filters, feature maps, receptive fields.")
@click.option("--saliency", "view", flag_value="saliency", help="Show the pixels that a detection rests on.")
@click.option("--layers", "view", flag_value="layers", help="Show what excites the units of each layer most.")
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
@click.option("--out", metavar="DIR", help=f"Output folder.  [default: a new {_RUN_FOLDER}]")
@click.option("--save/--no-save", default=True, help="Save the explanation as an image.  [default: save]")
@click.option("--exist-ok", is_flag=True, help="Write into an existing folder.")
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
    from yolo_cli.api import explaining

    view, source, at, how = given["view"], given["source"], given["at"], given["detection"]
    _check(view, given)
    network = {name: how[name] for name in ("weights", "imgsz") if name in how}
    if view == "layers":
        watch = partial(watched, quiet, "images")
        return explaining.explain_layers(given["data"], limit=given["limit"], watch=watch, **network)
    if view == "filters":
        return explaining.explain_filters(source, at, **network)
    if view == "saliency":
        return explaining.explain_saliency(source, at, watch=partial(watched, quiet, "masks"), **how)
    return explaining.explain(source, at, **how)


def _check(view: str | None, given: dict[str, Any]) -> None:
    """Raise a UsageError unless what the view needs is given."""
    needed, hint = "data" if view == "layers" else "source", "see `yolo explain --help`"
    if given[needed] is None:
        raise UsageError(f"{'IMAGE' if needed == 'source' else '--data'} is missing; {hint}")
    if view is None and given["at"] is None:
        raise UsageError(f"give a point with --at, or --filters, --saliency or --layers; {hint}")
