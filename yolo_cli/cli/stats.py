"""`yolo stats`: what a data set consists of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import allow_unlabelled_option, data_option, format_option, general_options
from yolo_cli.cli.output_options import out_options
from yolo_cli.cli.terminal import complain_of_left_out, echo, say
from yolo_cli.text import counted as plural

if TYPE_CHECKING:
    from yolo_cli.datasets.statistics import DatasetStats

__all__ = ["stats"]

_RUN_FOLDER = "runs/stats"

# The sign \b keeps click from filling a paragraph.
_HELP = """Show images, boxes, sizes and classes of a data set.

\b
yolo stats --data dir                             print tables, save a page
yolo stats --data dir --format json --no-save     figures for a program

Exit codes: 0 done, 2 wrong usage, 3 no image could be read, 5 some images were left out.
"""


@click.command("stats", cls=YoloCommand, help=_HELP)
@data_option()
@allow_unlabelled_option
@format_option("table", "json")
@out_options(_RUN_FOLDER)
@click.option("--save/--no-save", default=True, help="Write the page.  [default: save]")
@general_options
def stats(
    data: str,
    allow_unlabelled: bool,
    output_format: str,
    out: str | None,
    save: bool,
    exist_ok: bool,
    quiet: bool,
    verbose: bool,  # noqa: ARG001 - the group looks at it
) -> int:
    """Count, print, and write the page."""
    from yolo_cli.api.statistics import dataset_stats
    from yolo_cli.run_folders import check_run_folder, open_run_folder

    if save:
        check_run_folder(out, exist_ok)
    counted = dataset_stats(data, allow_unlabelled=allow_unlabelled)
    if output_format == "json":
        echo(counted.to_json())
    else:
        echo("\n".join(_tables(counted)), painted=True)
    complain_of_left_out(counted.unreadable)
    if save:
        from yolo_cli.report.dataset_page import write_dataset_page

        page = open_run_folder(_RUN_FOLDER, out, exist_ok, counted.data) / "report.html"
        write_dataset_page(page, counted)
        if not quiet:
            say(f"saved in {page}")
    return 5 if counted.unreadable else 0


def _tables(stats: DatasetStats) -> Iterator[str]:
    """Splits, classes and sizes."""
    from yolo_cli.cli.table import table

    titles = ("split", "images", "background", "boxes", "difficult", "crowd")
    rows = [
        (one.split, *(f"{n:,}" for n in (one.images, one.background, one.boxes, one.difficult, one.crowd)))
        for one in stats.splits
    ]
    yield table([titles, *rows])
    yield table(_class_rows(stats))
    small, medium, large = (f"{stats.areas[name]:,} {name}" for name in ("small", "medium", "large"))
    yield f"boxes: {small} (below 32x32 pixels), {medium}, {large} (96x96 and more)"
    width, height, count = stats.image_sizes[0]
    yield f"images: {plural(len(stats.image_sizes), 'size')}, {count:,} of {width}x{height}"


def _class_rows(stats: DatasetStats) -> list[tuple[str, ...]]:
    """The titles, and the boxes of each class, the most frequent first."""
    splits = [one.split for one in stats.splits]
    rows: list[tuple[str, ...]] = [("class", "boxes", "images", *splits)]
    for one in sorted(stats.classes, key=lambda one: -one.boxes):
        numbers = (one.boxes, one.images, *(one.by_split[split] for split in splits))
        rows.append((one.class_name, *(f"{number:,}" for number in numbers)))
    return rows
