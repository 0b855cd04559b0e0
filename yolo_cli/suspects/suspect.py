"""Suspects: labels that are probably wrong, and their report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from yolo_cli.datasets import Dataset
from yolo_cli.files import atomic_write_text
from yolo_cli.results import Detection
from yolo_cli.text import Jsonable

__all__ = ["KINDS", "Kind", "Label", "Suspect", "SuspectReport"]

Kind = Literal["overlooked", "swapped", "misplaced", "invented"]

KINDS: Mapping[Kind, str] = {
    "overlooked": "an object without a label",
    "swapped": "a label with the class of another object",
    "misplaced": "a label whose box does not fit the object",
    "invented": "a label where there is no object",
}
"""What each kind of suspect means."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label as it is in the data set.

    Attributes:
        row: its position in the label file, as in ``Sample.rows``.
        class_name: its class.
        xyxy: left, top, right and bottom edge in pixels of the upright image.
    """

    row: int
    class_name: str
    xyxy: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Suspect:
    """One label, or one missing label, that is probably wrong.

    Attributes:
        kind: what is probably wrong.
        score: in [0, 1]; a rough probability, as it relies on what the model sees.
        split, image: the sample's split and name.
        where: the place of the label in its file, or the image's name if there is no label.
        label: the label; None if it is overlooked.
        seen: the detection that speaks against it; None if the label is invented.
    """

    kind: Kind
    score: float
    split: str
    image: str
    where: str
    label: Label | None
    seen: Detection | None

    def correction(self) -> dict[str, Any]:
        """The entry of a file of corrections that takes the model's view; see `read_corrections`."""
        place: dict[str, Any] = {"split": self.split, "image": self.image}
        if self.label is None and self.seen is not None:
            return {
                **place,
                "action": "add",
                "class_name": self.seen.class_name,
                "box": _rounded(self.seen.xyxy),
            }
        assert self.label is not None
        place["row"] = self.label.row
        if self.seen is None:
            return {**place, "action": "remove"}
        if self.kind == "swapped":
            return {**place, "action": "class", "class_name": self.seen.class_name}
        return {**place, "action": "box", "box": _rounded(self.seen.xyxy)}

    def to_dict(self) -> dict[str, Any]:
        """The suspect as plain data."""
        label = self.label and {
            "row": self.label.row,
            "class_name": self.label.class_name,
            "box": _rounded(self.label.xyxy),
        }
        return {
            "kind": self.kind,
            "score": round(self.score, 4),
            "split": self.split,
            "image": self.image,
            "where": self.where,
            "label": label,
            "seen": self.seen and self.seen.to_dict(),
            "correction": self.correction(),
        }


def _rounded(xyxy: tuple[float, ...]) -> list[float]:
    """Edges rounded to 0.01 pixels."""
    return [round(edge, 2) for edge in xyxy]


@dataclass(frozen=True, eq=False, repr=False)
class SuspectReport(Jsonable):
    """The suspects of a data set.

    Attributes:
        dataset: the images that were looked at.
        content_hash: of the whole data set, which corrections belong to.
        model: the name of the model, or how the models were trained.
        suspects: most probable first.
        notes: one line for each note to the reader.
        faults: one line for each image that could not be read.
    """

    dataset: Dataset
    content_hash: str
    model: str
    suspects: tuple[Suspect, ...]
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        return f"<SuspectReport {self.dataset.root.name}: {self.count}>"

    @property
    def counts(self) -> dict[Kind, int]:
        """Number of suspects of each kind."""
        counted = Counter(suspect.kind for suspect in self.suspects)
        return {kind: counted[kind] for kind in KINDS}

    @property
    def count(self) -> str:
        """How many suspects there are, in words."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        count, likely = len(self.suspects), sum(suspect.score >= 0.5 for suspect in self.suspects)
        return f"{count} suspect label{'' if count == 1 else 's'} ({kinds}), {likely} with a score from 0.5"

    def top(self, count: int) -> list[Suspect]:
        """The suspects, most probable first, up to ``count`` of each kind."""
        seen: Counter[Kind] = Counter()
        chosen = []
        for suspect in self.suspects:
            seen[suspect.kind] += 1
            if seen[suspect.kind] <= count:
                chosen.append(suspect)
        return chosen

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        return {
            "content_hash": self.content_hash,
            "model": self.model,
            "images": len(self.dataset),
            "counts": dict(self.counts),
            "suspects": [suspect.to_dict() for suspect in self.suspects],
            "notes": list(self.notes),
            "faults": list(self.faults),
        }

    def save(self, folder: Path) -> Path:
        """Write ``suspects.html`` and ``suspects.json`` into an existing folder; return the page.

        Raises:
            DataError: if they cannot be written.
        """
        from yolo_cli.suspects.page import write_page  # it needs Jinja

        atomic_write_text(folder / "suspects.json", self.to_json() + "\n")
        write_page(folder / "suspects.html", self)
        return folder / "suspects.html"
