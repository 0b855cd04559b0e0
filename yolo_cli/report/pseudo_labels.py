"""What a page shows of pseudo-labels: their classes against the labelled ones', and whether they helped."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ClassCount", "PseudoLabelFigures", "Trained"]


@dataclass(frozen=True, slots=True)
class ClassCount:
    """The number of boxes of one class on the labelled training images, and of its pseudo-labels."""

    class_name: str
    labelled: int
    pseudo: int


@dataclass(frozen=True, slots=True)
class Trained:
    """One of the models of a run.

    Attributes:
        title: its name in words.
        images: the number of images with pseudo-labels that it learnt from.
        map50, map50_95: its figures on the validation images.
        kept: whether it is the result of the run.
    """

    title: str
    images: int
    map50: float
    map50_95: float
    kept: bool


@dataclass(frozen=True, slots=True)
class PseudoLabelFigures:
    """The part of the page about pseudo-labels.

    Attributes:
        verdict: whether they helped, in one line.
        classes: their numbers, in the order of class ids.
        models: in the order of training.
    """

    verdict: str
    classes: tuple[ClassCount, ...]
    models: tuple[Trained, ...]

    @property
    def rows(self) -> tuple[tuple[ClassCount, float, float], ...]:
        """Each class that occurs, with its fraction of all labels and of all pseudo-labels."""
        labelled = sum(one.labelled for one in self.classes) or 1
        pseudo = sum(one.pseudo for one in self.classes) or 1
        shown = sorted(
            (one for one in self.classes if one.labelled or one.pseudo), key=lambda one: -one.labelled
        )
        return tuple((one, one.labelled / labelled, one.pseudo / pseudo) for one in shown)

    @property
    def highest(self) -> float:
        """The greatest of these fractions."""
        return max((max(row[1:]) for row in self.rows), default=0.0) or 1.0
