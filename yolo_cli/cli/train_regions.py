"""`yolo train --detector`: the detectors before YOLO, which train in another way."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from yolo_cli.cli.group import INTERRUPTED
from yolo_cli.cli.progress import echo_model, say
from yolo_cli.errors import DataError, UsageError

if TYPE_CHECKING:
    from yolo_cli.datasets import Dataset
    from yolo_cli.region_training import RegionJob, Watcher

__all__ = ["DETECTORS", "detector_of_run", "train_region_detector"]

DETECTORS = ("yolo", "localisation", "conv-sliding-window", "rcnn", "fast-rcnn", "faster-rcnn")

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


def detector_of_run(folder: str, wanted: str) -> str:
    """Which detector the run in ``folder`` trains; "yolo" where it does not say, or is no run.

    Raises:
        UsageError: if the command line ``wanted`` another one.
    """
    import yaml

    try:
        values = yaml.safe_load((Path(folder) / "args.yaml").read_text(encoding="utf-8"))
        detector = str(values.get("detector", "yolo"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError, AttributeError):
        detector = "yolo"  # whose training says what is wrong with the folder
    source = click.get_current_context().get_parameter_source("detector")
    if source is ParameterSource.COMMANDLINE and wanted != detector:
        raise UsageError(f"--detector {wanted}: the run in {folder} is no such run; leave the option out")
    return detector


def train_region_detector(detector: str, given: dict[str, Any], quiet: bool, resume: str | None) -> int:
    """Train on the training part of the data, or go on with the run in ``resume``; say where the model lies.

    Raises:
        UsageError: if options were given that only YOLO knows, or no data.
        DataError: if the data or the run's folder cannot be used, or there is nothing to learn.
    """
    if not resume:
        _refuse_others(detector)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from yolo_cli.cli.train_view import choose_watcher
    from yolo_cli.weights import find_model

    job, data = _resumed(resume, given) if resume else _new(detector, given)
    try:
        with choose_watcher(quiet) as watcher:
            _train(job, data, watcher, bool(resume))
    except KeyboardInterrupt:
        say(f"interrupted; what is done is kept. Go on with: yolo train --resume {job.out}")
        return INTERRUPTED
    files = find_model(str(job.model))
    echo_model(files.keras, files.onnx)
    if not quiet:
        best = files.onnx or files.keras
        say(f"trained on {len(data)} images; judge it with: yolo eval --data … --weights {best}")
    return 0


def _new(detector: str, given: dict[str, Any]) -> tuple[RegionJob, Dataset]:
    """The job that the options describe, with a folder of its own, and what there is to learn from."""
    if not given["data"]:
        raise UsageError("--data is missing: a data set's folder, data.yaml or COCO .json")
    from yolo_cli.cli.runs import open_run_folder
    from yolo_cli.model.quiet import quiet as silenced

    data = _images(given["data"], given["allow_unlabelled"])
    with silenced():
        from yolo_cli.region_training import RegionJob, RegionRecipe
    recipe = RegionRecipe(detector, given["epochs"], given["seed"])
    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"])
    return RegionJob(given["data"], folder, recipe, given["allow_unlabelled"], data.content_hash), data


def _resumed(folder: str, given: dict[str, Any]) -> tuple[RegionJob, Dataset]:
    """The job of a run's folder, and what there is to learn from."""
    if given["data"] is not None:
        raise UsageError("--resume goes on with the options of its run; leave --data out")
    from yolo_cli.model.quiet import quiet as silenced

    with silenced():
        from yolo_cli.region_training import read_region_job
    job = read_region_job(Path(folder))
    data = _images(job.data, job.allow_unlabelled)
    if data.content_hash != job.fingerprint:
        raise DataError(f"{job.data}: has changed since the run in {folder} began; train anew")
    return job, data


def _images(path: str, allow_unlabelled: bool) -> Dataset:
    """The part of a data set to learn from."""
    from yolo_cli.datasets import open_dataset

    data = open_dataset(path, allow_unlabelled=allow_unlabelled)
    if "train" in data.splits:
        data = data.in_split("train")
    if not any(len(sample.labels) for sample in data.samples):
        raise DataError(f"{data.root}: no image to train on shows an object")
    return data


def _train(job: RegionJob, data: Dataset, watcher: Watcher, resume: bool) -> None:
    """Do what is not done yet. What the run keeps to go on goes when the model is whole."""
    from yolo_cli.region_training import Run, train_regions, write_region_job

    run = Run(job.out, watcher)
    if not resume:
        run.forget()
        write_region_job(job)
    if job.finished:
        watcher.say("this run is at its end already")
    else:
        train_regions(data, job.model, job.recipe, run)
        write_region_job(replace(job, finished=True))
    run.forget()


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
