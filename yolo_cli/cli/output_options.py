"""The options of what a command saves: where, what, and how boxes are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from yolo_cli.cli.options import all_options

if TYPE_CHECKING:
    from yolo_cli.identity.identify_run import IdentifyRun
    from yolo_cli.pipeline.runs import DetectRun

__all__ = ["drawing_options", "drawing_style", "out_options", "save_run", "saving_options", "segment_option"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def out_options(default: str) -> Callable[[Decorated], Decorated]:
    """``--out`` and ``--exist-ok``, for a folder: by default a new one that is called as ``default``."""
    return all_options(
        click.option("--out", metavar="DIR", help=f"Output folder.  [default: a new {default}]"),
        click.option("--exist-ok", is_flag=True, help="Write into an existing folder."),
    )


segment_option = click.option(
    "--segment",
    type=click.FloatRange(0, min_open=True),
    metavar="MINUTES",
    help="Save a video as files of so many minutes.",
)

drawing_options = all_options(
    click.option("--line-width", type=int, metavar="PIXELS", help="Line width.  [default: by image size]"),
    click.option("--no-labels", is_flag=True, help="Draw boxes without labels."),
    click.option("--no-confidence", is_flag=True, help="Draw labels without confidences."),
)


def saving_options(images: str, labels: str, *, default: bool) -> Callable[[Decorated], Decorated]:
    """``--save``, ``--save-crops``, ``--save-txt`` and how boxes are drawn.

    Args:
        images: the help of ``--save``.
        labels: the help of ``--save-txt``.
        default: whether images are saved without an option.
    """
    return all_options(
        click.option("--save/--no-save", default=default, help=images),
        click.option("--save-crops", is_flag=True, help="Save a crop of the image for each box."),
        click.option("--save-txt", is_flag=True, help=labels),
        drawing_options,
    )


def drawing_style(given: Mapping[str, Any]) -> dict[str, Any]:
    """How boxes are drawn, as the API takes it."""
    return {
        "line_width": given["line_width"],
        "labels": not given["no_labels"],
        "confidence": not given["no_confidence"],
    }


def save_run(run: DetectRun | IdentifyRun, default: str, given: Mapping[str, Any]) -> Path | None:
    """Let a run save what is asked for, and return its folder; None if nothing is saved."""
    what = {"images": given["save"], "crops": given["save_crops"], "txt": given["save_txt"]}
    if not any(what.values()):
        return None
    from yolo_cli.run_folders import open_run_folder

    folder = open_run_folder(default, given["out"], given["exist_ok"])
    run.save_to(folder, **what, segment=given.get("segment"), **drawing_style(given))
    return folder
