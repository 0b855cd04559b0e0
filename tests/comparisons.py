"""Small comparisons, made by hand."""

from __future__ import annotations

import numpy as np

from tests.shared import ROOT
from yolo_cli.comparison import ComparisonRow, Measured
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.detectors import Cost

EXAMPLES = ROOT / "examples"


def data(*names: str) -> Dataset:
    """Images on which the whole of each shows a cat."""
    samples = []
    for name in names:
        sample = Sample(name, EXAMPLES / name, "val", name, "")
        height, width = sample.size
        ground_truth = GroundTruth(np.array([[0, 0, width, height]], float), np.array([0]))
        samples.append(Sample(name, EXAMPLES / name, "val", name, "", ground_truth, (1,)))
    return Dataset(EXAMPLES, "voc", ("cat",), tuple(samples))


def row(name: str = "x", **changes: object) -> ComparisonRow:
    values = {"map50": 0.5, "recall": None, "peak_bytes": None}
    numbers = dict.fromkeys(("propose_ms", "classify_ms", "suppress_ms", "regions"), 1.0)
    rest = {"images": 1, "finished": True, "multiply_accumulates": 10, "model_bytes": 10}
    rest |= {"weights": "w", "trained_on": "t"}
    return ComparisonRow(name=name, **{**values, **numbers, **rest, **changes})


def measured(regions: list[list[float]], cost: Cost, **changes: object) -> Measured:
    return Measured(row(**changes), ("cat",), {}, np.array(regions, float).reshape(-1, 4), cost)
