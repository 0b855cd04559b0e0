"""What an export wrote, and the proof that it is the same model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from yolo_cli.evaluation import Report
from yolo_cli.exporting.agreement import Agreement
from yolo_cli.exporting.plan import Form
from yolo_cli.exporting.ties import LARGEST_DIFFERENCE, LOWEST_IOU
from yolo_cli.text import Jsonable, counted
from yolo_cli.text_table import columns

__all__ = ["Exported", "Figures", "Proof"]

_SHOWN = 5  # pairs of boxes
_UNPROVEN = "nothing is proven; give images with objects by --data, or lower --conf"


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one of the two programs.

    Attributes:
        runtime: what it ran in.
        milliseconds: median time an image, from pixels to boxes.
        map50, map50_95: average precision; None without ground truth.
    """

    runtime: str
    milliseconds: float
    map50: float | None = None
    map50_95: float | None = None

    @classmethod
    def of(cls, runtime: str, milliseconds: float, report: Report | None) -> Figures:
        """The figures of a run, and of its report if there is ground truth."""
        if report is None:
            return cls(runtime, milliseconds)
        return cls(runtime, milliseconds, report.map50, report.map50_95)


@dataclass(frozen=True, slots=True)
class Proof:
    """A comparison of an exported model with ours on the same images.

    Attributes:
        agreement: the boxes in pairs.
        figures: of ours, first, of the export, last, and of an int8 export's float one between them.
        suppression: what both suppressed by.
        note: where the model's own rule finds other boxes, or an empty text.
        allowed_loss: of mAP50; None means that the boxes must agree.
        wrong_entries: names of the metadata that the file does not have as it was meant.
    """

    agreement: Agreement
    figures: dict[str, Figures]
    suppression: str
    note: str = ""
    allowed_loss: float | None = None
    wrong_entries: tuple[str, ...] = ()

    @property
    def ours(self) -> Figures:
        """The figures of yolo-cli."""
        return next(iter(self.figures.values()))

    @property
    def theirs(self) -> Figures:
        """The figures of the export."""
        return next(reversed(self.figures.values()))

    @property
    def loss(self) -> float | None:
        """By how much the export's mAP50 is lower; None without ground truth."""
        if self.ours.map50 is None or self.theirs.map50 is None:
            return None
        return self.ours.map50 - self.theirs.map50

    @property
    def drift(self) -> str:
        """Why it is not known to be the same model, in one line; empty if it is."""
        if self.wrong_entries:
            return f"the metadata of the file says otherwise: {', '.join(self.wrong_entries)}"
        if self.allowed_loss is not None:
            return self._drift_of_int8(self.allowed_loss)
        if not self.agreement.pairs:
            return f"nothing is found on {counted(self.agreement.images, 'image')}, so {_UNPROVEN}"
        wrong = len(self.agreement.disagreeing)
        if not wrong:
            return ""
        total = len(self.agreement.pairs)
        return (
            f"{wrong} of {counted(total, 'box')} differ: IoU below {LOWEST_IOU} or confidence by "
            f"more than {LARGEST_DIFFERENCE}"
        )

    def _drift_of_int8(self, allowed: float) -> str:
        if not self.ours.map50:
            return f"the model's mAP50 is 0 on these images, so {_UNPROVEN}"
        if self.loss is None or self.loss <= allowed:
            return ""
        return f"mAP50 is lower by {self.loss:.4f}, but may be by {allowed:g}"


@dataclass(frozen=True, slots=True, repr=False)
class Exported(Jsonable):
    """An export; ``path`` is None if it drifts, since then nothing is written.

    Attributes:
        model: the name of the model.
        form: the options.
        path: what was written; of OpenVINO the .xml, with a .bin beside it; of a SavedModel a folder.
        size: bytes of it.
        graph: the input and the outputs of the graph, a line each.
        proof: the comparison with the model.
    """

    model: str
    form: Form
    path: Path | None
    size: int
    graph: tuple[str, str]
    proof: Proof

    def __repr__(self) -> str:
        return f"<Exported {self.path or self.proof.drift}>"

    def to_dict(self) -> dict[str, Any]:
        """Files, figures and the pairs of boxes that are furthest apart, as plain data."""
        proof, agreement = self.proof, self.proof.agreement
        return {
            "model": self.model,
            "form": asdict(self.form),
            "path": self.path and str(self.path),
            "bytes": self.size,
            "images": agreement.images,
            "boxes": len(agreement.pairs),
            "unpaired": agreement.unpaired,
            "tied": agreement.tied,
            "lowest_iou": agreement.lowest_iou,
            "largest_difference": agreement.largest_difference,
            "suppression": proof.suppression,
            "figures": {title: asdict(figures) for title, figures in proof.figures.items()},
            "furthest": [asdict(pair) for pair in agreement.pairs[:_SHOWN]],
            "drift": proof.drift,
        }

    def to_text(self) -> str:
        """What was written, and the proof, for people."""
        lines = [
            f"input   {self.graph[0]}",
            f"output  {self.graph[1]}",
            "",
            _figures_text(self.proof),
            *_pairs_text(self.proof.agreement),
        ]
        if self.proof.note:
            lines.append(self.proof.note)
        end = f"saved {self.path} ({self.size / 2**20:.1f} MiB)" if self.path else "nothing is saved"
        return "\n".join([*lines, end]) + "\n"


def _figures_text(proof: Proof) -> str:
    """A column for each program."""
    found = proof.figures
    rows = [["", *found], ["ms an image", *(f"{it.milliseconds:.1f}" for it in found.values())]]
    if proof.ours.map50 is not None:
        rows += [
            ["mAP50", *(f"{it.map50:.4f}" for it in found.values())],
            ["mAP50-95", *(f"{it.map50_95:.4f}" for it in found.values())],
        ]
    return columns(rows)


def _pairs_text(agreement: Agreement) -> list[str]:
    """The differences box by box, the largest first."""
    many = f"{counted(len(agreement.pairs), 'box')} on {counted(agreement.images, 'image')}"
    if agreement.lowest_iou is None:
        return [f"{many}: nothing to compare", ""]
    summary = (
        f"{many}: lowest IoU {agreement.lowest_iou:.4f}, largest difference of confidence "
        f"{agreement.largest_difference:.4f}, {agreement.unpaired} found by one of the two only"
    )
    if agreement.tied:
        summary += f"; rounding decides what is returned: {agreement.tied}"
    rows = [["furthest apart", "class", "yolo-cli", "export", "IoU"]]
    for pair in agreement.pairs[:_SHOWN]:
        both = ("–" if value is None else f"{value:.4f}" for value in (pair.ours, pair.theirs))
        rows.append([pair.image, pair.class_name, *both, f"{pair.iou:.4f}"])
    return [summary, "", columns(rows, left=(0, 1))]
