"""An explanation as text, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from yolo_cli.explanation.grid import CellExplanation, CellPrediction
from yolo_cli.explanation.outcomes import BoxOutcome
from yolo_cli.explanation.regions import RegionExplanation, RegionPrediction
from yolo_cli.text import columns

__all__ = ["explanation_text"]

_SUPPRESSED = 10  # suppressed boxes that are listed one by one; a region detector has hundreds
_OTHERS = 2  # classes besides the likeliest


def explanation_text(
    explained: CellExplanation | RegionExplanation,
    image: str,
    class_names: tuple[str, ...],
    confidence: float,
) -> Iterator[str]:
    """The explanation in lines.

    Args:
        explained: what to describe.
        image: the image's name.
        class_names: of each class id.
        confidence: the one above which boxes count.
    """
    if isinstance(explained, RegionExplanation):
        yield from _regions(explained, image, class_names)
    else:
        yield from _cells(explained, image, class_names)
    yield ""
    if not explained.outcomes:
        yield f"No box above the confidence {confidence:g} contains this point."
        return
    yield f"Boxes at this point above the confidence {confidence:g}, and those that suppressed them:"
    yield from _outcomes(explained, class_names)


def _cells(explained: CellExplanation, image: str, class_names: tuple[str, ...]) -> Iterator[str]:
    """The predictions of YOLO's cells."""
    (x, y), (net_x, net_y), box = explained.point, explained.network_point, explained.letterbox
    size = f"{box.net_height}x{box.net_width}"  # as --imgsz takes it
    yield f"{image} at {x:g},{y:g}: that is {net_x:.1f},{net_y:.1f} of the network's input, {size}"
    yield ""
    yield "Predictions of the cells at this point, for each anchor its likeliest class:"
    rows: list[tuple[str, ...]] = [("confidence", "class", "from", "raw: tx ty tw th, objectness, class")]
    rows += [_prediction(prediction, class_names) for prediction in explained.predictions]
    yield from _indented(rows)


def _indented(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"  {line}" for line in columns(rows, left=range(1, len(rows[0]))).splitlines()]


def _prediction(prediction: CellPrediction, class_names: tuple[str, ...]) -> tuple[str, ...]:
    raw = " ".join(f"{value:.2f}" for value in prediction.raw[:4])
    values = f"{raw}, {prediction.raw[4]:.2f}, {prediction.raw_class:.2f}"
    name = class_names[prediction.class_id]
    return f"{prediction.confidence:.4f}", name, prediction.source.origin, values


def _regions(explained: RegionExplanation, image: str, class_names: tuple[str, ...]) -> Iterator[str]:
    """The predictions for the regions that contain the point."""
    (x, y), over, best = explained.point, len(explained.over), explained.best
    yield f"{image} at {x:g},{y:g}: {over:,} of {explained.regions:,} regions contain this point"
    if not best:
        return
    yield ""
    yield f"Predictions for the best {len(best)}:" if over > len(best) else "Predictions:"
    rows: list[tuple[str, ...]] = [
        ("confidence", "class", "region", "box after regression", "from; next classes")
    ]
    rows += [_region(prediction, class_names) for prediction in best]
    yield from _indented(rows)


def _region(prediction: RegionPrediction, class_names: tuple[str, ...]) -> tuple[str, ...]:
    """One region: likeliest class, region, box, origin, and the classes that come next."""
    ranks = sorted(range(len(prediction.scores)), key=lambda i: -prediction.scores[i])[1 : _OTHERS + 1]
    others = ", ".join(
        f"{class_names[i]} {prediction.scores[i]:.4f}" for i in ranks if prediction.scores[i] > 0
    )
    region, box = _edges(prediction.source.xyxy), _edges(prediction.xyxy)
    name = class_names[prediction.class_id]
    fixed = "the region itself" if prediction.xyxy == prediction.source.xyxy else box
    origin = "; ".join(filter(None, (prediction.source.origin, others)))
    return f"{prediction.confidence:.4f}", name, region, fixed, origin


def _outcomes(explained: CellExplanation | RegionExplanation, class_names: tuple[str, ...]) -> Iterator[str]:
    """Each box and its outcome; of many suppressed ones, the most confident."""
    outcomes: Any = explained.outcomes
    listed, unlisted = 0, Counter[int]()
    for number, outcome in enumerate(outcomes, start=1):
        if outcome.suppressed_by is not None:
            listed += 1
            if listed > _SUPPRESSED:
                unlisted[outcome.suppressed_by + 1] += 1
                continue
        yield f"  {number}. {_outcome_line(outcome, class_names)}"
        yield f"     {_outcome(outcome, explained)}"
    if unlisted:
        counts = ", ".join(f"{count} by {suppressor}" for suppressor, count in sorted(unlisted.items()))
        yield f"  {unlisted.total()} more were suppressed: {counts}; --format json lists them all"


def _outcome_line(outcome: BoxOutcome[Any], class_names: tuple[str, ...]) -> str:
    name = class_names[outcome.class_id]
    return f"{name} {outcome.confidence:.4f}  box {_edges(outcome.xyxy)}  from {outcome.source.origin}"


def _outcome(outcome: BoxOutcome[Any], explained: CellExplanation | RegionExplanation) -> str:
    if outcome.suppressed_by is not None:
        how = f"overlap {outcome.overlap:.3f} > {explained.threshold:g} by the rule {explained.rule}"
        return f"suppressed by {outcome.suppressed_by + 1}: {how}"
    return "kept" if outcome.kept else "left out: beyond --max-det"


def _edges(xyxy: tuple[float, ...]) -> str:
    return ", ".join(f"{round(edge)}" for edge in xyxy)
