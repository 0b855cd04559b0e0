"""Labels that are probably wrong: `find_suspects`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from yolo_cli.api.evaluation import matched_classes
from yolo_cli.api.linting import lint
from yolo_cli.api.options import LoadOptions, check_options
from yolo_cli.datasets import LintReport
from yolo_cli.datasets.splits import split_called
from yolo_cli.errors import UsageError
from yolo_cli.pipeline import Watch
from yolo_cli.pipeline.evaluating import EvaluationData
from yolo_cli.training import Watcher

if TYPE_CHECKING:
    from yolo_cli.api.detection import Predictor
    from yolo_cli.suspects import SuspectReport

__all__ = ["SuspectOptions", "find_suspects"]


class SuspectOptions(LoadOptions, total=False):
    """The options of ``yolo lint`` that find suspect labels.

    Attributes:
        batch: batch size of detection.
        split: only this part; else all images.
        map: the data's class for a class of the model, where their names differ.
        cross_validate: train a model for each of so many folds on the others; at least 2.
        max_minutes: time budget a fold; 10 by default.
        epochs: number of epochs a fold.
        seed: random seed of folds and training.
    """

    batch: int
    split: str | None
    map: Mapping[str, str]
    cross_validate: int | None
    max_minutes: float | None
    epochs: int | None
    seed: int


def find_suspects(
    data: str | os.PathLike[str] | LintReport,
    weights: str | os.PathLike[str] | Predictor | None = None,
    *,
    watch: Watch | None = None,
    watcher: Watcher | None = None,
    **options: Unpack[SuspectOptions],
) -> SuspectReport:
    """Rank the labels of a data set that are probably overlooked, swapped, misplaced or invented.

    Args:
        data: the data set's folder, data.yaml or COCO .json, or what `lint` found in it.
        weights: the model to compare labels with; with ``cross_validate``, the one to fine-tune.
        watch: takes the outcomes as they come, with their number, and passes them on, to show progress.
        watcher: notified of the progress of training.
        **options: see `SuspectOptions`: ``cross_validate``, ``max_minutes``, ``split``, ``map``, …

    Returns:
        The suspects, most probable first; ``save`` writes a page to accept or reject them.

    Raises:
        UserError: if options contradict each other, or the data cannot be used.
    """
    given: dict[str, Any] = {**options}
    check_options(given, SuspectOptions)
    folds = given.get("cross_validate")
    if weights is None and not folds:
        raise UsageError(
            "name a model with --weights, or train models of held-out folds with --cross-validate 3"
        )
    report = data if isinstance(data, LintReport) else lint(data)
    return (
        _cross_validated(report, weights, given, watch, watcher)
        if folds
        else _with_model(report, weights, given, watch)
    )


def _with_model(
    report: LintReport,
    weights: str | os.PathLike[str] | Predictor | None,
    given: dict[str, Any],
    watch: Watch | None,
) -> SuspectReport:
    """The suspects by one model."""
    from yolo_cli.api.detection import open_for_evaluation
    from yolo_cli.suspects import SUSPECT_CONF, inspect_with_model

    for name in ("max_minutes", "epochs", "seed"):
        if name in given:
            raise UsageError(f"--{name.replace('_', '-')} is for training; it goes with --cross-validate")
    part = report.usable
    if given.get("split"):
        part = part.in_split(split_called(given["split"]) or given["split"])
    detector, _ = open_for_evaluation(weights, {"conf": SUSPECT_CONF, **given})
    classes = matched_classes(
        detector.class_names, EvaluationData(part, report.dataset), {"map": given.get("map")}
    )
    return inspect_with_model(report, part, detector, classes, batch=given.get("batch", 1), watch=watch)


def _cross_validated(
    report: LintReport,
    weights: Any,
    given: dict[str, Any],
    watch: Watch | None,
    watcher: Watcher | None,
) -> SuspectReport:
    """The suspects by models of held-out folds."""
    from yolo_cli.suspects import CrossValidation, cross_validate

    for name in ("split", "map"):
        if given.get(name):
            raise UsageError(f"--{name} goes with a model; --cross-validate trains on all images and classes")
    kept = ("max_minutes", "epochs", "seed", "imgsz", "device")
    how = {name: given[name] for name in kept if given.get(name) is not None}
    if isinstance(how.get("imgsz"), int):
        how["imgsz"] = (how["imgsz"],) * 2
    start = None if weights is None else os.fspath(weights)
    folds = CrossValidation(given["cross_validate"], start, **how)
    return cross_validate(report, folds, batch=given.get("batch", 1), watch=watch, watcher=watcher)
