"""`yolo convert`: a data set in another form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.eval_inputs import renamings
from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import allow_unlabelled_option, format_option, general_options
from yolo_cli.cli.progress import track
from yolo_cli.cli.terminal import complain_of_left_out, echo, say
from yolo_cli.text import counted

if TYPE_CHECKING:
    from yolo_cli.datasets.converting import Converted

__all__ = ["convert"]

_FORMS = ("yolo", "coco", "voc", "labelme", "label-studio", "cvat", "openimages", "parquet")

# The sign \b keeps click from filling a paragraph.
_HELP = """Convert a data set to another form.

\b
yolo convert --data dir --to coco --out new
yolo convert --data a --data b --to yolo --out both      merge by class name
yolo convert --data dir --to yolo --out new --split train=.8,val=.1,test=.1

Boxes keep their precision. What the form cannot hold is named, with the number of boxes that lose it. The
folder appears when everything is written; the data set itself is never modified.

Exit codes: 0 done, 2 wrong usage, 3 nothing could be converted, 5 done, but something was left out.
"""


@click.command("convert", cls=YoloCommand, help=_HELP)
@click.option(
    "--data", required=True, multiple=True, metavar="PATH", help="Data set to read; several are merged."
)
@click.option("--to", required=True, type=click.Choice(_FORMS), help="Form to write.")
@click.option("--out", required=True, metavar="DIR", help="New folder for the data set.")
@click.option("--split", metavar="PARTS", help="New splits, as train=.8,val=.1,test=.1.  [default: keep]")
@click.option("--group-by", metavar="REGEX", help="Part of names whose images stay in one split.")
@click.option("--classes", multiple=True, metavar="NAMES", help="Classes to keep: cat,dog.  [default: all]")
@click.option("--map", "renamed", multiple=True, metavar="OLD=NEW", help="Rename class OLD to NEW.")
@click.option("--tile", type=int, metavar="PIXELS", help="Cut images into tiles of this side.")
@click.option(
    "--background", type=float, metavar="FRACTION", help="Most images without boxes.  [default: all]"
)
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed of splits.")
@click.option("--copy/--link", "copy", default=True, help="Copy or hard-link images.  [default: copy]")
@click.option("--exist-ok", is_flag=True, help="Replace the data set in an existing folder.")
@allow_unlabelled_option
@format_option("table", "json")
@general_options
def convert(
    data: tuple[str, ...],
    to: str,
    out: str,
    renamed: tuple[str, ...],
    output_format: str,
    quiet: bool,
    **given: Any,
) -> int:
    """Convert, and print what was written."""
    from yolo_cli.api.converting import convert as write

    given.pop("verbose")  # the group looks at it
    given |= {"link": not given.pop("copy"), "map": renamings(renamed)}
    watch = None if quiet else partial(track, what="images")
    converted = write(data, to, out, watch=watch, **given)
    if output_format == "json":
        echo(converted.to_json())
    else:
        echo("\n".join(_table(converted)), painted=True)
    complain_of_left_out(converted.left_out)
    for line in () if quiet else _remarks(converted):
        say(line)
    return 5 if converted.left_out else 0


def _table(converted: Converted) -> list[str]:
    """The splits."""
    from yolo_cli.cli.table import table

    rows: list[tuple[str, ...]] = [("split", "images", "background", "boxes")]
    for split, counts in converted.splits.items():
        rows.append((split, *(f"{counts[key]:,}" for key in ("images", "background", "boxes"))))
    return table(rows, (0,), {}).splitlines()


def _remarks(converted: Converted) -> Iterator[str]:
    """What is lost, and where the data set is."""
    yield from (f"warning: {line}" for line in converted.lost)
    yield from converted.notes
    classes = counted(len(converted.class_names), "class")
    yield f"{classes}, {converted.form} form, saved in {converted.out}"
