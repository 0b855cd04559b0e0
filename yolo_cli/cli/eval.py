"""`yolo eval`: a model, or another program's results, against ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.damaged import accept_damaged_option, timeout_option
from yolo_cli.cli.eval_inputs import Telling, open_data, renamings, sigmas_option
from yolo_cli.cli.eval_tracks import eval_tracks, exit_of_gates
from yolo_cli.cli.group import INTERRUPTED, YoloCommand
from yolo_cli.cli.options import data_options, evaluation_options, format_option, general_options
from yolo_cli.cli.output_options import out_options
from yolo_cli.cli.progress import echo_result
from yolo_cli.cli.terminal import say, unless
from yolo_cli.errors import UsageError
from yolo_cli.run_folders import open_run_folder

if TYPE_CHECKING:
    from yolo_cli.report import EvaluationResult

__all__ = ["eval"]

_RUN_FOLDER = "runs/eval"
_JOURNAL = "detections.ndjson"

# \b keeps click from filling a paragraph.
_HELP = """Evaluate a model, or another program's results, on a data set.

\b
yolo eval --data dir                              the default model, on val
yolo eval --data dir --weights mine --iou 0.75    another model and threshold
yolo eval --data dir --detections results.json    boxes of another program
yolo eval --data dir --fail-under map50=0.60      exit code 4 if lower
yolo eval --data dir --baseline runs/eval         compare with an earlier run
yolo eval --mot gt.txt --detections tracks.txt    tracks: HOTA, MOTA and IDF1

Prints average precision and saves a page with curves, error types and images. The data set is a folder or a
file in YOLO, COCO or Pascal VOC format. Classes of the model and the data are matched by name.

Exit codes: 0 done, 2 wrong usage, 3 the data cannot be used, 4 a gate was not met, 5 some inputs failed,
130 interrupted: continue with --resume.
"""


# What decides what is measured, and not what is printed or saved: `evaluate` takes it by these names.
_MEASURED = (
    *("split", "detections", "names", "iou", "protocol", "tide"),
    *("target_precision", "baseline", "cross_check", "sigmas"),
)


@click.command("eval", cls=YoloCommand, help=_HELP)
@data_options(required=False)
@click.option("--mot", metavar="PATH", help="Ground truth of tracks: MOT text, or a folder of it.")
@click.option("--detections", metavar="PATH", help="Boxes of another program: COCO .json or YOLO folder.")
@click.option("--names", metavar="FILE", help="Class names of --detections.  [default: the data's]")
@click.option("--iou", type=float, default=0.5, show_default=True, help="IoU threshold of a match, 0 to 1.")
@click.option(
    "--protocol",
    type=click.Choice(["coco", "voc07", "voc10"]),
    default="coco",
    show_default=True,
    help="Rules of matching and averaging.",
)
@click.option(
    "--tide",
    type=click.Choice(["tidecv", "replace"]),
    default="tidecv",
    show_default=True,
    help="Rule for the costs of errors (TIDE).",
)
@click.option("--target-precision", type=float, help="Print the threshold of each class for this precision.")
@click.option(
    "--fail-under", multiple=True, metavar="NAME=VALUE", help="Exit with 4 if a figure is lower: map50=0.6."
)
@click.option("--baseline", metavar="RUN", help="Earlier run to compare with: folder or run.json.")
@click.option("--fail-if-worse", is_flag=True, help="Exit with 4 if worse than --baseline beyond chance.")
@click.option("--cross-check", is_flag=True, help="Evaluate with pycocotools, too, and print both.")
@sigmas_option
@evaluation_options
@format_option("text", "json")
@out_options(_RUN_FOLDER)
@click.option("--save/--no-save", default=True, help="Save the page and the figures.  [default: save]")
@click.option("--plots", is_flag=True, help="Save the curves as PNG and SVG, too.")
@click.option("--resume", metavar="DIR", help="Folder of an interrupted run to continue.")
@accept_damaged_option
@timeout_option
@general_options
def eval(detection: dict[str, Any], data: str | None, quiet: bool, **given: Any) -> int:  # noqa: A001
    """Everything, from the data to the exit code."""
    if given["mot"] is not None:
        return eval_tracks(data, given)
    from yolo_cli.api.evaluation import check_evaluation, check_figures, evaluate
    from yolo_cli.evaluation import read_gates

    _check(given)
    asked = {name: given[name] for name in _MEASURED if given[name] is not None}
    asked |= {**detection, "map": renamings(given["renamed"])}
    weights = asked.pop("weights", None)
    check_evaluation(weights, asked)
    gates = read_gates(given["fail_under"])
    images = open_data(_needed(data), given["split"], image_files=not given["detections"])
    check_figures(gates, images, asked)
    folder = _folder(given)
    if folder and not given["detections"]:
        asked |= {"journal": folder / _JOURNAL, "resume": given["resume"] is not None}
    telling = Telling(quiet)
    try:
        result = evaluate(images, weights, watch=telling, **asked)
    except KeyboardInterrupt:
        hint = f"; continue with the same options and --resume {folder}" if folder else ""
        say(f"error: interrupted; what is done is kept{hint}")
        return INTERRUPTED
    _tell(result, [*images.notes, *telling.errors], quiet)
    echo_result(result, given["output_format"])
    if folder:
        page = result.save(folder, plots=given["plots"])
        unless(quiet)(f"saved in {folder}; open {page} in a browser")
    missed = result.missed(gates, fail_if_worse=given["fail_if_worse"])
    return exit_of_gates(missed) or (5 if result.faults else 0)  # a missed gate takes precedence


def _needed(data: str | None) -> str:
    """The data set, which only tracks do without."""
    if data is None:
        raise click.MissingParameter(param_hint="'--data'", param_type="option")
    return data


def _check(given: Mapping[str, Any]) -> None:
    """Raise UsageError for options of saving and failing that contradict each other."""
    contradictions = (
        (given["fail_if_worse"] and not given["baseline"], "--fail-if-worse needs a --baseline"),
        (
            given["resume"] and (given["out"] or given["detections"]),
            "--resume names the run's folder by itself",
        ),
        (given["resume"] and not given["save"], "--resume goes on with a saved run; leave out --no-save"),
        (given["plots"] and not given["save"], "--plots are saved; leave out --no-save"),
    )
    for contradiction, text in contradictions:
        if contradiction:
            raise UsageError(text)


def _folder(given: Mapping[str, Any]) -> Path | None:
    """The run's folder, made if need be; None if nothing is saved."""
    if given["resume"]:
        return Path(given["resume"])
    return open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"]) if given["save"] else None


def _tell(result: EvaluationResult, told: Sequence[str], quiet: bool) -> None:
    """What could not be used, and what a reader of the figures must know, unless it is ``told`` already."""
    for fault in result.faults:
        if fault not in told:
            say(f"error: {fault}")
    for note in result.about.notes if not quiet else ():
        if note not in (*told, *result.faults):
            say(note)
