"""`yolo compare`: from the sliding window to YOLO, on the same images, evaluated alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import format_option, general_options, split_option, tile_options
from yolo_cli.cli.output_options import out_options
from yolo_cli.cli.progress import echo_result
from yolo_cli.cli.terminal import say, unless
from yolo_cli.run_folders import open_run_folder
from yolo_cli.text import counted

if TYPE_CHECKING:
    from yolo_cli.comparison import ComparisonRow, Entry
    from yolo_cli.datasets import Dataset

__all__ = ["compare"]

_RUN_FOLDER = "runs/compare"

# The sign \b keeps click from filling a paragraph.
_HELP = """Compare the sliding window, R-CNN and YOLO on your images.

\b
yolo compare --data voc --limit 50
yolo compare --data photos/ --detectors 'R-CNN,YOLO' --format json

Runs every detector on the same images and prints its accuracy, times, number of regions and
multiply-accumulates; saves a page with images. Without annotations, no accuracy is measured.

Exit codes: 0 done, 2 wrong usage, 3 the data cannot be used, 130 interrupted.
"""


@click.command("compare", cls=YoloCommand, help=_HELP)
@click.option("--data", required=True, metavar="PATH", help="Data set, or folder of images.")
@split_option
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Maximum number of images, evenly spaced."
)
@click.option("--detectors", metavar="NAMES", help="Detectors to compare: 'R-CNN,YOLO'.  [default: all]")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0),
    default=90.0,
    show_default=True,
    metavar="SECONDS",
    help="Time limit per detector.",
)
@tile_options
@format_option("table", "json")
@out_options(_RUN_FOLDER)
@general_options
def compare(data: str, split: str | None, limit: int | None, **given: Any) -> int:
    """Measure one detector after the other, print, write the page."""
    from yolo_cli.api.comparing import compare as run
    from yolo_cli.comparison import choose_entries, open_images

    images = open_images(data, split, limit, unless(given["quiet"]))
    names = [name.strip() for name in (given["detectors"] or "").split(",") if name.strip()]
    entries = choose_entries(names) if names else None
    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"])
    time_limit = given["time_limit"]
    talk = _Talk(images, time_limit, given["quiet"])
    how: Any = {name: given[name] for name in ("time_limit", "tile", "tile_overlap")}
    compared = run(images, entries, started=talk.started, finished=talk.finished, **how)
    echo_result(compared, given["output_format"])
    compared.write_page(folder / "comparison.html")
    talk.say(f"saved {folder / 'comparison.html'}")
    return 0


@dataclass(frozen=True, slots=True)
class _Talk:
    """Says on standard error which detector runs, and what was left out."""

    images: Dataset
    time_limit: float
    quiet: bool

    def started(self, entry: Entry) -> None:
        self.say(f"{entry.name}: {counted(len(self.images), 'image')}, at most {self.time_limit:g} s")

    def finished(self, row: ComparisonRow) -> None:
        if not row.finished:
            self.say(
                f"{row.name}: time limit reached after {row.images} of {counted(len(self.images), 'image')}"
            )
        if self.images.class_names and row.map50 is None:
            self.say(f"{row.name}: no mAP50, as these images show none of its classes")

    def say(self, text: str) -> None:
        if not self.quiet:
            say(text)
