"""A model, or another program's boxes, against ground truth: `evaluate`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack

from yolo_cli.api.options import DataOptions, Path, check_options, reads_text
from yolo_cli.datasets import Sample
from yolo_cli.detections import Classes
from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation import (
    ClassMatch,
    RunRecord,
    TideRule,
    check_gates,
    compare_runs,
    cross_check,
    match_classes,
    protocol,
    record_run,
    thresholds_for_precision,
)
from yolo_cli.evaluation.parquet_results import is_parquet, parquet_class_names
from yolo_cli.files import path_of
from yolo_cli.images import Image
from yolo_cli.keypoints import with_sigmas
from yolo_cli.locks import sole_user
from yolo_cli.pipeline import Watch
from yolo_cli.pipeline.evaluating import (
    Evaluated,
    EvaluationData,
    evaluate_detector,
    evaluate_results,
    open_evaluation_data,
)
from yolo_cli.pipeline.journal import Journal
from yolo_cli.report import About, EvaluationResult, analyse
from yolo_cli.text import read_lines

if TYPE_CHECKING:
    from yolo_cli.api.detection import Predictor

__all__ = [
    "EvaluateOptions",
    "check_evaluation",
    "check_figures",
    "chosen_classes",
    "evaluate",
    "matched_classes",
    "opened_data",
]


class EvaluateOptions(DataOptions, total=False):
    """The options of ``yolo eval`` that decide what is measured.

    Attributes:
        detections: another program's boxes in place of a model's: COCO results .json, or a folder of
            YOLO .txt.
        names: that program's class names, or a file with one on each line; else the data's.
        iou: IoU threshold of a match.
        protocol: the rules of matching and averaging.
        tide: who keeps an object once a wrong box on it is fixed.
        target_precision: name the threshold of each class that reaches this.
        baseline: compare with an earlier run: its folder or run.json.
        cross_check: evaluate with pycocotools, too.
        sigmas: of key points, one for all or one for each; else the model's.
        journal: a file that keeps detections as they are made.
        resume: continue with the detections that the journal has.
    """

    detections: Path
    names: Path | Sequence[str]
    iou: float
    protocol: Literal["coco", "voc07", "voc10"]
    tide: TideRule
    target_precision: float
    baseline: Path
    cross_check: bool
    sigmas: Sequence[float]
    journal: Path
    resume: bool


@reads_text
def evaluate(
    data: str | os.PathLike[str] | EvaluationData,
    weights: str | os.PathLike[str] | Predictor | None = None,
    *,
    watch: Watch | None = None,
    **options: Unpack[EvaluateOptions],
) -> EvaluationResult:
    """Evaluate a model, or another program's results, on a data set. Nothing is saved; the result can be.

    Args:
        data: the data set's folder, data.yaml or COCO .json.
        weights: a model, as for `load_detector`, or a loaded one; None is the default model.
        watch: takes the outcomes as they come, with their number, and passes them on: to show progress,
            as in ``lambda outcomes, total: tqdm(outcomes, total=total)``.
        **options: see `EvaluateOptions`: ``split``, ``classes``, ``iou``, ``detections``, ``baseline``, …

    Raises:
        UserError: if the data cannot be used, no class of the model is one of the data's, or options
            contradict each other.
        KeyboardInterrupt: as it comes; a ``journal`` keeps what is done, and ``resume`` goes on.
    """
    given: dict[str, Any] = {**options}
    check_evaluation(weights, given)
    rules = protocol(given.get("protocol", "coco"), given.get("iou", 0.5))
    before = RunRecord.read(path_of(given["baseline"], "baseline")) if given.get("baseline") else None
    images = opened_data(data, given)
    found = (_results if given.get("detections") else _detected)(images, weights, given, watch)
    analysis = analyse(found.evaluation_set, rules, found.conditions, given.get("tide", "tidecv"))
    precision = given.get("target_precision")
    return EvaluationResult(
        About(found.model, images.name, found.notes),
        analysis,
        found.faults,
        partial(_read, {sample.name: sample for sample in images.part.samples}),
        precision,
        None if precision is None else thresholds_for_precision(analysis.report, precision),
        compare_runs(before, record_run(analysis.matches)) if before else None,
        cross_check(analysis.gathered, analysis.report.coco) if given.get("cross_check") else None,
    )


def _read(samples: Mapping[str, Sample], name: str) -> Image:
    """The image of a name; a function of its own, so that results can be pickled."""
    return samples[name].read()


def check_evaluation(weights: object, options: Mapping[str, Any]) -> None:
    """Raise UsageError for options of `evaluate` that contradict each other, or are out of range."""
    check_options(options, EvaluateOptions)
    detections, conf = options.get("detections"), options.get("conf")
    precision, rules = options.get("target_precision"), options.get("protocol", "coco")
    contradictions = (
        (detections and weights, "--detections evaluates boxes that are there; leave out --weights"),
        (options.get("names") and not detections, "--names goes with --detections"),
        (options.get("cross_check") and rules != "coco", "--cross-check goes with --protocol coco only"),
        (options.get("resume") and detections, "--resume goes on with a model; leave out --detections"),
        (
            precision is not None and not 0 < precision <= 1,
            "--target-precision must be above 0 and at most 1",
        ),
        (conf is not None and not 0 <= conf <= 1, "--conf must be between 0 and 1"),
    )
    for contradiction, text in contradictions:
        if contradiction:
            raise UsageError(text)


def check_figures(figures: Iterable[str], images: EvaluationData, options: Mapping[str, Any]) -> None:
    """Raise UsageError if an evaluation of ``images`` will not have one of the figures, before it begins."""
    names = images.part.class_names
    rules = protocol(options.get("protocol", "coco"), options.get("iou", 0.5))
    check_gates(figures, rules, chosen_classes(options.get("classes"), names) or names)


def chosen_classes(classes: Classes | None, names: Sequence[str]) -> list[str]:
    """The data's classes that are meant: names or ids, with commas; words that are neither stay.

    >>> chosen_classes(["dog,0", "x"], ["cat", "dog"])
    ['dog', 'cat', 'x']
    """
    several = [classes] if isinstance(classes, str | int) else classes or ()
    words = [word.strip() for word in ",".join(map(str, several)).split(",") if word.strip()]
    return [
        names[int(word)] if word not in names and word.isdecimal() and int(word) < len(names) else word
        for word in words
    ]


def opened_data(data: str | os.PathLike[str] | EvaluationData, given: Mapping[str, Any]) -> EvaluationData:
    """The images to evaluate on, if they are not open already."""
    if isinstance(data, EvaluationData):
        return data
    return open_evaluation_data(
        str(path_of(data, "data")), given.get("split"), image_files=not given.get("detections")
    )


def matched_classes(
    class_names: Sequence[str], images: EvaluationData, given: Mapping[str, Any]
) -> ClassMatch:
    """Which class of a model is which of the data's, with the options ``map`` and ``classes``."""
    names = images.part.class_names
    return match_classes(class_names, names, given.get("map"), chosen_classes(given.get("classes"), names))


