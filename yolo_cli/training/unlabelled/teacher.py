"""Teachers: the models that label images, with the classes that they know."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import DetectConfig
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.detections import Detections
from yolo_cli.detectors import Detector, load_detector
from yolo_cli.engines import keras_gpus
from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation import Evaluator, evaluate, match_classes
from yolo_cli.pipeline import Outcome, run_detector
from yolo_cli.pipeline.journal import Journal
from yolo_cli.text import counted
from yolo_cli.training.events import Step, Watcher
from yolo_cli.training.job import TrainJob
from yolo_cli.training.unlabelled.labelling import HIGHEST, UNCERTAIN, PseudoLabels, pseudo_labels, thresholds

__all__ = ["Teacher", "given_teacher", "label_images", "own_teacher"]

ON_GPU = 16  # batch size
MOST_CHECKED = 1000  # images by which thresholds are chosen


@dataclass(frozen=True, slots=True)
class Teacher:
    """A model that labels images.

    Attributes:
        name: of the model.
        detector: the model.
        class_id: (M,), for each class of the model that of the data, or -1 if it labels none.
    """

    name: str
    detector: Detector
    class_id: NDArray[np.int64]

    @property
    def classes(self) -> frozenset[int]:
        """The classes of the data that it labels."""
        return frozenset(self.class_id[self.class_id >= 0].tolist())

    def label(
        self, samples: Sequence[Sample], watcher: Watcher, journal: Path | None = None
    ) -> Iterator[tuple[Sample, Detections]]:
        """The images that can be read, each with what was found on it, with the data's class ids.

        Args:
            samples: the images.
            watcher: notified of progress.
            journal: a file that keeps what was found; that of an interrupted run is continued.
        """
        if journal is None:
            yield from self._label(samples, watcher, None)
            return
        start = Journal.resume if journal.exists() else Journal.start
        with closing(start(journal, {"teacher": self.name})) as kept:
            yield from self._label(samples, watcher, kept)

    def _label(
        self, samples: Sequence[Sample], watcher: Watcher, journal: Journal | None
    ) -> Iterator[tuple[Sample, Detections]]:
        batch, start = ON_GPU if keras_gpus() else 1, time.monotonic()
        outcomes = run_detector(self.detector, samples, batch=batch, journal=journal, read_ahead=True)
        for done, (sample, outcome) in enumerate(zip(samples, outcomes, strict=True), start=1):
            if outcome.error is None:
                yield sample, self._of_data(outcome)
            left = (time.monotonic() - start) / done * (len(samples) - done)
            step = Step("labelling images", done, len(samples), "images", left, done / len(samples))
            watcher.step(step)

    def _of_data(self, outcome: Outcome) -> Detections:
        """What was found, without classes that it does not label."""
        class_id = self.class_id[outcome.detections.class_id]  # (N,)
        return replace(outcome.detections, class_id=class_id, keypoints=None)[class_id >= 0]

    def thresholds(self, check: Dataset, watcher: Watcher) -> NDArray[np.floating]:
        """The confidence of each class, (classes,), from which its boxes are labels.

        Of many images `MOST_CHECKED`, the same for every model, are enough.
        """
        evaluator = Evaluator(check.class_names)
        order = np.random.default_rng(0).permutation(len(check))[:MOST_CHECKED]  # (K,)
        for sample, found in self.label([check.samples[place] for place in np.sort(order)], watcher):
            evaluator.add(sample.name, found, sample.ground_truth)
        return thresholds(evaluate(evaluator.gathered()))


def own_teacher(weights: Path, job: TrainJob, data: Dataset, without: frozenset[int]) -> Teacher:
    """The model of the run before, for all classes but some."""
    classes = [-1 if number in without else number for number in range(len(data.class_names))]
    return Teacher(weights.parent.parent.name, _detector(str(weights), job), np.array(classes, np.int64))


def given_teacher(job: TrainJob, data: Dataset, say: Callable[[str], None]) -> Teacher:
    """The model that ``job.teacher`` names. Its classes are matched with the data's by name.

    Args:
        job: what to train.
        data: the data set.
        say: called with a line about the classes that it does not know.

    Raises:
        UserError: if there is no such model, or it knows none of the classes.
    """
    detector = _detector(str(job.teacher), job)
    try:
        match = match_classes(detector.class_names, data.class_names)
    except DataError:
        known, wanted = (", ".join(names[:4]) for names in (detector.class_names, data.class_names))
        raise UsageError(
            f"--teacher {job.teacher}: knows none of the classes {wanted}; it knows {known}"
        ) from None
    if match.synonyms:
        pairs = ", ".join(f"{theirs} = {ours}" for theirs, ours in match.synonyms.items())
        say(f"the teacher's names for the same classes: {pairs}")
    if match.only_data:
        names = ", ".join(match.only_data[:12]) + (", …" if len(match.only_data) > 12 else "")
        unknown = counted(len(match.only_data), "class")
        say(f"the teacher does not know {unknown} ({names}): the model of the run before labels them")
    ours = [data.class_names.index(match.names[at]) if at >= 0 else -1 for at in match.of_model]
    return Teacher(str(job.teacher), detector, np.array(ours, np.int64))


def _detector(weights: str, job: TrainJob) -> Detector:
    """The model, to find all but background on tiles if the run evaluates on them."""
    config = job.config
    options = DetectConfig(
        conf=UNCERTAIN, multi_label=False, tile=config.tile, tile_overlap=config.tile_overlap
    )
    return load_detector(weights, device=config.device, config=options)


def label_images(
    teachers: Sequence[Teacher], samples: Sequence[Sample], check: Dataset, folder: Path, watcher: Watcher
) -> PseudoLabels:
    """The pseudo-labels of images.

    Args:
        teachers: each labels its own classes.
        samples: the images.
        check: images with ground truth, by which thresholds are chosen.
        folder: keeps what was found, image by image.
        watcher: notified of progress.
    """
    limits = np.full(len(check.class_names), HIGHEST)
    found: dict[str, list[Detections]] = {sample.name: [] for sample in samples}
    for number, teacher in enumerate(teachers):
        own = sorted(teacher.classes)
        limits[own] = teacher.thresholds(check, watcher)[own]
        for sample, detections in teacher.label(samples, watcher, folder / f"labels{number}.ndjson"):
            found[sample.name].append(detections)
    merged = ((sample, _joined(found[sample.name])) for sample in samples)
    return pseudo_labels(merged, limits)


def _joined(parts: Sequence[Detections]) -> Detections:
    """The detections of several teachers on one image."""
    every = (Detections(), *parts)
    return Detections(
        np.concatenate([each.xyxy for each in every]),
        np.concatenate([each.confidence for each in every]),
        np.concatenate([each.class_id for each in every]),
    )
