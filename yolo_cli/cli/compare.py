"""`yolo compare`: from the sliding window to YOLO, on the same images, by the same judge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, format_option, talk_options
from yolo_cli.cli.progress import say
from yolo_cli.config import EVALUATION_FLOOR, DetectConfig
from yolo_cli.errors import DataError, UsageError
from yolo_cli.text import nearest

if TYPE_CHECKING:
    from yolo_cli.comparison import Contender, Measured, Row
    from yolo_cli.datasets import Dataset

__all__ = ["compare"]

_RUN_FOLDER = "runs/compare"

# The sign \b keeps click from filling a paragraph.
_HELP = """Compare the sliding window, R-CNN and YOLO on your images.

Every detector sees the same images and is judged alike: accuracy, time for proposing, classifying and
suppressing, windows or proposals judged, multiply-accumulates, memory. It prints a table and writes a page.
A folder of images without labels is compared without accuracy.

\b
yolo compare --data voc --limit 50
yolo compare --data photos/ --detectors 'R-CNN,YOLO' --format json
"""


@click.command("compare", cls=YoloCommand, help=_HELP)
@click.option("--data", required=True, metavar="PATH", help="A data set, or a folder of images.")
@click.option(
    "--split", metavar="NAME", help="Only this part.  [default: val, or all of an unsplit data set]"
)
@click.option("--limit", type=click.IntRange(min=1), help="Only so many images, evenly chosen.")
@click.option("--detectors", metavar="NAMES", help="Only these, with commas between.  [default: all]")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0),
    default=90.0,
    show_default=True,
    metavar="SECONDS",
    help="A detector begins no further image after so long.",
)
@format_option("table", "json")
@click.option("--out", metavar="DIR", help=f"Where the page is written.  [default: a new {_RUN_FOLDER}]")
@click.option("--exist-ok", is_flag=True, help="Write into a folder that is there already.")
@config_option
@talk_options
def compare(data: str, split: str | None, limit: int | None, **given: Any) -> int:
    """Measure one detector after the other, print, write the page."""
    from yolo_cli.cli.runs import open_run_folder
    from yolo_cli.comparison import write_page

    images, labelled = _images(data, split, limit)
    chosen = _chosen(given["detectors"])
    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"])
    measured = _measure(chosen, images, labelled, given["time_limit"], given["quiet"])
    rows = [one.row for one in measured]
    if given["output_format"] == "json":
        click.echo(json.dumps(_plain(rows, data, len(images)), ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join(_table(rows)))
    title = f"From the sliding window to YOLO: {len(images)} images of {Path(data).name}"
    write_page(folder / "comparison.html", measured, images, title)
    if not given["quiet"]:
        say(f"saved {folder / 'comparison.html'}")
    return 0


def _images(data: str, split: str | None, limit: int | None) -> tuple[Dataset, bool]:
    """The data set, and whether it has labels; a plain folder of images serves too."""
    from dataclasses import replace

    from yolo_cli.datasets import open_dataset

    try:
        found, labelled = open_dataset(data), True
    except DataError:
        found, labelled = _unlabelled(Path(data)), False
        if not found.samples:
            raise
    if split or "val" in found.splits:
        found = found.in_split(split or "val")
    step = max(1.0, len(found) / limit) if limit else 1.0
    places = [int(place * step) for place in range(min(limit or len(found), len(found)))]
    return replace(found, samples=tuple(found.samples[place] for place in places)), labelled


def _unlabelled(folder: Path) -> Dataset:
    """The images of a folder as a data set without boxes; none if it is no folder."""
    from yolo_cli.datasets import UNSPLIT, Dataset, Sample
    from yolo_cli.images import SUFFIXES

    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    samples = tuple(Sample(path.name, path, UNSPLIT, path.stem, "") for path in paths)
    return Dataset(folder, "yolo", (), samples)


def _chosen(names: str | None) -> Sequence[Contender]:
    """The detectors by their names.

    Raises:
        UsageError: if there is no such detector.
    """
    from yolo_cli.comparison import CONTENDERS

    known = {contender.name.casefold(): contender for contender in CONTENDERS}
    words = [word.strip() for word in names.split(",")] if names else list(known)
    for word in words:
        if word.casefold() not in known:
            near = nearest(word.casefold(), known)
            hint = f"did you mean {known[near].name}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"--detectors: there is no '{word}'; {hint}")
    return [known[word.casefold()] for word in words]


def _measure(
    chosen: Sequence[Contender], images: Dataset, labelled: bool, time_limit: float, quiet: bool
) -> list[Measured]:
    from yolo_cli.comparison import measure

    config = DetectConfig(conf=EVALUATION_FLOOR)
    measured = []
    for contender in chosen:
        if not quiet:
            say(f"{contender.name}: {len(images)} images, at most {time_limit:g} s")
        measured.append(measure(contender, images, config, time_limit, labelled))
        row = measured[-1].row
        if not quiet and not row.finished:
            say(f"{contender.name}: its time was up after {row.images} of {len(images)} images")
        if not quiet and labelled and row.map50 is None:
            say(f"{contender.name}: no mAP50, as these images show none of its classes")
    return measured


def _plain(rows: Sequence[Row], data: str, images: int) -> dict[str, Any]:
    """The figures as plain data."""
    return {"data": data, "images": images, "detectors": [asdict(row) for row in rows]}


def _table(rows: Sequence[Row]) -> list[str]:
    """The figures for people; times in milliseconds an image, arithmetic in billions."""
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
            f"{row.images}" if row.finished else f"{row.images} (time up)",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in (title, *body)) for column in range(len(title))]
    return [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in (title, *body)
    ]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
