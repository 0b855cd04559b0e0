"""Run one detector over the images, and measure what it costs and what it is worth."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou
from yolo_cli.comparison.contenders import Contender, model_bytes, open_contender
from yolo_cli.comparison.memory import forget_peak, peak_memory
from yolo_cli.config import DetectConfig
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.detectors import Cost, Detector, Times, Trace
from yolo_cli.errors import DataError
from yolo_cli.evaluation import evaluate, gather, match_classes
from yolo_cli.images import Image

__all__ = ["Measured", "Row", "measure"]

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison. A figure is None where it was not measured or does not exist.

    Attributes:
        name: the detector.
        weights: its model.
        trained_on: what its model says of that.
        images: how many it looked at.
        finished: whether that was all of them; else its time was up.
        map50: mean average precision at an overlap of 0.5 on the images that it looked at; None too where
            it knows no class of theirs.
        recall: the share of objects that some proposal overlaps by 0.5 or more.
        propose_ms, classify_ms, suppress_ms: milliseconds an image, each the median. For YOLO: resizing, the
            network, and decoding with suppression.
        regions: windows, proposals or anchors that it judges an image, on average.
        multiply_accumulates: of the networks for the first image.
        peak_bytes: the most memory that the whole program held meanwhile.
        model_bytes: size of the files that it needs.
    """

    name: str
    weights: str
    trained_on: str
    images: int
    finished: bool
    map50: float | None
    recall: float | None
    propose_ms: float
    classify_ms: float
    suppress_ms: float
    regions: float
    multiply_accumulates: int
    peak_bytes: int | None
    model_bytes: int

    @property
    def total_ms(self) -> float:
        """All three parts together."""
        return self.propose_ms + self.classify_ms + self.suppress_ms


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A row, and what the page shows beside it.

    Attributes:
        row: the figures.
        class_names: of the detector.
        found: detections by name of the image.
        regions: of the first image, (N, 4); none for YOLO, whose network sees the whole at once.
        cost: of the first image.
    """

    row: Row
    class_names: tuple[str, ...]
    found: dict[str, Detections]
    regions: Floats
    cost: Cost


@dataclass(frozen=True, slots=True, eq=False)
class _Result:
    """What is kept of the trace of one image; the rest of it would fill the memory that is measured."""

    sample: Sample
    detections: Detections
    times: Times
    regions: Floats | None
    evaluated: int

    @classmethod
    def of(cls, sample: Sample, trace: Trace) -> _Result:
        return cls(sample, trace.detections, trace.times, trace.regions, trace.evaluated)


def measure(
    contender: Contender,
    data: Dataset,
    config: DetectConfig,
    time_limit: float,
    labelled: bool = True,
    progress: Callable[[int], None] = lambda _: None,
) -> Measured:
    """Load a detector, run it over ``data`` until that is done or the time is up, and judge it.

    Args:
        contender: which one.
        data: the images, and the ground truth.
        config: thresholds and limits; its confidence is the floor of judging.
        time_limit: seconds, after which no further image is begun.
        labelled: whether there is ground truth to judge by.
        progress: is told after each image how many are done.

    Raises:
        UserError: if the model is not at hand, or an image cannot be read.
    """
    forget = forget_peak()
    detector = open_contender(contender, config)
    first = data.samples[0].read()
    detector.detect([Image(first.rgb[:32, :32])])  # the first run of a network is slower than all others
    done = _run(detector, data.samples, time_limit, progress)
    cost = detector.cost(first)
    propose, classify, suppress = np.median([astuple(one.times) for one in done], axis=0).tolist()
    regions = np.zeros((0, 4)) if done[0].regions is None else done[0].regions
    row = Row(
        name=contender.name,
        weights=contender.weights,
        trained_on=detector.card.training_data,
        images=len(done),
        finished=len(done) == len(data),
        map50=_map50(done, detector, data) if labelled else None,
        recall=_recall(done) if labelled else None,
        propose_ms=propose,
        classify_ms=classify,
        suppress_ms=suppress,
        regions=float(np.mean([one.evaluated for one in done])),
        multiply_accumulates=cost.whole + cost.each * len(regions),
        peak_bytes=peak_memory() if forget else None,
        model_bytes=model_bytes(contender, detector),
    )
    return Measured(row, detector.class_names, _found(done), regions, cost)


def _run(
    detector: Detector, samples: Sequence[Sample], time_limit: float, progress: Callable[[int], None]
) -> list[_Result]:
    """At least one image, then as many as the time allows."""
    done: list[_Result] = []
    start = time.monotonic()
    for sample in samples:
        if done and time.monotonic() - start > time_limit:
            break
        done.append(_Result.of(sample, detector.trace(sample.read())))
        progress(len(done))
    return done


def _found(done: Sequence[_Result]) -> dict[str, Detections]:
    """Detections by name of the image."""
    return {one.sample.name: one.detections for one in done}


def _map50(done: Sequence[_Result], detector: Detector, data: Dataset) -> float | None:
    """None where the images show nothing that the detector has a name for."""
    try:
        match = match_classes(detector.class_names, data.class_names)
    except DataError:  # no class in common
        return None
    return evaluate(gather([one.sample for one in done], _found(done), match)).map50


def _recall(done: Sequence[_Result]) -> float | None:
    """The share of objects that some region overlaps by half or more.

    None without objects, and where nothing was proposed: YOLO has no regions, localisation the whole image.
    """
    if all(one.regions is None or len(one.regions) == 1 for one in done):
        return None
    overlaps = [_best(one.regions, one.sample.ground_truth) for one in done if one.regions is not None]
    best = np.concatenate(overlaps) if overlaps else np.zeros(0)
    return float((best >= 0.5).mean()) if len(best) else None


def _best(regions: Floats, ground_truth: GroundTruth) -> Floats:
    """For each ground truth that counts, (T,), its largest overlap with a region."""
    assert ground_truth.difficult is not None
    assert ground_truth.crowd is not None
    counts = ground_truth.xyxy[~ground_truth.difficult & ~ground_truth.crowd].astype(np.float64)  # (T, 4)
    if not len(regions):
        return np.zeros(len(counts))
    best: Floats = box_iou(counts, regions.astype(np.float64)).max(axis=1)
    return best
