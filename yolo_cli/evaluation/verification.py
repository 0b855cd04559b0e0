"""Same or different? Scores of pairs of embeddings, and how well they tell the two apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.text import Jsonable

__all__ = ["BIAS", "Verification", "false_accept_table", "pair_scores", "similarities", "verification"]

Floats = NDArray[np.floating[Any]]

BIAS = 4.0
"""Of the logistic regression: a pair of equal vectors is the same with the probability σ(4) = 0.982."""


def similarities(metric: str, a: Floats, b: Floats) -> Floats:
    """How alike each of ``a`` (A, D) and ``b`` (B, D) are, (A, B).

    Args:
        metric: "cosine", in [-1, 1]; or "logistic", the probability of the same identity, from the sum of
            absolute differences (Koch et al., "Siamese Neural Networks for One-shot Image Recognition",
            2015).
        a: embeddings.
        b: embeddings.
    """
    if metric == "cosine":
        lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)[None]  # (A, B)
        return np.asarray(a @ b.T / np.maximum(lengths, 1e-12))
    rows = [np.abs(row - b).sum(axis=1) for row in a]  # A of (B,)
    distance = np.stack(rows) if rows else np.zeros((0, len(b)))
    return np.asarray(1 / (1 + np.exp(np.minimum(distance - BIAS, 60))))


def pair_scores(metric: str, embeddings: Floats, identity: NDArray[np.integer[Any]]) -> tuple[Floats, Floats]:
    """Scores of all pairs of the same identity (P,), and of different ones (Q,); each pair counts once."""
    scores = similarities(metric, embeddings, embeddings)  # (N, N)
    once = np.triu(np.ones(scores.shape, bool), 1)
    same = identity[:, None] == identity[None]
    return scores[same & once], scores[~same & once]


@dataclass(frozen=True, slots=True)
class Verification(Jsonable):
    """How well scores tell pairs of one identity from pairs of two.

    Attributes:
        same, different: the number of pairs.
        eer: the equal error rate: where as many of the same are refused as different ones accepted.
        true_accept: the fraction of pairs of one identity accepted where 1 % of the others are.
        false_accepts: scores, rising, and the fraction of pairs of two identities at or above each.
        roc: false-accept rates, rising, and the true-accept rate at each.
    """

    same: int
    different: int
    eer: float
    true_accept: float
    false_accepts: tuple[tuple[float, ...], tuple[float, ...]]
    roc: tuple[tuple[float, ...], tuple[float, ...]]

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        pairs = f"{self.same:,} pairs of one identity and {self.different:,} of two"
        accepted = f"true-accept {self.true_accept:.1%} at 1 % false-accept"
        return f"equal error rate {self.eer:.1%}, {accepted}, on {pairs}"


RATES = (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def verification(same: Floats, different: Floats) -> Verification:
    """The figures for scores of pairs of one identity (P,) and of two (Q,).

    Raises:
        DataError: if there are no pairs of a kind.

    >>> figures = verification(np.array([0.9, 0.8, 0.3]), np.array([0.1, 0.2, 0.4]))
    >>> round(figures.eer, 3), round(figures.true_accept, 3)
    (0.333, 0.667)
    """
    if not len(same) or not len(different):
        raise DataError("verification needs at least two identities, and one with two photos")
    scores = np.unique(np.concatenate([same, different]))[::-1]  # falling
    accepted, false = (_at_least(kind, scores) for kind in (same, different))
    gap = np.abs(false - (1 - accepted))
    at = int(gap.argmin())
    within = accepted[false <= 0.01]
    kept = np.unique(np.linspace(0, len(scores) - 1, 200).astype(int))
    return Verification(
        len(same),
        len(different),
        float(false[at] + 1 - accepted[at]) / 2,
        float(within.max(initial=0.0)),
        false_accept_table(different),
        (tuple(false[kept].tolist()), tuple(accepted[kept].tolist())),
    )


def _at_least(values: Floats, scores: Floats) -> Floats:
    """The fraction of values at or above each of the scores."""
    return 1 - np.searchsorted(np.sort(values), scores, side="left") / len(values)


def false_accept_table(different: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Rising scores and the fraction of pairs of two identities at or above each, at `RATES`.

    Args:
        different: scores of pairs of two identities, (Q,).
    """
    scores = np.quantile(different, 1 - np.asarray(RATES), method="higher")  # falling with the rate
    scores = np.unique(np.float32(scores).astype(float))
    return tuple(scores.tolist()), tuple(_at_least(different.astype(np.float32), scores).tolist())
