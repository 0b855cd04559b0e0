"""A data set, and a model or models of folds → the report of suspects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from yolo_cli import training
from yolo_cli.config import DEFAULT_MODEL, DetectConfig
from yolo_cli.datasets import Dataset, LintReport, Sample
from yolo_cli.detections import Detections
from yolo_cli.detectors import Detector, load_detector
from yolo_cli.errors import UsageError
from yolo_cli.evaluation import ClassMatch, match_classes
from yolo_cli.files import make_folder
from yolo_cli.hardware import Device
from yolo_cli.pipeline import Watch
from yolo_cli.pipeline.evaluating import detect_samples, learnt_from
from yolo_cli.suspects.folds import folds_of, write_training_set
from yolo_cli.suspects.ranking import rank
from yolo_cli.suspects.suspect import Suspect, SuspectReport
from yolo_cli.training import Watcher, new_job

__all__ = ["SUSPECT_CONF", "CrossValidation", "cross_validate", "inspect_with_model"]

SUSPECT_CONF = 0.01
"""Confidence threshold: detections that are fainter say nothing about a label."""


def inspect_with_model(
    report: LintReport,
    part: Dataset,
    detector: Detector,
    classes: ClassMatch,
    *,
    batch: int = 1,
    watch: Watch | None = None,
) -> SuspectReport:
    """The suspects of a part of a data set, by a model.

    Args:
        report: of the whole data set.
        part: the images to look at.
        detector: the model, with a confidence threshold of `SUSPECT_CONF`.
        classes: from `match_classes`.
        batch: images per call of the detector.
        watch: wraps the stream of outcomes, to show progress.

    Raises:
        DataError: if no image can be read.
    """
    found, faults = detect_samples(detector, part, batch=batch, watch=watch)
    notes = (*_training_note(detector, report.dataset, part), *classes.notes[: bool(classes.synonyms)])
    suspects, unknown = _ranked(part, found, classes)
    model, digest = detector.card.name, report.dataset.content_hash
    return SuspectReport(part, digest, model, suspects, (*notes, *unknown), tuple(faults))


def _ranked(
    part: Dataset, found: Mapping[str, Detections], classes: ClassMatch
) -> tuple[tuple[Suspect, ...], list[str]]:
    """The suspects by detections with the model's class ids, and a note on classes that it does not know."""
    known = np.isin(np.arange(len(classes.names)), classes.of_model)  # (J,)
    images = [
        (sample, classes.ground_truth(sample.ground_truth), classes.found(found[sample.name]))
        for sample in part.samples
        if sample.name in found
    ]
    unknown = ", ".join(classes.only_data)
    notes = [f"labels of classes that the model does not know are not ranked: {unknown}"] if unknown else []
    return rank(images, classes.names, part.kind, known), notes


def _training_note(detector: Detector, whole: Dataset, part: Dataset) -> Iterator[str]:
    """A note if the model was trained on images that it looks at."""
    learnt = learnt_from(detector.card, whole)
    shared = sum(sample.path in learnt for sample in part.samples)
    if shared:
        yield (
            f"{detector.card.name} was trained on {shared} of the {len(part)} images, so it may repeat their "
            f"wrong labels; --cross-validate 3 finds more"
        )


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """How the models of the folds are trained.

    Attributes:
        folds: number of folds, at least 2.
        weights: the model to fine-tune; None is the default model.
        max_minutes: time budget a fold, in minutes.
        epochs: number of epochs; None follows the number of images.
        imgsz: height and width of the network's input; None follows the data.
        device: where to train and detect.
        seed: random seed.

    Raises:
        UsageError: if there are fewer than two folds.
    """

    folds: int = 3
    weights: str | None = None
    max_minutes: float | None = 10.0
    epochs: int | None = None
    imgsz: tuple[int, int] | None = None
    device: Device = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise UsageError(f"--cross-validate {self.folds}: must be at least 2 folds; 3 is usual")


def cross_validate(
    report: LintReport,
    how: CrossValidation,
    *,
    batch: int = 1,
    watch: Watch | None = None,
    watcher: Watcher | None = None,
) -> SuspectReport:
    """The suspects of a data set, each image seen by a model that was trained on the other folds.

    Args:
        report: of the data set; its unusable images are left out.
        how: how to train.
        batch: images per call of the detector.
        watch: wraps the stream of outcomes, to show progress.
        watcher: notified of the progress of training.

    Raises:
        UserError: if the data cannot be split or trained on.
    """
    data, watcher = report.usable, watcher or Watcher()
    found: dict[str, Detections] = {}
    faults: list[str] = []
    with TemporaryDirectory(prefix="yolo-cli-folds-") as scratch:
        for number, held in enumerate(folds_of(data, how.folds, how.seed), start=1):
            watcher.say(f"fold {number} of {how.folds}: {len(held)} images held out")
            paths = {sample.path for sample in held}
            rest = [sample for sample in data.samples if sample.path not in paths]
            detector = _trained(data, rest, how, Path(scratch) / f"fold{number}", watcher)
            part = replace(data, samples=held)
            seen, failed = detect_samples(detector, part, batch=batch, watch=watch)
            found |= {name: _renumbered(it, detector, data) for name, it in seen.items()}
            faults += failed
    suspects, _ = _ranked(data, found, match_classes(data.class_names, data.class_names))
    model = f"{how.folds} models of held-out folds, from {how.weights or DEFAULT_MODEL}"
    return SuspectReport(data, report.dataset.content_hash, model, suspects, (), tuple(faults))


def _renumbered(found: Detections, detector: Detector, data: Dataset) -> Detections:
    """Detections with the data set's class ids."""
    return match_classes(detector.class_names, data.class_names).found(found)


def _trained(
    data: Dataset, rest: Sequence[Sample], how: CrossValidation, folder: Path, watcher: Watcher
) -> Detector:
    """A detector trained on some images of a data set, some of which are held out for validation."""
    write_training_set(make_folder(folder) / "train.json", data.class_names, rest)
    config = {name: getattr(how, name) for name in ("max_minutes", "epochs", "imgsz", "device", "seed")}
    job = new_job(data=str(folder / "train.json"), out=folder / "run", weights=how.weights, **config)
    result = training.train(job, watcher)
    return load_detector(result.out, device=how.device, config=DetectConfig(conf=SUSPECT_CONF))
