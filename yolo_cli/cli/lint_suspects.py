"""The part of `yolo lint` that finds labels that are probably wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.eval_inputs import Telling, renamings
from yolo_cli.cli.options import collected, device_option, map_option
from yolo_cli.cli.terminal import say, shown
from yolo_cli.errors import UsageError
from yolo_cli.run_folders import open_run_folder

if TYPE_CHECKING:
    from pathlib import Path

    from yolo_cli.datasets import LintReport
    from yolo_cli.suspects import SuspectReport

__all__ = [
    "check_suspecting",
    "found_suspects",
    "save_suspects",
    "suspect_lines",
    "suspect_options",
    "suspects_folder",
]

_RUN_FOLDER = "runs/lint"
_OF_A_KIND = 8

_OPTIONS = (
    click.option("--weights", metavar="NAME", help="Model to find suspect labels with."),
    click.option(
        "--cross-validate",
        type=click.IntRange(min=2),
        metavar="K",
        help="Train models of K held-out folds to find them.",
    ),
    click.option(
        "--max-minutes", type=float, metavar="MINUTES", help="Time budget of each fold.  [default: 10]"
    ),
    click.option("--split", metavar="NAME", help="Split to look for suspect labels in.  [default: all]"),
    map_option,
    device_option,
    click.option(
        "--seed", type=click.IntRange(min=0), metavar="N", help="Random seed of folds.  [default: 0]"
    ),
    click.option("--out", metavar="DIR", help=f"Folder for suspects.  [default: a new {_RUN_FOLDER}]"),
    click.option("--exist-ok", is_flag=True, help="Write into an existing folder."),
)
_NAMES = ("weights", "cross_validate", "max_minutes", "split", "renamed", "device", "seed", "out", "exist_ok")


suspect_options = collected("suspecting", _NAMES, *_OPTIONS)


def check_suspecting(suspecting: dict[str, Any]) -> bool:
    """Whether suspects are asked for; UsageError for options that are of use only then."""
    if "weights" in suspecting or "cross_validate" in suspecting:
        return True
    idle = [name for name in suspecting if name != "device" or suspecting["device"] != "auto"]
    for name in idle:
        option = "--map" if name == "renamed" else "--" + name.replace("_", "-")
        raise UsageError(
            f"{option} is for finding suspect labels; it goes with --weights or --cross-validate"
        )
    return False


def suspects_folder(report: LintReport, suspecting: dict[str, Any]) -> Path:
    """The folder for the page, made before hours of training."""
    out, exist_ok = suspecting.get("out"), suspecting.get("exist_ok", False)
    return open_run_folder(_RUN_FOLDER, out, exist_ok, report.dataset.root)


def found_suspects(report: LintReport, suspecting: dict[str, Any], quiet: bool) -> SuspectReport:
    """The suspects, with progress and notes on stderr."""
    from yolo_cli.api.suspects import find_suspects
    from yolo_cli.cli.train_view import choose_watcher

    asked = {name: value for name, value in suspecting.items() if name not in ("renamed", "out", "exist_ok")}
    asked["map"] = renamings(suspecting.get("renamed", ()))
    with choose_watcher(quiet or "cross_validate" not in asked) as watcher:
        suspects = find_suspects(report, watch=Telling(quiet), watcher=watcher, **asked)
    for note in suspects.notes if not quiet else ():
        say(note)
    return suspects


def save_suspects(suspects: SuspectReport, folder: Path, quiet: bool) -> None:
    """Write the page, and say where it is."""
    page = suspects.save(folder)
    if not quiet:
        say(f"{suspects.count}; open {page} in a browser to accept or reject them")


def suspect_lines(suspects: SuspectReport) -> Iterator[str]:
    """The most probable suspects as a table."""
    from yolo_cli.cli.table import table

    yield ""
    yield shown(f"{suspects.count} by {suspects.model}")
    if not suspects.suspects:
        return
    rows = [("suspect", "score", "where", "labelled", "the model sees")]
    top = suspects.top(_OF_A_KIND)
    for it in top:
        seen = f"{it.seen.class_name} {it.seen.confidence:.2f}" if it.seen else "nothing"
        label = it.label.class_name if it.label else "nothing"
        rows.append((it.kind, f"{it.score:.2f}", it.where, label, seen))
    yield from table(rows, (0, 2, 3, 4)).splitlines()
    more = len(suspects.suspects) - len(top)
    if more > 0:
        yield f"and {more} more; --format json lists all"
