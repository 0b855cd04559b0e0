"""The entries of a comparison: from localisation to YOLO, as far as their models are available."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from yolo_cli.config import DEFAULT_MODEL
from yolo_cli.errors import UsageError
from yolo_cli.text import did_you_mean

__all__ = ["ENTRIES", "Entry", "choose_entries"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One detector of the comparison.

    Attributes:
        name: its name in tables.
        weights: its model.
        kind: the kind of detector; None follows the model.
    """

    name: str
    weights: str
    kind: str | None = None


ENTRIES = (
    Entry("localisation", "localisation-voc"),
    Entry("sliding window", "windows-voc", "sliding-window"),
    Entry("convolutional window", "windows-voc", "conv-sliding-window"),
    Entry("R-CNN", "rcnn-voc"),
    Entry("Fast R-CNN", "fast-rcnn-voc"),
    Entry("Faster R-CNN", "faster-rcnn-voc"),
    Entry("YOLO", DEFAULT_MODEL),
)
"""In the order of the course, which is almost chronological."""


def choose_entries(names: str | Iterable[str | Entry]) -> tuple[Entry, ...]:
    """The entries with these names, whatever their case; an entry stays itself. A single name needs no list.

    Raises:
        UsageError: if there is no such entry.

    >>> [entry.weights for entry in choose_entries(["yolo", "Fast R-CNN"])]
    ['yolov4-tiny-coco', 'fast-rcnn-voc']
    """
    names = (names,) if isinstance(names, str) else names
    return tuple(name if isinstance(name, Entry) else _entry(name) for name in names)


def _entry(name: str) -> Entry:
    for entry in ENTRIES:
        if entry.name.casefold() == name.casefold():
            return entry
    known = [entry.name for entry in ENTRIES]
    hint = did_you_mean(name, known, f"there are {', '.join(known)}")
    raise UsageError(f"--detectors: unknown entry '{name}'; {hint}")
