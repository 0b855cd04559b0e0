"""Who is it, how sure, or unknown; the same one or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.evaluation.verification import similarities
from yolo_cli.identity.gallery import Gallery, twins
from yolo_cli.text import Jsonable
from yolo_cli.weights import ModelCard

__all__ = ["Match", "Threshold", "Verdict", "choose_threshold", "recognise", "score_at", "verify"]

Floats = NDArray[np.floating[Any]]

FALSE_ACCEPT = 0.01  # where nothing else is asked
LOOSEST = 0.1  # false-accept rate of the lowest threshold that a gallery can choose


@dataclass(frozen=True, slots=True)
class Match(Jsonable):
    """Who it is.

    Attributes:
        identity: the name; None if it is unknown.
        score: the score of the nearest.
        nearest: the name of the nearest, also where its score is too low.
        false_accept: the fraction of pairs of two identities that reach this score, by the model card; None
            if the card does not say.
    """

    identity: str | None
    score: float
    nearest: str
    false_accept: float | None

    def to_dict(self) -> dict[str, Any]:
        """As ``yolo identify --format json`` prints it."""
        rate = self.false_accept
        return {
            "identity": self.identity,
            "score": round(self.score, 4),
            "nearest": self.nearest,
            "false_accept": None if rate is None else round(rate, 4),
        }


@dataclass(frozen=True, slots=True)
class Threshold:
    """The lowest score of somebody known, and how it was chosen."""

    score: float
    reason: str

    def __str__(self) -> str:
        return f"known from a score of {self.score:.3f} on (--min-score): {self.reason}"


@dataclass(frozen=True, slots=True)
class Verdict(Jsonable):
    """Whether two photos show the same one.

    Attributes:
        same: the verdict.
        score: of the pair.
        min_score: from which it is the same.
        false_accept: the rate at which two different ones are taken for the same, as it was asked for.
    """

    same: bool
    score: float
    min_score: float
    false_accept: float

    def to_dict(self) -> dict[str, Any]:
        """As ``yolo identify verify --format json`` prints it."""
        names = ("same", "score", "min_score", "false_accept")
        values = [getattr(self, name) for name in names]
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in zip(names, values, strict=True)
        }


def recognise(gallery: Gallery, card: ModelCard, embeddings: Floats, min_score: float) -> list[Match]:
    """Who each of the embeddings (N, D) is: the name of the nearest entry, from ``min_score`` on.

    Raises:
        DataError: if the gallery is empty.
    """
    if not gallery.entries:
        raise DataError("the gallery is empty; `yolo identify learn NAME PHOTO` fills it")
    scores = similarities(card.metric, embeddings, gallery.embeddings)  # (N, G)
    matches = []
    for row in scores:
        at = int(row.argmax())
        name, score = gallery.entries[at].name, float(row[at])
        rate = _rate_of(card, score)
        matches.append(Match(name if score >= min_score else None, score, name, rate))
    return matches


def choose_threshold(gallery: Gallery, card: ModelCard) -> Threshold:
    """The lowest score of somebody known, from the gallery itself.

    Each photo is compared with the others: with the nearest of the same name, and with the nearest of
    another. The threshold makes fewest mistakes among these; of a range of such scores it is the middle.
    Where no name has two photos, there is one name only, or no two photos of a name are as alike as two of
    different names, the model card's threshold for 1 % false-accept is the one, but not below the nearest two
    of different names. It is never below the card's threshold for 10 %. A photo that
    was learnt twice is not compared with itself.
    """
    own, other = _nearest_scores(gallery, card.metric)
    usual = score_at(card, FALSE_ACCEPT)
    score, wrong = _fewest_mistakes(own, other) if len(own) and len(other) else (1.0, 0)
    if score > own.max(initial=-1.0):  # it would refuse all that the gallery has two photos of
        score = max(usual, float(other.max(initial=-1.0)))
        reason = "1 % of different things reach it by the model card; the gallery has too few photos to tell"
        return Threshold(score, reason)
    lowest = score_at(card, LOOSEST)
    if score < lowest:
        reason = (
            "10 % of different things reach it by the model card; the gallery alone would take a lower one"
        )
        return Threshold(lowest, reason)
    return Threshold(score, f"in the gallery it is wrong in {wrong} of {len(own) + len(other)} comparisons")


def _nearest_scores(gallery: Gallery, metric: str) -> tuple[Floats, Floats]:
    """Of each photo, the highest score with another one of its name, and with one of another name."""
    if not gallery.entries:
        return np.zeros(0), np.zeros(0)
    name = np.array([entry.name for entry in gallery.entries])
    scores = similarities(metric, gallery.embeddings, gallery.embeddings)  # (N, N)
    same = name[:, None] == name[None]
    told_apart = ~twins(gallery.embeddings, gallery.embeddings)
    own, other = (np.where(kind & told_apart, scores, -np.inf).max(axis=1) for kind in (same, ~same))
    return own[np.isfinite(own)], other[np.isfinite(other)]


def _fewest_mistakes(own: Floats, other: Floats) -> tuple[float, int]:
    """The middle of the scores with the fewest mistakes, and how many these are."""
    edges = np.unique(np.concatenate([own, other, [1.0]]))  # a threshold at an edge accepts it
    wrong = np.array([(own < edge).sum() + (other >= edge).sum() for edge in edges])
    last = int(np.flatnonzero(wrong == wrong.min())[-1])
    below = edges[last - 1] if last else -1.0
    return float(below + edges[last]) / 2, int(wrong.min())


def verify(card: ModelCard, a: Floats, b: Floats, false_accept: float = FALSE_ACCEPT) -> Verdict:
    """Whether two embeddings (D,) show the same one, at a false-accept rate.

    Raises:
        DataError: if the model card does not say the scores of different ones.
    """
    score = float(similarities(card.metric, a[None], b[None])[0, 0])
    min_score = score_at(card, false_accept)
    return Verdict(score >= min_score, score, min_score, false_accept)


def score_at(card: ModelCard, rate: float) -> float:
    """The lowest score that at most a fraction ``rate`` of pairs of two identities reach.

    Between two of the card's scores the rate is taken to fall evenly.

    Raises:
        DataError: if the card does not say it.
    """
    if card.false_accepts is None:
        raise DataError(f"{card.name}: its card has no false-accept rates; give --min-score")
    scores, rates = (np.asarray(row) for row in card.false_accepts)
    return float(np.interp(rate, rates[::-1], scores[::-1]))


def _rate_of(card: ModelCard, score: float) -> float | None:
    """The fraction of pairs of two identities that reach a score."""
    if card.false_accepts is None:
        return None
    return float(np.interp(score, *card.false_accepts))
