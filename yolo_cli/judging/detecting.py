"""Run a detector over the images of a data set, and keep what it finds on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from yolo_cli.datasets import Sample
from yolo_cli.detections import Detections
from yolo_cli.errors import DataError
from yolo_cli.judging.journal import Journal, Outcome

if TYPE_CHECKING:  # judging another program's results needs no detector
    from yolo_cli.detectors import Detector

__all__ = ["detect_samples"]


def detect_samples(
    detector: Detector, samples: Sequence[Sample], journal: Journal | None = None, batch: int = 1
) -> Iterator[Outcome]:
    """What a detector finds on each sample, in their order.

    An image that cannot be read becomes an outcome with its error, and does not end the work.

    Args:
        detector: finds the boxes.
        samples: the images.
        journal: takes each outcome as soon as it is there, and gives those that it has already; None keeps
            nothing.
        batch: so many images go through the detector at once.
    """
    done = journal.done if journal else {}
    for group in _runs(samples, batch, done):
        if group[0].name in done:
            yield done[group[0].name]
            continue
        for outcome in _detect_group(detector, group):
            if journal:
                journal.add(outcome)
            yield outcome


def _runs(samples: Sequence[Sample], batch: int, done: Iterable[str]) -> Iterator[list[Sample]]:
    """Samples in groups of at most ``batch``; each that is done is a group of its own."""
    group: list[Sample] = []
    for sample in samples:
        if group and (len(group) == batch or sample.name in done):
            yield group
            group = []
        if sample.name in done:
            yield [sample]
        else:
            group.append(sample)
    if group:
        yield group


def _detect_group(detector: Detector, group: Sequence[Sample]) -> Iterator[Outcome]:
    """Read and detect; images that cannot be read do not reach the detector."""
    images, errors = {}, {}
    for sample in group:
        try:
            images[sample.name] = sample.read()
        except DataError as fault:
            errors[sample.name] = str(fault)
    found = dict(zip(images, detector.detect(list(images.values())), strict=True)) if images else {}
    for sample in group:
        yield Outcome(sample.name, found.get(sample.name, Detections()), errors.get(sample.name))
