"""For region detectors: the windows or proposals over a point, and the outcomes of their boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.trace import RegionOutput, RegionScores
from yolo_cli.explanation.details import Panel
from yolo_cli.explanation.drawing import WHITE, draw_frame, faint_frames, labelled_box, numbered_as_text
from yolo_cli.explanation.legend import Entry
from yolo_cli.explanation.outcomes import BoxOutcome, Suppression, covers
from yolo_cli.explanation.text import edges, indented
from yolo_cli.images import Image
from yolo_cli.render import class_colour, draw_boxes

__all__ = ["Region", "RegionExplanation", "RegionPrediction", "explain_regions"]

Box = tuple[float, ...]

BEST = 10  # regions over the point that are described individually
_OTHERS = 2  # classes besides the likeliest


@dataclass(frozen=True, slots=True)
class Region:
    """One window or proposal.

    Attributes:
        number: its index among all regions of the image.
        origin: a description of its origin.
        xyxy: in pixels of the image; it may extend beyond it.
    """

    number: int
    origin: str
    xyxy: Box


@dataclass(frozen=True, slots=True)
class RegionPrediction:
    """The prediction for one region.

    Attributes:
        source: the region.
        class_id: the most likely class.
        confidence: of that class.
        scores: of every class, (C,).
        xyxy: the box predicted for that class, in pixels of the image: the region itself if the detector has
            no box regression.
    """

    source: Region
    class_id: int
    confidence: float
    scores: tuple[float, ...]
    xyxy: Box


@dataclass(frozen=True, slots=True)
class RegionExplanation:
    """The regions over one point, their predictions, and the outcomes of their boxes.

    Attributes:
        point: x and y in pixels of the image.
        regions: number of evaluated regions of the image.
        over: boxes of the regions that contain the point, best first.
        best: the best of these, by the highest score of any class.
        outcomes: of boxes above the confidence that contain the point, or whose region does, and of those
            that suppressed them, most confident first.
        threshold: IoU threshold for NMS.
        rule: the rule of suppression.
    """

    point: tuple[float, float]
    regions: int
    over: tuple[Box, ...]
    best: tuple[RegionPrediction, ...]
    outcomes: tuple[BoxOutcome[Region], ...]
    threshold: float
    rule: str

    legend: ClassVar[tuple[Entry, ...]] = (Entry("frame", WHITE, 1, "window or proposal over the point"),)

    def lines(self, image: str, class_names: tuple[str, ...]) -> Iterator[str]:
        """The predictions for the regions that contain the point."""
        (x, y), over, best = self.point, len(self.over), self.best
        yield f"{image} at {x:g},{y:g}: {over:,} of {self.regions:,} regions contain this point"
        if not best:
            return
        yield ""
        which = f"the best {len(best)} of them" if over > len(best) else "each"
        yield f"Predictions for {which}, with the classes that come next:"
        rows: list[tuple[str, ...]] = [
            ("confidence", "class", "next classes", "region", "box after regression", "from")
        ]
        rows += [_row(prediction, class_names) for prediction in best]
        yield from indented(rows)

    def panels(
        self,
        image: Image,
        class_names: tuple[str, ...],  # noqa: ARG002 - boxes have only their numbers
        scale: float,
    ) -> list[Panel]:
        """One panel: faint, every region over the point and every box above the confidence.

        In front are the boxes listed in the text, and the region of the best of them.
        """
        canvas = faint_frames(image.rgb // 2, self.over, WHITE, scale)
        for class_id in sorted({outcome.class_id for outcome in self.outcomes}):
            of_class = [outcome.xyxy for outcome in self.outcomes if outcome.class_id == class_id]
            canvas = faint_frames(canvas, of_class, class_colour(class_id), scale)
        kept = [one for one in self.outcomes if one.kept and covers(np.array([one.xyxy]), self.point)]
        for outcome in kept[:1]:
            draw_frame(canvas, outcome.source.xyxy, WHITE, scale)
        title = f"{len(self.over):,} of {self.regions:,} regions are over the point"
        boxes = [labelled_box(one, str(number), scale) for number, one in numbered_as_text(self.outcomes)]
        return [(title, draw_boxes(Image(canvas), boxes))]


def explain_regions(
    proposed: RegionOutput, suppression: Suppression, point: tuple[float, float]
) -> RegionExplanation:
    """The regions over ``point`` (x, y in pixels of the image), and the outcomes of their boxes."""
    boxes, scores = proposed.regions, proposed.predictions.scores  # (N, 4), (N, C)
    over = np.flatnonzero(covers(boxes, point))  # (P,)
    over = over[np.argsort(-scores[over].max(axis=1), kind="stable")]  # (P,), the best first
    source = suppression.selection.candidates.slot  # (M,), the region of each candidate
    regions = _regions(proposed, np.union1d(over[:BEST], source))
    shown = covers(suppression.xyxy, point) | covers(boxes[source], point)  # (M,)
    return RegionExplanation(
        point,
        len(boxes),
        tuple(tuple(box) for box in boxes[over].tolist()),
        tuple(_prediction(proposed.predictions, regions[number]) for number in over[:BEST].tolist()),
        suppression.outcomes(shown, regions.__getitem__),
        suppression.rule.threshold,
        suppression.rule.kind,
    )


def _regions(proposed: RegionOutput, numbers: NDArray[np.integer[Any]]) -> dict[int, Region]:
    """The regions ``numbers`` (R,), by number."""
    origins, edges = proposed.origins(numbers), proposed.regions[numbers].tolist()
    return {
        number: Region(number, origin, tuple(box))
        for number, origin, box in zip(numbers.tolist(), origins, edges, strict=True)
    }


def _prediction(predictions: RegionScores, region: Region) -> RegionPrediction:
    """The prediction for a region."""
    scores, drawn = predictions.scores[region.number], predictions.xyxy[region.number]  # (C,), (C or 1, 4)
    best = int(scores.argmax())
    box = drawn[best] if len(drawn) > 1 else drawn[0]  # (4,)
    return RegionPrediction(region, best, float(scores[best]), tuple(scores.tolist()), tuple(box.tolist()))


def _row(prediction: RegionPrediction, class_names: tuple[str, ...]) -> tuple[str, ...]:
    """One region: likeliest class, the classes that come next, region, box, origin."""
    ranks = sorted(range(len(prediction.scores)), key=lambda i: -prediction.scores[i])[1 : _OTHERS + 1]
    others = ", ".join(
        f"{class_names[i]} {prediction.scores[i]:.4f}" for i in ranks if prediction.scores[i] > 0
    )
    region, box = edges(prediction.source.xyxy), edges(prediction.xyxy)
    name = class_names[prediction.class_id]
    fixed = "the region itself" if prediction.xyxy == prediction.source.xyxy else box
    return f"{prediction.confidence:.4f}", name, others, region, fixed, prediction.source.origin
