"""An explanation as text, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from yolo_cli.explanation.details import Details
from yolo_cli.explanation.outcomes import BoxOutcome
from yolo_cli.text_table import columns

__all__ = ["edges", "explanation_text", "indented"]

_SUPPRESSED = 10  # suppressed boxes that are listed one by one; a region detector has hundreds


def explanation_text(
    explained: Details, image: str, class_names: tuple[str, ...], confidence: float
) -> Iterator[str]:
    """The explanation in lines.

    Args:
        explained: what to describe.
        image: the image's name.
        class_names: of each class id.
        confidence: the one above which boxes count.
    """
    yield from explained.lines(image, class_names)
    yield ""
    if not explained.outcomes:
        yield f"No box above the confidence {confidence:g} contains this point."
        return
    yield f"Boxes at this point above the confidence {confidence:g}, and those that suppressed them:"
    yield from _outcomes(explained, class_names)


def indented(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table, indented below its heading."""
    return [f"  {line}" for line in columns(rows, left=range(1, len(rows[0]))).splitlines()]


def _outcomes(explained: Details, class_names: tuple[str, ...]) -> Iterator[str]:
    """Each box and its outcome; of many suppressed ones, the most confident."""
    listed, unlisted = 0, Counter[int]()
    for number, outcome in enumerate(explained.outcomes, start=1):
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
    return f"{name} {outcome.confidence:.4f}  box {edges(outcome.xyxy)}  from {outcome.source.origin}"


def _outcome(outcome: BoxOutcome[Any], explained: Details) -> str:
    if outcome.suppressed_by is not None:
        how = f"overlap {outcome.overlap:.3f} > {explained.threshold:g} by the rule {explained.rule}"
        return f"suppressed by {outcome.suppressed_by + 1}: {how}"
    return "kept" if outcome.kept else "left out: beyond --max-det"


def edges(xyxy: tuple[float, ...]) -> str:
    """The edges of a box in whole pixels."""
    return ", ".join(f"{round(edge)}" for edge in xyxy)
