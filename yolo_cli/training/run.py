"""The lifecycle of every run: data, job file, recipe, result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from yolo_cli.datasets import Dataset
from yolo_cli.errors import DataError
from yolo_cli.training.checkpoint import checkpoint_of
from yolo_cli.training.dataset import open_data
from yolo_cli.training.events import Watcher
from yolo_cli.training.job import TrainJob, write_job
from yolo_cli.training.regions.recipes import METHODS, train_regions
from yolo_cli.training.result import TrainResult
from yolo_cli.training.unlabelled.recipe import train_unlabelled
from yolo_cli.training.workspace import Workspace
from yolo_cli.training.yolo.recipe import train_yolo

__all__ = ["RECIPES", "Recipe", "TrainResult", "run"]

Recipe = Callable[[TrainJob, Dataset, Workspace], TrainResult]
"""A recipe: trains (or continues), and writes the model into ``job.out``."""

RECIPES: Mapping[str, Recipe] = {"yolo": train_yolo, **dict.fromkeys(METHODS, train_regions)}


def run(job: TrainJob, watcher: Watcher, *, resume: bool) -> TrainResult:
    """See `yolo_cli.training.train`."""
    workspace = Workspace(job.out, watcher)
    if not resume:
        (job.out / "weights").mkdir(parents=True, exist_ok=True)
        checkpoint_of(job.out).unlink(missing_ok=True)
        workspace.clear()
        write_job(job)
    data = open_data(job, watcher.say)
    if job.fingerprint not in (None, data.content_hash):
        raise DataError(f"{job.data}: has changed since the run in {job.out} began; train again")
    if job.fingerprint is None:
        job = replace(job, fingerprint=data.content_hash)
        write_job(job)
    recipe = train_unlabelled if job.unlabelled else RECIPES[job.detector]
    result = recipe(job, data, workspace)
    if not job.finished:
        write_job(replace(job, finished=True))
    workspace.clear()
    return result
