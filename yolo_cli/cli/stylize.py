"""`yolo stylize`: images in the style of a painting."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, device_option, format_option, talk_options
from yolo_cli.cli.progress import echo_result, watched
from yolo_cli.cli.terminal import echo, say
from yolo_cli.errors import UsageError
from yolo_cli.run_folders import check_run_folder, open_run_folder

__all__ = ["stylize"]

_RUN_FOLDER = "runs/stylize"

# The sign \b keeps click from filling a paragraph.
_HELP = """Give images the style of a painting.

\b
yolo stylize photo.jpg --style painting.jpg
yolo stylize --data dir --style painting.jpg --out stylised

The pixels are changed until a trained network sees the texture and the colours of the painting in them
(Gatys et al., 2016). With --data, a copy of a data set is written, whose boxes stay: trained on both, a
detector relies less on colours.

Exit codes: 0 done, 2 wrong usage, 3 an image or the data cannot be used.
"""


@click.command("stylize", cls=YoloCommand, help=_HELP)
@click.argument("source", metavar="IMAGE", required=False)
@click.option("--style", required=True, metavar="FILE", help="Image whose style is taken.")
@click.option("--data", metavar="PATH", help="Data set to copy, in place of IMAGE.")
@click.option("--weights", metavar="NAME", help="YOLO model that compares.  [default: yolov4-tiny-coco]")
@click.option("--backbone", metavar="NAME", help="Backbone that compares, as efficientnet-lite0.")
@click.option("--imgsz", type=int, metavar="PIXELS", help="Longer side.  [default: 384; with --data 192]")
@click.option("--steps", type=int, metavar="N", help="Number of steps.  [default: 200; with --data 60]")
@click.option("--style-weight", type=float, help="Weight of the style cost.  [default: 60]")
@device_option
@format_option("text", "json")
@click.option("--out", metavar="DIR", help=f"Output folder.  [default: a new {_RUN_FOLDER}]")
@click.option("--exist-ok", is_flag=True, help="Write into an existing folder; not with --data.")
@config_option
@talk_options
def stylize(source: str | None, style: str, data: str | None, quiet: bool, **given: Any) -> None:
    """Stylise, print, save."""
    from yolo_cli.api import styling

    names = ("weights", "backbone", "imgsz", "steps", "style_weight")
    how: Any = {name: given[name] for name in names if given[name] is not None}
    how["watch"] = partial(watched, quiet, "images" if data else "steps")
    if (source is None) == (data is None):
        raise UsageError("give either an IMAGE or --data; see `yolo stylize --help`")
    if data is not None:
        if given["out"] is None:
            raise UsageError("--data needs --out, a new folder for the copy")
        if given["exist_ok"]:
            raise UsageError("--exist-ok: a copy of --data needs a new folder; leave it out")
        echo(styling.stylize_data(data, style, given["out"], **how))
        return
    check_run_folder(given["out"], given["exist_ok"])
    stylised = styling.stylize(str(source), style, **how)
    echo_result(stylised, given["output_format"])
    path = stylised.save(open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"]))
    if not quiet:
        say(f"saved {path}")
