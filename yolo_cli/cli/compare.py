"""`yolo compare`: from the sliding window to YOLO, on the same images, evaluated alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, format_option, talk_options
from yolo_cli.cli.progress import say
from yolo_cli.text import columns

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
@click.option("--split", metavar="NAME", help="Split to use.  [default: val, or all if unsplit]")
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
@format_option("table", "json")
@click.option("--out", metavar="DIR", help=f"Output folder.  [default: a new {_RUN_FOLDER}]")
@click.option("--exist-ok", is_flag=True, help="Write into an existing folder.")
@config_option
@talk_options
def compare(data: str, split: str | None, limit: int | None, **given: Any) -> int:
    """Measure one detector after the other, print, write the page."""
    from yolo_cli import comparison
    from yolo_cli.files import open_run_folder

    images = comparison.open_images(data, split, limit)
    names = [name.strip() for name in (given["detectors"] or "").split(",") if name.strip()]
    entries = comparison.choose_entries(names) if names else comparison.ENTRIES
    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"])
    talk = _Talk(images, given["time_limit"], given["quiet"])
    compared = comparison.compare(
        images, entries, time_limit=given["time_limit"], started=talk.started, finished=talk.finished
    )
    if given["output_format"] == "json":
        click.echo(json.dumps({"data": data, **compared.to_dict()}, ensure_ascii=False, indent=1))
    else:
        click.echo(_table(compared.rows), nl=False)
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
        self.say(f"{entry.name}: {len(self.images)} images, at most {self.time_limit:g} s")

    def finished(self, row: ComparisonRow) -> None:
        if not row.finished:
            self.say(f"{row.name}: time limit reached after {row.images} of {len(self.images)} images")
        if self.images.class_names and row.map50 is None:
            self.say(f"{row.name}: no mAP50, as these images show none of its classes")

    def say(self, text: str) -> None:
        if not self.quiet:
            say(text)


def _table(rows: Sequence[ComparisonRow]) -> str:
    """The figures for people: times in milliseconds per image, multiply-accumulates in billions."""
    title = ("detector", "mAP50", "recall", "regions", "propose", "classify", "suppress", "MACs", "images")
    body = [
        (
            row.name,
            _figure(row.map50),
            _figure(row.recall),
            f"{row.regions:,.0f}",
            f"{row.propose_ms:,.1f} ms",
            f"{row.classify_ms:,.1f} ms",
            f"{row.suppress_ms:,.1f} ms",
            f"{row.multiply_accumulates / 1e9:,.2f} G",
            f"{row.images}" if row.finished else f"{row.images} (time limit)",
        )
        for row in rows
    ]
    return columns([title, *body])


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
