"""The way of one image through a detector: everything proposed, the confident boxes, those that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from yolo_cli.boxes import clip_boxes
from yolo_cli.codec import decode
from yolo_cli.detectors import Detector
from yolo_cli.detectors.trace import GridOutput
from yolo_cli.errors import UsageError
from yolo_cli.explanation.drawing import WHITE, draw_frame, faint_frames
from yolo_cli.explanation.grid import ANYTHING
from yolo_cli.explanation.outcomes import Rule, Suppression
from yolo_cli.explanation.result import Plotted
from yolo_cli.explanation.text import edges
from yolo_cli.images import Image
from yolo_cli.render import LabelledBox, class_colour, draw_boxes
from yolo_cli.text import counted
from yolo_cli.visualisation.panels import rows_of_panels
from yolo_cli.worked.canvas import Box, Floats, Pixels, cell_maps, enlarged, overlaid_cells

__all__ = ["Round", "Stages", "show_stages"]

_GONE = (255, 60, 60)
_LISTED = 12  # overlaps of a round in the text
_DRAWN = 2  # rounds in the image: the first that remove something


@dataclass(frozen=True, slots=True)
class Round:
    """A round of suppression: the most confident box left is kept, and those that overlap it too much go.

    Attributes:
        class_name: of the box that is kept.
        confidence: of it.
        xyxy: of it, in pixels of the image.
        removed: the boxes that go, in pixels of the image, most confident first.
        overlaps: of each with the box that is kept.
    """

    class_name: str
    confidence: float
    xyxy: Box
    removed: tuple[Box, ...]
    overlaps: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stages(Plotted):
    """One image on its way through a detector.

    Attributes:
        image: the image.
        model: the name of the model.
        evaluated: how many anchors of cells, windows or proposals were classified.
        regions: the windows or proposals, in pixels of the image; () for YOLO.
        confidence: for YOLO, at each pixel of the image (H, W) the highest confidence of the cells there.
        candidates: the boxes above the confidence, in pixels of the image, most confident first.
        conf: the confidence threshold.
        rounds: of suppression.
        rule: its rule.
        threshold: its threshold.
    """

    image: Image
    model: str
    evaluated: int
    regions: tuple[Box, ...]
    confidence: Floats | None
    candidates: tuple[Box, ...]
    conf: float
    rounds: tuple[Round, ...]
    rule: str
    threshold: float

    def to_dict(self) -> dict[str, Any]:
        """The numbers and the rounds."""
        return {
            "image": self.image.name,
            "model": self.model,
            "evaluated": self.evaluated,
            "candidates": [list(box) for box in self.candidates],
            "rounds": [asdict(each) for each in self.rounds],
            "rule": self.rule,
            "threshold": self.threshold,
        }

    def to_text(self) -> str:
        """The stages for people."""
        lines = [
            f"{self.image.name}, {self.model}: {self._evaluated}; "
            f"{counted(len(self.candidates), 'box')} above the confidence {self.conf:g}; "
            f"{len(self.rounds):,} after suppression ({self.rule}, {self.threshold:g})"
        ]
        for number, each in enumerate(self.rounds, start=1):
            kept = f"{each.class_name} {each.confidence:.3f} at {edges(each.xyxy)}"
            lines.append(f"  {number}. keep {kept}; remove {_removed(each.overlaps)}")
        return "".join(f"{line}\n" for line in lines)

    def plot(self) -> Pixels:
        """Panels: what is evaluated, the confident boxes, the first rounds, and what is left, (H, W, 3)."""
        canvas, scale = enlarged(self.image)
        dark = canvas // 2
        panels = [
            (self._evaluated, self._first(canvas, scale)),
            (f"{len(self.candidates):,} above {self.conf:g}", _frames(dark, self.candidates, WHITE, scale)),
        ]
        gone: set[Box] = set()
        for number, each in enumerate(self.rounds, start=1):
            gone |= {*each.removed, each.xyxy}
            if not each.removed or len(panels) == 2 + _DRAWN:
                continue
            left = [box for box in self.candidates if box not in gone]
            panel = _frames(_frames(dark, left, WHITE, scale), each.removed, _GONE, scale)
            draw_frame(panel, each.xyxy, class_colour(number), scale, 3)
            panels.append((f"round {number}: 1 kept, {len(each.removed):,} removed (red)", panel))
        kept = [_labelled(each, number, scale) for number, each in enumerate(self.rounds, start=1)]
        panels.append((f"{len(kept):,} after suppression", draw_boxes(Image(canvas), kept)))
        return rows_of_panels(panels, 2 if len(panels) == 4 else 3)

    @property
    def _evaluated(self) -> str:
        of_cells = "" if self.confidence is None else " of cells"
        return counted(self.evaluated, "anchor" if of_cells else "region") + of_cells

    def _first(self, canvas: Pixels, scale: float) -> Pixels:
        """The regions, or how confident the cells are."""
        if self.confidence is not None:
            return overlaid_cells(canvas, self.confidence)
        return faint_frames(canvas // 2, self.regions, WHITE, scale)


def show_stages(detector: Detector, image: Image) -> Stages:
    """Follow an image through a detector, stage by stage.

    Raises:
        UsageError: if the suppression is soft, which removes nothing, or the detector runs on tiles.
    """
    if detector.config.tile is not None:
        raise UsageError("--tile: explain follows one run of the network; leave it out, or explain a crop")
    rule = Rule.of(detector.config, detector.card)
    trace = detector.trace(image)
    boxes = clip_boxes(trace.selection.candidates.xyxy, (image.height, image.width))  # (N, 4)
    suppression = Suppression(trace.selection, boxes, rule)
    order = np.argsort(-trace.selection.candidates.confidence, kind="stable")
    return Stages(
        image,
        detector.card.name,
        trace.evaluated,
        () if trace.regions is None else tuple(tuple(box) for box in trace.regions.tolist()),
        None if trace.grid is None else _confidence(trace.grid, image),
        tuple(tuple(box) for box in boxes[order].tolist()),
        detector.config.conf,
        tuple(_rounds(suppression, detector.class_names)),
        rule.kind,
        rule.threshold,
    )


def _rounds(suppression: Suppression, class_names: Sequence[str]) -> list[Round]:
    """The kept boxes, each with those that it suppressed."""
    candidates = suppression.selection.candidates
    suppressor, overlaps = suppression.suppressors()  # (N,), (N,)
    found = []
    for n in suppression.selection.returned.tolist():
        mine = np.flatnonzero(suppressor == n)
        mine = mine[np.argsort(-candidates.confidence[mine], kind="stable")]
        found.append(
            Round(
                class_names[int(candidates.class_id[n])],
                float(candidates.confidence[n]),
                tuple(suppression.xyxy[n].tolist()),
                tuple(tuple(box) for box in suppression.xyxy[mine].tolist()),
                tuple(overlaps[mine].tolist()),
            )
        )
    return found


def _confidence(grid: GridOutput, image: Image) -> Floats:
    """At each pixel of the image (H, W) the highest confidence of the cells there, over all heads."""
    pairs = decode(grid.raw_heads, grid.heads, ANYTHING)
    best = np.zeros(grid.anchors, np.float32)  # (S,)
    np.maximum.at(best, pairs.slot, pairs.confidence)
    highest: Floats = np.max([values for _, values in cell_maps(best, grid, image)], axis=0)
    return highest


def _frames(canvas: Pixels, boxes: Sequence[Box], colour: tuple[int, int, int], scale: float) -> Pixels:
    return faint_frames(canvas, boxes, colour, scale) if boxes else canvas.copy()


def _labelled(each: Round, number: int, scale: float) -> LabelledBox:
    box = tuple(edge * scale for edge in each.xyxy)
    return LabelledBox(box, f"{number}. {each.class_name} {each.confidence:.2f}", class_colour(number), 3)


def _removed(overlaps: Sequence[float]) -> str:
    """How many, and their overlaps."""
    if not overlaps:
        return "none"
    listed = ", ".join(f"{overlap:.2f}" for overlap in overlaps[:_LISTED])
    return f"{len(overlaps):,}, overlap {listed}{', …' if len(overlaps) > _LISTED else ''}"
