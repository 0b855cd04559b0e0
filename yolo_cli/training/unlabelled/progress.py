"""What a run with unlabelled images has done so far, in a file from which it is continued."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from yolo_cli.datasets import Sample
from yolo_cli.errors import DataError
from yolo_cli.files import atomic_write_text, make_folder
from yolo_cli.text import read_json
from yolo_cli.training.result import TrainResult
from yolo_cli.training.unlabelled.labelling import PseudoLabels

__all__ = ["LABELLED", "Progress", "Round"]

LABELLED = "labelled"
"""The name of the model that learnt from the labelled images alone."""
_FILE = "rounds.json"


@dataclass(frozen=True, slots=True)
class Round:
    """One trained model.

    Attributes:
        name: `LABELLED`, or "round1" and so on; its folder, too.
        map50, map50_95: its figures on the validation images.
        images: the number of images with pseudo-labels that it learnt from.
        counts: the number of their confident boxes by class; empty without such images.
        seconds: how long it took.
    """

    name: str
    map50: float
    map50_95: float
    images: int = 0
    counts: tuple[int, ...] = ()
    seconds: float = 0.0

    @classmethod
    def of(cls, name: str, result: TrainResult, labels: PseudoLabels | None, seconds: float) -> Round:
        """The figures of a trained model."""
        assert result.report is not None
        map50, map50_95 = result.report.map50 or 0.0, result.report.map50_95 or 0.0
        if labels is None:
            return cls(name, map50, map50_95, seconds=seconds)
        return cls(name, map50, map50_95, len(labels.samples), tuple(labels.counts.tolist()), seconds)

    @property
    def title(self) -> str:
        """Its name in words."""
        return "labelled images alone" if self.name == LABELLED else self.name.replace("round", "round ")

    def __str__(self) -> str:
        return f"{self.title}: mAP50 {self.map50:.3f}, mAP50-95 {self.map50_95:.3f}"


@dataclass(frozen=True, slots=True)
class Progress:
    """The models trained so far.

    Attributes:
        images: hash of the unlabelled images' names and sizes.
        rounds: the models, the first of the labelled images alone.
    """

    images: str
    rounds: tuple[Round, ...] = ()

    @classmethod
    def read(cls, folder: Path, unlabelled: Sequence[Sample]) -> Progress:
        """What was done in a run's folder, or nothing.

        Raises:
            DataError: if the unlabelled images are others now, or the file is damaged.
        """
        listed = repr([(sample.name, sample.path.stat().st_size) for sample in unlabelled])
        images, path = hashlib.sha256(listed.encode()).hexdigest(), folder / _FILE
        if not path.is_file():
            return cls(images)._written(folder)
        try:
            values: dict[str, Any] = read_json(path)
            rounds = tuple(Round(**{**each, "counts": tuple(each["counts"])}) for each in values["rounds"])
            same = values["images"] == images
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise DataError(f"{path}: is damaged ({fault}); train again") from None
        if not same:
            raise DataError("--unlabelled: its images have changed since the run began; train again")
        return cls(images, rounds)

    @property
    def best(self) -> Round:
        """The model with the best mAP50-95; the first of equals."""
        return max(self.rounds, key=lambda each: each.map50_95)

    @property
    def seconds(self) -> float:
        """How long all of them took."""
        return sum(each.seconds for each in self.rounds)

    def with_round(self, done: Round, folder: Path) -> Progress:
        """With one model more, written to the run's folder."""
        return replace(self, rounds=(*self.rounds, done))._written(folder)

    def _written(self, folder: Path) -> Progress:
        atomic_write_text(make_folder(folder) / _FILE, json.dumps(asdict(self)))
        return self
