"""`yolo explain`: why a model found what it found at one point of an image."""

from __future__ import annotations

import re
from typing import Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, explaining_options, format_option, talk_options
from yolo_cli.cli.progress import echo_result
from yolo_cli.cli.terminal import say
from yolo_cli.files import open_run_folder

__all__ = ["explain"]

_RUN_FOLDER = "runs/explain"

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
def explain(
    detection: dict[str, Any], source: str, at: tuple[float, float], quiet: bool, **given: Any
) -> None:
    """Explain, print, save."""
    from yolo_cli.api.explaining import explain as run

    explained = run(source, at, **detection)
    echo_result(explained, given["output_format"])
    if given["save"]:
        path = explained.save(open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"]))
        if not quiet:
            say(f"saved {path}")
