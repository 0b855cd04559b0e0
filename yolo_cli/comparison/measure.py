"""Run one detector over the images, and measure its cost and its accuracy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou
from yolo_cli.comparison.entries import Entry
from yolo_cli.comparison.memory import peak_memory, reset_peak
from yolo_cli.config import EVALUATION_CONF, DetectConfig
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.detectors import Cost, Detector, Times, Trace, load_detector
from yolo_cli.errors import DataError
from yolo_cli.evaluation import evaluate, gather, match_classes
from yolo_cli.images import Image
from yolo_cli.pipeline import run_detector
from yolo_cli.weights import ModelFiles, find_model

__all__ = ["CONFIG", "ComparisonRow", "Measured", "measure"]

Floats = NDArray[np.floating[Any]]

CONFIG = DetectConfig(conf=EVALUATION_CONF)
TIME_LIMIT = 90.0  # seconds for each detector


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One row of the comparison. A figure is None if it was not measured or does not exist.

    Attributes:
        name: the detector.
        weights: its model.
        trained_on: training data, as its model card lists it.
        images: number of images that it ran on.
        finished: whether these are all images; otherwise it reached the time limit.
        map50: mean average precision at an IoU of 0.5 on those images; also None if they show none of its
            classes.
        recall: fraction of objects that overlap some proposal with an IoU of 0.5 or more.
        propose_ms, classify_ms, suppress_ms: median milliseconds per image. For YOLO: resizing, the network,
            and decoding with suppression.
        regions: mean number of windows, proposals or anchors evaluated per image.
        multiply_accumulates: of the networks for the first image.
        peak_bytes: peak memory of the whole process during the measurement.
        model_bytes: total size of its model files.
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
        """The sum of the three parts."""
        return self.propose_ms + self.classify_ms + self.suppress_ms


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A row, with the data for the page.

    Attributes:
        row: the figures.
        class_names: of the detector.
        found: detections by image name.
        regions: of the first image, (N, 4); (0, 4) for YOLO, which has no proposals.
        cost: of the first image.
    """

    row: ComparisonRow
    class_names: tuple[str, ...]
    found: dict[str, Detections]
    regions: Floats
    cost: Cost


@dataclass(frozen=True, slots=True, eq=False)
class _Result:
    """The part of an image's trace that is kept; keeping all of it would distort the measured memory."""

    sample: Sample
    detections: Detections
    times: Times
    regions: Floats | None
    evaluated: int

    @classmethod
    def of(cls, sample: Sample, trace: Trace) -> _Result:
        return cls(sample, trace.detections, trace.times, trace.regions, trace.evaluated)


def measure(
    entry: Entry,
    data: Dataset,
    *,
    config: DetectConfig = CONFIG,
    time_limit: float = TIME_LIMIT,
    progress: Callable[[int], None] = lambda _: None,
) -> Measured:
    """Load a detector, run it over ``data`` up to the time limit, and evaluate it.

    Args:
        entry: the detector.
        data: the images, and the ground truth if it has class names.
        config: thresholds and limits.
        time_limit: seconds after which no further image is started.
        progress: called after each image with the number of images done.

    Raises:
        UserError: if the model is missing, or an image cannot be read.
    """
    known = reset_peak()
    files = find_model(entry.weights)
    # On ONNX Runtime, where the arithmetic can be counted.
    detector = load_detector(files, engine="onnx", device="cpu", config=config, kind=entry.kind)
    first = data.samples[0].read()
    detector.detect([Image(first.rgb[:32, :32])])  # the first run of a network is slower than later ones
    done = _run(detector, data.samples, time_limit, progress)
    cost = detector.cost(first)
    regions = done[0].regions if done[0].regions is not None else np.zeros((0, 4))
    row = ComparisonRow(
        name=entry.name,
        weights=entry.weights,
        trained_on=detector.card.training_data,
        **_figures(done, detector, data),
        multiply_accumulates=cost.whole + cost.each * len(regions),
        peak_bytes=peak_memory() if known else None,
        model_bytes=_model_bytes(files, detector),
    )
    return Measured(row, detector.class_names, _found(done), regions, cost)


def _figures(done: Sequence[_Result], detector: Detector, data: Dataset) -> dict[str, Any]:
    """The figures of a row that depend on the results."""
    propose, classify, suppress = np.median([astuple(one.times) for one in done], axis=0).tolist()
    return {
        "images": len(done),
        "finished": len(done) == len(data),
        "map50": _map50(done, detector, data) if data.class_names else None,
        "recall": _recall(done) if data.class_names else None,
        "propose_ms": propose,
        "classify_ms": classify,
        "suppress_ms": suppress,
        "regions": float(np.mean([one.evaluated for one in done])),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Tracer:
    """A detector for `run_detector` that keeps the trace of each image."""

    detector: Detector
    hand_on: Callable[[Trace], None]

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        [trace] = map(self.detector.trace, images)
        self.hand_on(trace)
        return [trace.detections], trace.times


def _run(
    detector: Detector, samples: Sequence[Sample], time_limit: float, progress: Callable[[int], None]
) -> list[_Result]:
    """Run at least one image, then as many as the time limit allows."""
    results: list[_Result] = []
    traces: list[Trace] = []
    end = time.monotonic() + time_limit
    outcomes = run_detector(_Tracer(detector, traces.append), samples)
    for sample, outcome in zip(samples, outcomes, strict=True):
        if outcome.error is not None:
            raise DataError(outcome.error)
        results.append(_Result.of(sample, traces.pop()))
        progress(len(results))
        if time.monotonic() > end:
            break
    return results


def _model_bytes(files: ModelFiles, detector: Detector) -> int:
    """Total size of its ``.onnx`` files, including that of the backbone's model."""
    backbone = detector.card.backbone.partition(":")[0]
    paths = [files.onnx, find_model(backbone).onnx if backbone else None]
    return sum(path.stat().st_size for path in paths if path is not None)


def _found(done: Sequence[_Result]) -> dict[str, Detections]:
    """Detections by image name."""
    return {one.sample.name: one.detections for one in done}


def _map50(done: Sequence[_Result], detector: Detector, data: Dataset) -> float | None:
    """None if the images show none of the detector's classes."""
    try:
        match = match_classes(detector.class_names, data.class_names)
    except DataError:  # no class in common
        return None
    return evaluate(gather([one.sample for one in done], _found(done), match)).map50


def _recall(done: Sequence[_Result]) -> float | None:
    """Fraction of objects that overlap some region with an IoU of 0.5 or more.

    None if there are no objects or no proposals: YOLO has no regions, localisation only the whole image.
    """
    if all(one.regions is None or len(one.regions) == 1 for one in done):
        return None
    overlaps = [_best(one.regions, one.sample.ground_truth) for one in done if one.regions is not None]
    best = np.concatenate(overlaps) if overlaps else np.zeros(0)
    return float((best >= 0.5).mean()) if len(best) else None


def _best(regions: Floats, ground_truth: GroundTruth) -> Floats:
    """The largest overlap with a region of each ground truth that is not ignored, (T,)."""
    assert ground_truth.difficult is not None
    assert ground_truth.crowd is not None
    counts = ground_truth.xyxy[~ground_truth.difficult & ~ground_truth.crowd].astype(np.float64)  # (T, 4)
    if not len(regions):
        return np.zeros(len(counts))
    best: Floats = box_iou(counts, regions.astype(np.float64)).max(axis=1)
    return best