def _detected(
    images: EvaluationData,
    weights: str | os.PathLike[str] | Predictor | None,
    given: Mapping[str, Any],
    watch: Watch | None,
) -> Evaluated:
    """A model's boxes beside the ground truth."""
    from yolo_cli.api.detection import open_for_evaluation  # another program's boxes need no model code

    detector, digest = open_for_evaluation(weights, given)
    match = matched_classes(detector.class_names, images, given)
    header = {"model": detector.card.name, "sha256": digest, **asdict(detector.config)}
    if given.get("sigmas") is not None:
        points = with_sigmas(detector.card.keypoints, given["sigmas"])
        detector = detector.with_card(replace(detector.card, keypoints=points))
    with _open_journal(given, header) as journal:
        return evaluate_detector(
            detector, images, match, batch=given.get("batch", 1), journal=journal, watch=watch
        )


@contextmanager
def _open_journal(given: Mapping[str, Any], header: Mapping[str, Any]) -> Iterator[Journal | None]:
    """The record of what is found, for the model and its settings; None if none is asked for."""
    if not given.get("journal"):
        yield None
        return
    start, path = (
        Journal.resume if given.get("resume") else Journal.start,
        path_of(given["journal"], "journal"),
    )
    with sole_user(path.parent), closing(start(path, header)) as journal:
        yield journal


def _results(images: EvaluationData, _: object, given: Mapping[str, Any], __: object) -> Evaluated:
    """Another program's boxes beside the ground truth."""
    path = path_of(given["detections"], "detections")
    own = _own_names(given.get("names")) or (parquet_class_names(path) if is_parquet(path) else None)
    match = matched_classes(own or images.part.class_names, images, given)
    how: dict[str, Any] = {"conf": given.get("conf"), "sigmas": given.get("sigmas")}
    return evaluate_results(path, images, match, own_names=own, **how)


def _own_names(names: str | os.PathLike[str] | Sequence[str] | None) -> tuple[str, ...] | None:
    """Class names, or those of a file with one on each line."""
    if not isinstance(names, str | os.PathLike):
        return None if names is None else tuple(names)
    own = tuple(filter(None, read_lines(path_of(names, "names"))))
    if not own:
        raise DataError(f"{names}: holds no class name; write one on each line")
    return own
