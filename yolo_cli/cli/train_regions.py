"""`yolo train --detector`: the detectors before YOLO, which train in another way."""

from __future__ import annotations

import os
import time
from typing import Any

import click
from click.core import ParameterSource

from yolo_cli.cli.progress import say
from yolo_cli.errors import DataError, UsageError

__all__ = ["DETECTORS", "train_region_detector"]

DETECTORS = ("yolo", "conv-sliding-window", "rcnn", "fast-rcnn")

_RUN_FOLDER = "runs/train"
_MEANT_FOR_ALL = {
    "data",
    "detector",
    "epochs",
    "seed",
    "out",
    "exist_ok",
    "allow_unlabelled",
    "quiet",
    "verbose",
}
_PAUSE_S = 10.0  # between two lines of progress


def train_region_detector(detector: str, given: dict[str, Any], quiet: bool) -> int:
    """Train on the training part of the data, and say where the model lies.

    Raises:
        UsageError: if options were given that only YOLO knows, or no data.
        DataError: if the data cannot be used, or is not there to learn from.
    """
    _refuse_others(detector)
    if not given["data"]:
        raise UsageError("--data is missing: a data set's folder, data.yaml or COCO .json")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from yolo_cli.cli.runs import open_run_folder
    from yolo_cli.datasets import open_dataset
    from yolo_cli.model.quiet import quiet as hushed

    data = open_dataset(given["data"], allow_unlabelled=given["allow_unlabelled"])
    if "train" in data.splits:
        data = data.in_split("train")
    if not any(len(sample.labels) for sample in data.samples):
        raise DataError(f"{data.root}: no picture to train on shows an object")
    with hushed():
        from yolo_cli.region_training import RegionRecipe, train_regions
    recipe = RegionRecipe(detector, given["epochs"], given["seed"])
    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"])
    files = train_regions(data, folder / "weights" / "best", recipe, _watcher(quiet))
    click.echo(f"{files.keras}\n{files.onnx}")
    if not quiet:
        say(f"trained on {len(data)} pictures; judge it with: yolo eval --data … --weights {files.onnx}")
    return 0


def _refuse_others(detector: str) -> None:
    """Raise UsageError for the first option on the command line that this detector does not know."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = str(parameter.name)
        if name in _MEANT_FOR_ALL:
            continue
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{parameter.opts[0]}: only --detector yolo knows it; leave it out for {detector}"
            )


def _watcher(quiet: bool) -> Any:
    """Says every few seconds how much of what is done."""
    told = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal told
        if not quiet and (done == total or time.monotonic() - told >= _PAUSE_S):
            told = time.monotonic()
            say(f"{done} of {total} {what}")

    return tell
