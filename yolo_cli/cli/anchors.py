"""`yolo anchors`: box sizes to start from, fitted to a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, encoding_option, format_option, talk_options
from yolo_cli.cli.progress import say
from yolo_cli.config import DEFAULT_ANCHORS
from yolo_cli.text import columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from yolo_cli.anchors import Anchors
    from yolo_cli.datasets import Dataset

__all__ = ["anchors"]

_RUN_FOLDER = "runs/anchors/fit"

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
@click.option("--data", required=True, metavar="PATH", help="Data set: folder, data.yaml or COCO .json.")
@click.option(
    "-k",
    "count",
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
@encoding_option
@config_option
@talk_options
def anchors(**given: Any) -> None:
    """Fit, print, save."""
    from yolo_cli.anchors import Anchors, fit_anchors, read_anchors
    from yolo_cli.datasets import open_usable

    present = read_anchors(given["against"])
    dataset = open_usable(given["data"], say, decode=False)
    part = dataset.in_split("train") if "train" in dataset.splits else dataset
    wh = part.box_sizes(given["imgsz"])  # (N, 2)
    sizes = fit_anchors(wh, given["count"], seed=given["seed"], starts=given["starts"])  # (k, 2)
    origin = f"{len(wh)} boxes of {part.root.name}, data {part.content_hash[:12]}"
    source = f"yolo anchors: {origin}, seed {given['seed']}"
    found = Anchors(sizes, given["imgsz"], f"{part.root.name}-{given['count']}", source)
    report = _report(part, wh, found, present)
    click.echo(json.dumps(report, indent=1) if given["output_format"] == "json" else _text(report), nl=True)
    saved = _save(wh, found, present, given["out"], given["exist_ok"])
    if not given["quiet"]:
        say(f"saved in {saved} and {saved.with_suffix('.png').name}")


def _report(dataset: Dataset, wh: NDArray[np.float64], found: Anchors, present: Anchors) -> dict[str, Any]:
    """The anchors and what they are worth, as plain values."""
    from yolo_cli.anchors import anchor_figures

    return {
        "data": str(dataset.root),
        "content_hash": dataset.content_hash,
        "images": len(dataset),
        "boxes": len(wh),
        "imgsz": found.imgsz,
        "anchors": [[round(w, 2), round(h, 2)] for w, h in found.wh.tolist()],
        **anchor_figures(wh, found.wh),
        "present": {"name": present.name, **anchor_figures(wh, present.at(found.imgsz))},
    }


def _text(report: dict[str, Any]) -> str:
    """The report for people."""
    present = report["present"]
    head = f"{report['boxes']} boxes on {report['images']} images, at {report['imgsz']} pixels"
    sizes = [("width", "height"), *((f"{w:.1f}", f"{h:.1f}") for w, h in report["anchors"])]
    figures = [("", "mean IoU", "best possible recall")] + [
        (name, f"{of['mean_iou']:.3f}", f"{of['best_possible_recall']:.3f}")
        for name, of in (("these", report), (f"present ({present['name']})", present))
    ]
    pairs = ",  ".join(f"{w:.0f},{h:.0f}" for w, h in report["anchors"])
    tables = columns(sizes, left=()), columns(figures)
    return "\n".join([f"{head}\n", *tables, f"in a Darknet cfg: anchors = {pairs}"])


def _save(wh: NDArray[np.float64], found: Anchors, present: Anchors, out: str | None, exist_ok: bool) -> Path:
    """Write the file and, beside it, the image."""
    from yolo_cli.anchors import draw_anchors, write_anchors
    from yolo_cli.errors import UsageError
    from yolo_cli.files import open_run_folder
    from yolo_cli.images import write_image

    path = Path(out) if out else open_run_folder(_RUN_FOLDER, None, exist_ok) / "anchors.yaml"
    for place in (path, path.with_suffix(".png")):
        if place.exists() and not exist_ok:
            raise UsageError(f"--out {out}: {place.name} exists; name another file, or add --exist-ok")
    write_anchors(path, found)
    write_image(path.with_suffix(".png"), draw_anchors(wh, found, present))
    return path
