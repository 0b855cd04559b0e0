"""The suspects as a self-contained HTML page, with keys to accept or reject each."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import xyxy_to_xywh
from yolo_cli.datasets import Sample
from yolo_cli.errors import DataError
from yolo_cli.files import atomic_write_text
from yolo_cli.images import Image
from yolo_cli.report.html import jpeg_url, render_page, shrunk
from yolo_cli.suspects.suspect import KINDS, Suspect, SuspectReport
from yolo_cli.version import __version__

__all__ = ["MOST_OF_A_KIND", "write_page"]

MOST_OF_A_KIND = 75
"""Suspects of a kind on the page, at most; ``suspects.json`` has all."""

_TEMPLATE = Path(__file__).parent / "templates" / "suspects.html"
_SIDE = 320  # the longer side of a crop in pixels, at most
_MARGIN = 0.6  # around the boxes, as a fraction of their longer side
_SMALLEST = 48  # pixels of the image in a crop, at least

Floats = NDArray[np.floating[Any]]


def write_page(path: Path, report: SuspectReport) -> None:
    """Write the page. Images that cannot be read any more are left out.

    Args:
        path: the file.
        report: the suspects.

    Raises:
        DataError: if the file cannot be written.
    """
    samples = {(sample.split, sample.name): sample for sample in report.dataset.samples}
    cards = []
    for suspect in report.top(MOST_OF_A_KIND):
        sample = samples[suspect.split, suspect.image]
        try:
            cards.append(_card(suspect, sample, sample.read()))
        except DataError:
            continue
    place = shlex.quote(str(report.dataset.location))
    text = render_page(
        _TEMPLATE,
        report=report,
        kinds=KINDS,
        cards=cards,
        data={"content_hash": report.content_hash, "cards": cards},
        command=f"yolo lint --data {place} --apply corrections.json --fix corrected",
        version=__version__,
    )
    atomic_write_text(path, text)


def _card(suspect: Suspect, sample: Sample, image: Image) -> dict[str, Any]:
    """One suspect for the page: texts, a crop, and boxes in its pixels."""
    both = [thing.xyxy for thing in (suspect.label, suspect.seen) if thing is not None]
    frame = _frame(np.array(both, float), image)  # (4,)
    left, top, right, bottom = frame.astype(int).tolist()
    pixels, scale = shrunk(image.rgb[top:bottom, left:right], _SIDE)
    return {
        "kind": suspect.kind,
        "score": round(suspect.score, 2),
        "where": suspect.where,
        "labelled": _labelled(suspect),
        "seen": _seen(suspect),
        "proposal": _proposal(suspect),
        "correction": suspect.correction(),
        "href": jpeg_url(np.ascontiguousarray(pixels)),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "label_box": suspect.label and _placed(suspect.label.xyxy, frame, scale),
        "seen_box": suspect.seen and _placed(suspect.seen.xyxy, frame, scale),
        "others": _others(suspect, sample, frame, scale),
    }


def _frame(boxes: Floats, image: Image) -> Floats:
    """The part of the image to show around boxes (B, 4), in whole pixels: (4,)."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)  # (2,), (2,)
    margin = max(_MARGIN * float((high - low).max()), (_SMALLEST - float((high - low).min())) / 2)
    size = np.array([image.width, image.height])
    start = np.clip(np.floor(low - margin), 0, size - 1)
    return np.concatenate([start, np.clip(np.ceil(high + margin), start + 1, size)])


def _placed(xyxy: Sequence[float] | Floats, frame: Floats, scale: float) -> list[float]:
    """x, y, width and height in pixels of the crop."""
    shifted = (np.array([xyxy], float) - np.tile(frame[:2], 2)) * scale
    return [round(value, 1) for value in xyxy_to_xywh(shifted)[0].tolist()]


def _others(suspect: Suspect, sample: Sample, frame: Floats, scale: float) -> list[list[float]]:
    """The parts of the other labels' boxes in the crop."""
    own = -1 if suspect.label is None else suspect.label.row
    inside = [
        np.clip(xyxy, np.tile(frame[:2], 2), np.tile(frame[2:], 2))
        for row, xyxy in zip(sample.rows, sample.ground_truth.xyxy, strict=True)
        if row != own
    ]
    return [_placed(xyxy, frame, scale) for xyxy in inside if (xyxy[2:] > xyxy[:2]).all()]


def _labelled(suspect: Suspect) -> str:
    """What the data set says."""
    return suspect.label.class_name if suspect.label else "nothing"


def _seen(suspect: Suspect) -> str:
    """What the model says."""
    return f"{suspect.seen.class_name} {suspect.seen.confidence:.2f}" if suspect.seen else "nothing"


def _proposal(suspect: Suspect) -> str:
    """What accepting does, in words."""
    seen = suspect.seen.class_name if suspect.seen else ""
    return {
        "overlooked": f"add the label {seen}",
        "swapped": f"change the class to {seen}",
        "misplaced": "move the box to where the model sees the object",
        "invented": "remove the label",
    }[suspect.kind]
