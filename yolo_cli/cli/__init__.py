"""The command line: one file a command. Nothing heavy is imported until a command needs it."""

from __future__ import annotations

import click

import yolo_cli
from yolo_cli.cli.group import YoloGroup

__all__ = ["COMMANDS", "main"]

# The help line of each command is here so that `yolo --help` imports none of them.
# The command NAME is the function NAME in yolo_cli/cli/NAME.py; a test holds the two texts together.
COMMANDS = {
    "detect": "Find objects in images and videos.",
    "track": "Follow objects through a video.",
    "identify": "Tell which one it is, from one photo of each or more.",
    "eval": "Evaluate a model, or another program's results, on a data set.",
    "compare": "Compare the sliding window, R-CNN and YOLO on your images.",
    "calibrate": "Calibrate the confidences of a model.",
    "anchors": "Fit anchors to the boxes of a data set.",
    "explain": "Explain what a model sees: predictions at a point, filters, layers.",
    "stylize": "Give images the style of a painting.",
    "lint": "Check a data set for errors.",
    "stats": "Show images, boxes, sizes and classes of a data set.",
    "convert": "Convert a data set to another form.",
    "serve": "Serve models over HTTP, with a page for people.",
    "train": "Train a detector on your own images.",
    "export": "Export a model to the formats of other programs, with proof.",
    "benchmark": "Measure a model on this machine in every installed engine.",
    "weights": "List, show, fetch, import and export models.",
    "devices": "Show devices, engines, and what is missing to use them.",
}


# The sign \b keeps click from filling a paragraph.
_HELP = """An object detector for the command line.

\b
yolo detect photo.jpg                 print a table, save an image with boxes
yolo detect photos/ --format json     print boxes for another program
yolo COMMAND --help                   show the options of a command
"""


@click.group(
    cls=YoloGroup,
    help=_HELP,
    lazy=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(yolo_cli.__version__, "-V", "--version", message="yolo-cli %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Without a command, show what there is."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
