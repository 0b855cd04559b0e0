"""Whether one run is significantly better than another: a paired bootstrap over images.

Both runs were evaluated on the same images. Images are resampled with replacement many times, and the mean
average precision of both runs is computed on each resample. The middle 95 % of the differences is the
interval (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, percentile method). Pairing removes
the variation in how hard the resampled images are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.evaluation.average_precision import recall_fraction
from yolo_cli.evaluation.protocol import GRID, Interpolation
from yolo_cli.evaluation.run_record import RunRecord

__all__ = ["Difference", "Verdict", "compare_runs", "figures_of_draws"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

Verdict = Literal["better", "worse", "not distinguishable"]

_BLOCK = 1 << 22  # detections times draws per block: some tens of MB


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two runs.

    Attributes:
        before: of the baseline run.
        after: of the run compared with it.
        low: lower bound of the interval of ``after`` - ``before``.
        high: upper bound.
        verdict: "better" if the interval is above 0, "worse" if below, else "not distinguishable".
    """

    before: float
    after: float
    low: float
    high: float
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain data."""
        return {**asdict(self), "difference": self.after - self.before}


def compare_runs(
    before: RunRecord, after: RunRecord, draws: int = 1000, level: float = 0.95, seed: int = 0
) -> dict[str, Difference]:
    """Compare "map50" and "map50_95" of two runs on the same images.

    Args:
        before: the baseline run.
        after: the run compared with it.
        draws: number of resamples.
        level: confidence level of the interval, such as 0.95.
        seed: seed of the resampling.

    Raises:
        DataError: if the runs were not evaluated on the same images by the same rules, or there is no ground
            truth.
    """
    _check_pair(before, after)
    images = len(before.images)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(images, np.full(images, 1 / images), draws)  # (B, P)
    times = np.concatenate([np.ones((1, images), np.int64), drawn]).astype(np.int32)  # (1 + B, P)
    first, second = figures_of_draws(before, times), figures_of_draws(after, times)  # name → (1 + B,)
    return {name: _difference(first[name], second[name], level) for name in first}


def _check_pair(before: RunRecord, after: RunRecord) -> None:
    """Raise DataError unless two runs can be compared."""
    if before.images != after.images:
        raise DataError("the two runs were evaluated on different images, and cannot be compared")
    if (before.class_names, before.gt_hash) != (after.class_names, after.gt_hash):
        raise DataError("the two runs were evaluated against different ground truth, and cannot be compared")
    if before.interpolation != after.interpolation:
        raise DataError("the two runs were evaluated by different protocols, and cannot be compared")
    if not len(before.gt_class):
        raise DataError("there is no ground truth that counts, so there is nothing to compare")


def _difference(before: Floats, after: Floats, level: float) -> Difference:
    """The comparison of a figure; of each (1 + B,), the first is measured and the others are resampled."""
    gaps = after[1:] - before[1:]  # (B,); NaN where no ground truth was drawn
    low, high = np.nanquantile(gaps, [(1 - level) / 2, (1 + level) / 2]).tolist()
    verdict: Verdict = "better" if low > 0 else "worse" if high < 0 else "not distinguishable"
    return Difference(float(before[0]), float(after[0]), low, high, verdict)


def figures_of_draws(run: RunRecord, times: Integers) -> dict[str, Floats]:
    """The figures by name, each (B,), when image p occurs ``times[b, p]`` times; ``times`` is (B, P)."""
    shape = (len(run.class_names), len(GRID), len(times))  # (K, 10, B)
    precision = np.full(shape, np.nan)
    start = np.searchsorted(run.class_id, np.arange(shape[0] + 1))  # (K + 1,)
    for k in np.unique(run.gt_class).tolist():
        rows = slice(int(start[k]), int(start[k + 1]))
        ground_truths = times[:, run.gt_image[run.gt_class == k]].sum(axis=1)  # (B,)
        for block in _blocks(rows.stop - rows.start, len(times)):
            precision[k, :, block] = _class_precision(run, rows, times[block], ground_truths[block])
    return {"map50": _mean(precision[:, :1]), "map50_95": _mean(precision)}


def _mean(precision: Floats) -> Floats:
    """The mean (B,) of ``precision`` (K, T, B) without NaNs; NaN if all are."""
    known = ~np.isnan(precision)  # (K, T, B)
    count = known.sum(axis=(0, 1)).astype(float)  # (B,)
    total = np.where(known, precision, 0).sum(axis=(0, 1))  # (B,)
    mean: Floats = total / np.where(count > 0, count, np.nan)  # (B,)
    return mean


def _blocks(rows: int, draws: int) -> Iterator[slice]:
    """Split ``draws`` into blocks that fit into memory for a class with this number of detections."""
    size = max(1, _BLOCK // max(rows, 1))
    yield from (slice(at, min(at + size, draws)) for at in range(0, draws, size))


def _class_precision(run: RunRecord, rows: slice, times: Integers, ground_truths: Integers) -> Floats:
    """Average precision (10, B) of a class when images occur ``times`` (B, P); ``ground_truths`` is (B,)."""
    # take and compress, unlike indexing, keep each draw contiguous in memory.
    weight = np.take(times, run.image[rows], axis=1)  # (B, n)
    some = np.where(ground_truths > 0, ground_truths, np.nan)  # (B,)
    precision = np.empty((len(GRID), len(times)))
    counted, ignored = _running(weight), np.zeros(weight.shape[1], bool)  # (B, n), (n,)
    for t in range(len(GRID)):
        if (run.ignored[t, rows] != ignored).any():  # most overlaps ignore the same few detections
            ignored = run.ignored[t, rows]
            counted = _running(weight * ~ignored)
        hit = run.hit[t, rows]  # (n,)
        precision[t] = _weighted_precision(
            np.compress(hit, counted, axis=1), np.compress(hit, weight, axis=1), some, run.interpolation
        )
    return precision


def _weighted_precision(
    counted: Integers, weight: Integers, ground_truths: Floats, interpolation: Interpolation
) -> Floats:
    """Average precision (B,) from the hits of a class, each counted ``weight`` times.

    Args:
        counted: (B, H), number of detections, ignored ones excluded, down to each hit.
        weight: (B, H); a hit that was not drawn has 0, and does not change the curve.
        ground_truths: (B,), NaN for 0.
        interpolation: how the curve is averaged.
    """
    hits = _running(weight)  # (B, H)
    precision = hits / np.maximum(counted, 1)  # (B, H)
    best_beyond = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]  # (B, H)
    fraction = recall_fraction(hits / ground_truths[:, None], interpolation)  # (B, H)
    figure: Floats = (best_beyond * np.diff(fraction, axis=1, prepend=0.0)).sum(axis=1)  # (B,)
    return np.where(np.isnan(ground_truths), np.nan, figure)


def _running(weight: Integers) -> Integers:
    """Cumulative sums (B, N) of ``weight`` (B, N) along the detections, int32."""
    # Draws contiguous in memory, and int32: ten times as fast as the other way.
    return np.cumsum(weight, axis=1, dtype=np.int32)
