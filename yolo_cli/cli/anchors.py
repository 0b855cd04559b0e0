"""`yolo anchors`: box sizes to start from, fitted to a data set."""

from __future__ import annotations

from typing import Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import data_option, format_option, general_options
from yolo_cli.cli.progress import echo_result
from yolo_cli.cli.terminal import say, unless
from yolo_cli.config import DEFAULT_ANCHORS
from yolo_cli.run_folders import open_run_folder

__all__ = ["anchors"]

_RUN_FOLDER = "runs/anchors/fit"
_FITTING = ("data", "k", "imgsz", "against", "starts", "seed")

# The sign \b keeps click from filling a paragraph.
_HELP = """Fit anchors to the boxes of a data set.

\b
yolo anchors --data dir
yolo anchors --data dir -k 9 --imgsz 608 --out my-anchors.yaml

Prints anchor sizes in pixels of the network input, with the mean IoU of a box with its best anchor and the
best possible recall (the fraction of boxes that have IoU 0.5 or more with an anchor), and saves a plot. Of a
data set with splits, only train is used.

Exit codes: 0 done, 2 wrong usage, 3 the data cannot be used.
"""


@click.command("anchors", cls=YoloCommand, help=_HELP)
@data_option()
@click.option(
    "-k",
    type=click.IntRange(1, 100),
    metavar="N",
    default=6,
    show_default=True,
    help="Number of anchors.",
)
@click.option(
    "--imgsz",
    type=click.IntRange(32, 4096),
    metavar="PIXELS",
    default=416,
    show_default=True,
    help="Longer side of the input.",
)
@click.option(
    "--against",
    default=DEFAULT_ANCHORS,
    show_default=True,
    metavar="NAME",
    help="Anchors to compare with, or a file.",
)
@click.option(
    "--starts",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=10,
    show_default=True,
    help="Random starts of k-means.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", default=0, show_default=True, help="Random seed."
)
@click.option("--out", metavar="FILE", help=f"Output file.  [default: in a new {_RUN_FOLDER}]")
@click.option("--exist-ok", is_flag=True, help="Overwrite an existing file.")
@format_option("table", "json")
@general_options
def anchors(quiet: bool, **given: Any) -> None:
    """Fit, print, save."""
    from yolo_cli.api.anchors import fit_anchors

    fitted = fit_anchors(
        **{name: given[name] for name in _FITTING},
        say=unless(quiet),
    )
    echo_result(fitted, given["output_format"])
    out, exist_ok = given["out"], given["exist_ok"]
    saved = fitted.save(out or open_run_folder(_RUN_FOLDER, None, exist_ok), exist_ok=exist_ok)
    if not quiet:
        say(f"saved in {saved} and {saved.with_suffix('.png').name}")
