"""A readable confusion matrix: of many classes, those with few errors are summed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation import Confusion

__all__ = ["ConfusionTable", "Mixup", "confusion_table", "most_confused"]

_MOST = 24  # maximum classes in a matrix that fits on a screen
_PAIRS = 5


@dataclass(frozen=True, slots=True)
class ConfusionTable:
    """A confusion matrix of R names.

    Attributes:
        names: classes, "N others" if some are summed, and "background".
        rows: R rows of R counts: rows are annotated classes, columns detected ones.
        fractions: each count as a fraction of its row's sum.
    """

    names: tuple[str, ...]
    rows: list[list[int]]
    fractions: list[list[float]]


@dataclass(frozen=True, slots=True)
class Mixup:
    """How often objects of one class were detected as another."""

    ground_truth: str
    found: str
    count: int


def confusion_table(confusion: Confusion, most: int = _MOST) -> ConfusionTable:
    """The classes that occur; if more than ``most``, those with the most errors and the sum of the others."""
    counts = confusion.counts  # (K + 1, K + 1)
    classes = len(counts) - 1
    involved = (counts.sum(axis=0) + counts.sum(axis=1))[:classes]  # (K,)
    mistakes = involved - 2 * np.diag(counts)[:classes]  # (K,)
    chosen = np.flatnonzero(involved)  # (C,)
    if len(chosen) > most:
        chosen = np.sort(chosen[np.argsort(-mistakes[chosen], kind="stable")][:most])
    others = np.setdiff1d(np.flatnonzero(involved), chosen)  # (O,)
    groups = [[place] for place in chosen.tolist()] + ([others.tolist()] if len(others) else []) + [[classes]]
    names = [confusion.names[place] for place in chosen] + ([f"{len(others)} others"] if len(others) else [])
    table = _summed(counts, groups)  # (R, R)
    fractions = table / np.maximum(table.sum(axis=1, keepdims=True), 1)  # (R, R)
    return ConfusionTable((*names, "background"), table.tolist(), fractions.round(3).tolist())


def most_confused(confusion: Confusion, most: int = _PAIRS) -> list[Mixup]:
    """The confusions of two classes that occurred more than once, most frequent first."""
    counts = confusion.counts[:-1, :-1].copy()  # (K, K)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    pairs = [tuple(int(i) for i in np.unravel_index(place, counts.shape)) for place in order]
    return [
        Mixup(confusion.names[t], confusion.names[f], int(counts[t, f])) for t, f in pairs if counts[t, f] > 1
    ]


def _summed(counts: NDArray[np.integer[Any]], groups: list[list[int]]) -> NDArray[np.integer[Any]]:
    """A matrix (K, K) with rows and columns summed by groups of indices: (R, R)."""
    member = np.zeros((len(groups), len(counts)), counts.dtype)  # (R, K)
    for row, group in zip(member, groups, strict=True):
        row[group] = 1
    summed: NDArray[np.integer[Any]] = member @ counts @ member.T
    return summed
