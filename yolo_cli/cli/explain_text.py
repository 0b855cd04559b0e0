"""What `yolo explain` says, for people: line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yolo_cli.explanation import Answer, Explanation, Fate, Judged, Place, Region, RegionExplanation

__all__ = ["explanation_text"]

_SUPPRESSED = 10  # so many suppressed boxes are told of one by one; a region detector has hundreds
_OTHERS = 2  # classes besides the likeliest


def explanation_text(
    explained: Explanation | RegionExplanation, image: str, class_names: tuple[str, ...], confidence: float
) -> Iterator[str]:
    """All that is said of a point.

    Args:
        explained: what is to be said.
        image: the image's name.
        class_names: of each class id.
        confidence: the one above which boxes count.
    """
    from yolo_cli.explanation import RegionExplanation

    if isinstance(explained, RegionExplanation):
        yield from _regions(explained, image, class_names)
    else:
        yield from _cells(explained, image, class_names)
    yield ""
    if not explained.fates:
        yield f"No box above the confidence {confidence:g} lies over this point."
        return
    yield f"Boxes over this point above the confidence {confidence:g}, and those that suppressed them:"
    yield from _fates(explained, class_names)


def _cells(explained: Explanation, image: str, class_names: tuple[str, ...]) -> Iterator[str]:
    """What YOLO's cells say."""
    (x, y), (net_x, net_y), box = explained.point, explained.network_point, explained.letterbox
    size = f"{box.net_height}x{box.net_width}"  # as --imgsz takes it
    yield f"{image} at {x:g},{y:g}: that is {net_x:.1f},{net_y:.1f} of the network's input, {size}"
    yield ""
    yield "What the cells at this point say, each anchor its likeliest class:"
    yield f"  confidence  {'class':14}  {'from':44}  raw: tx ty tw th, objectness, class"
    for answer in explained.answers:
        yield f"  {_answer(answer, class_names)}"


def _answer(answer: Answer, class_names: tuple[str, ...]) -> str:
    raw = " ".join(f"{value:.2f}" for value in answer.raw[:4])
    values = f"{raw}, {answer.raw[4]:.2f}, {answer.raw_class:.2f}"
    name = class_names[answer.class_id]
    return f"{answer.confidence:10.4f}  {name:14}  {_origin(answer.place):44}  {values}"


def _regions(explained: RegionExplanation, image: str, class_names: tuple[str, ...]) -> Iterator[str]:
    """What the regions over the point show."""
    (x, y), over, best = explained.point, len(explained.over), explained.best
    yield f"{image} at {x:g},{y:g}: {over:,} of {explained.regions:,} regions lie over this point"
    if not best:
        return
    yield ""
    yield f"What the best {len(best)} of them show:" if over > len(best) else "What they show:"
    yield f"  confidence  {'class':14}  {'region':20}  {'box after regression':20}  from; next classes"
    for judged in best:
        yield f"  {_judged(judged, class_names)}"


def _judged(judged: Judged, class_names: tuple[str, ...]) -> str:
    """One region: likeliest class, region, box, origin, and the classes that come next."""
    ranks = sorted(range(len(judged.scores)), key=lambda i: -judged.scores[i])[1 : _OTHERS + 1]
    others = ", ".join(f"{class_names[i]} {judged.scores[i]:.4f}" for i in ranks if judged.scores[i] > 0)
    region, box = _edges(judged.place.xyxy), _edges(judged.xyxy)
    name = class_names[judged.class_id]
    fixed = "the region itself" if judged.xyxy == judged.place.xyxy else box
    return f"{judged.confidence:10.4f}  {name:14}  {region:20}  {fixed:20}  {_origin(judged.place)}" + (
        f"; {others}" if others else ""
    )


def _fates(explained: Explanation | RegionExplanation, class_names: tuple[str, ...]) -> Iterator[str]:
    """Each box and what became of it; of many suppressed ones, the most confident."""
    fates: Any = explained.fates
    told, untold = 0, Counter[int]()
    for number, fate in enumerate(fates, start=1):
        if fate.suppressed_by is not None:
            told += 1
            if told > _SUPPRESSED:
                untold[fate.suppressed_by + 1] += 1
                continue
        yield f"  {number}. {_fate(fate, class_names)}"
        yield f"     {_outcome(fate, explained)}"
    if untold:
        whom = ", ".join(f"{count} by {winner}" for winner, count in sorted(untold.items()))
        yield f"  {untold.total()} more were suppressed: {whom}; --format json names them all"


def _fate(fate: Fate[Any], class_names: tuple[str, ...]) -> str:
    name = class_names[fate.class_id]
    return f"{name} {fate.confidence:.4f}  box {_edges(fate.xyxy)}  from {_origin(fate.place)}"


def _outcome(fate: Fate[Any], explained: Explanation | RegionExplanation) -> str:
    if fate.suppressed_by is not None:
        how = f"overlap {fate.overlap:.3f} > {explained.threshold:g} by the rule {explained.rule}"
        return f"suppressed by {fate.suppressed_by + 1}: {how}"
    return "kept" if fate.kept else "left out: beyond the number of boxes that are kept"


def _origin(place: Place | Region) -> str:
    """A region's own words, or head, cell and anchor."""
    from yolo_cli.explanation import Region

    if isinstance(place, Region):
        return place.origin
    wide, high = place.anchor_size
    return f"stride {place.stride}, row {place.row}, column {place.column}, anchor {wide:g}x{high:g}"


def _edges(xyxy: tuple[float, ...]) -> str:
    return ", ".join(f"{round(edge)}" for edge in xyxy)
