"""What `eval` and `calibrate` share: the data, the classes, and one run of the model over the images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from yolo_cli.cli.progress import say, track
from yolo_cli.errors import DataError, UsageError
from yolo_cli.text import read_lines

if TYPE_CHECKING:
    from yolo_cli.detectors import Detector
    from yolo_cli.pipeline import Journal, Outcome
    from yolo_cli.pipeline.evaluating import EvaluationData
    from yolo_cli.weights import ModelFiles

__all__ = ["chosen_classes", "open_data", "open_journal", "read_names", "renamings", "told"]


def open_data(path: str, split: str | None) -> EvaluationData:
    """The images, with what is wrong with them on stderr."""
    from yolo_cli.pipeline.evaluating import open_evaluation_data

    data = open_evaluation_data(path, split)
    for note in data.notes:
        say(note)
    return data


def renamings(texts: Iterable[str]) -> dict[str, str]:
    """``--map old=new``, several of them, also with commas.

    Raises:
        UsageError: if one is not a pair.

    >>> renamings(["sofa=couch,tvmonitor=tv", "a=b"])
    {'sofa': 'couch', 'tvmonitor': 'tv', 'a': 'b'}
    """
    pairs = {}
    for text in (part for word in texts for part in word.split(",")):
        old, equals, new = (part.strip() for part in text.partition("="))
        if not (old and equals and new):
            raise UsageError(f"--map {text}: must be OLD=NEW: the model's name, then the data's")
        pairs[old] = new
    return pairs


def chosen_classes(texts: Iterable[str], data: Sequence[str]) -> list[str]:
    """``--classes``: names or ids of the data's classes, with commas; words that are neither stay.

    >>> chosen_classes(["dog,0", "x"], ["cat", "dog"])
    ['dog', 'cat', 'x']
    """
    words = [word.strip() for word in ",".join(texts).split(",") if word.strip()]
    return [
        data[int(word)] if word not in data and word.isdecimal() and int(word) < len(data) else word
        for word in words
    ]


def read_names(path: Path) -> tuple[str, ...]:
    """Class names from a file with one on each line."""
    names = tuple(filter(None, read_lines(path)))
    if not names:
        raise DataError(f"{path}: holds no class name; write one on each line")
    return names


@contextmanager
def open_journal(
    path: Path | None, resume: bool, detector: Detector, files: ModelFiles
) -> Iterator[Journal | None]:
    """The record of what is found, for the model and its settings; None without a path."""
    from yolo_cli.pipeline import Journal
    from yolo_cli.weights.store import sha256

    if path is None:
        yield None
        return
    header = {"model": detector.card.name, "sha256": sha256(files.first), **asdict(detector.config)}
    journal = (Journal.resume if resume else Journal.start)(path, header)
    try:
        yield journal
    finally:
        journal.close()


def told(outcomes: Iterable[Outcome], total: int, *, quiet: bool) -> Iterator[Outcome]:
    """Pass outcomes on, with the progress and the images that cannot be read on stderr."""
    for outcome in outcomes if quiet else track(outcomes, total, "images"):
        if outcome.error is not None:
            say(f"error: {outcome.error}")
        yield outcome
