"""Training: a data set → a trained detector. One run lifecycle, with a recipe per kind of detector.

Importing this package imports no framework; `train` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yolo_cli.errors import UserError
from yolo_cli.training.events import CallbackWatcher, Plan, State, Step, Watcher
from yolo_cli.training.job import TrainJob, new_job, read_job, remove_empty_run

if TYPE_CHECKING:
    from yolo_cli.training.run import TrainResult

__all__ = [
    "CallbackWatcher",
    "Plan",
    "State",
    "Step",
    "TrainJob",
    "Watcher",
    "new_job",
    "read_job",
    "train",
]


def train(job: TrainJob, watcher: Watcher | None = None, *, resume: bool = False) -> TrainResult:
    """Train a detector, or with ``resume`` continue the interrupted run in ``job.out``.

    Nothing is printed. The run's folder contains ``args.yaml``, the model in ``weights/``, and for YOLO
    ``results.csv`` and ``report.html``.

    Args:
        job: what to train, and where; for ``resume``, from `read_job`.
        watcher: notified of progress.
        resume: continue; the result has the same bytes as that of an uninterrupted run.

    Returns:
        The model's files, and its figures on the validation images if the recipe measures them.

    Raises:
        UsageError: if options contradict each other, or do not fit the data or the network.
        DataError: if the data cannot be used, has changed since the run began, or the disk is full.
        KeyboardInterrupt: passed on; complete epochs are saved, and ``resume`` continues from there.
    """
    try:
        from yolo_cli.framework import silence

        with silence():
            from yolo_cli.training.run import run
        return run(job, watcher or Watcher(), resume=resume)
    except UserError:
        if not resume:
            remove_empty_run(job.out)
        raise
