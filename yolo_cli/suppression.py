"""Non-maximum suppression: of several boxes around one object, the most confident stays.

Four rules decide when a kept box suppresses a less confident one (t is the threshold):

- ``iou``: IoU > t, the plain rule of most detectors, and Darknet's default.
- ``greedynms``: IoU - (d²/c²)^0.6 > t, where d² is the squared distance of the centres and c² the squared
  diagonal of the smallest enclosing box. This is Darknet's rule; the exponent is fixed.
- ``diounms``: the same, with ``beta`` as exponent. Zheng et al., "Distance-IoU Loss", AAAI 2020.
- ``soft``: each box's confidence is multiplied by exp(-IoU²/0.5) for every more confident one, and the box is
  dropped below 0.001. Bodla et al., "Soft-NMS", ICCV 2017 (the Gaussian form).

The ratio d²/c² depends on the unit of each axis: to decide as Darknet does on an image that is not
square, give boxes relative to the image's width and height. IoU is the same in every unit.

No rule lets a box act on a more confident one. So where a `Limit` asks for the first few only, the most
confident boxes decide: a model that has hardly learned finds thousands more, which are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import paired_centre_distance, paired_iou
from yolo_cli.config import SuppressionKind
from yolo_cli.neighbours import PAIRS_AT_ONCE, Neighbours, near_pairs

__all__ = ["Limit", "Rule", "batched_nms", "nms", "overlap", "soft_nms", "suppress"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

GREEDY_EXPONENT = 0.6
SOFT_SIGMA = 0.5
MIN_SOFT_SCORE = 0.001
# Where a box has more than so many others near it on average, the most confident ones go first.
CROWDED = 100
# So many go first then.
HANDFUL = 512
# So few are all compared with each other, which takes less time than to find out which are near.
FEW = 32
# Where more are asked for, all boxes go class by class: looking for the first compares those of all classes.
FIRST = 1024
# With a limit, this many times as many boxes are sorted first.
SORTED = 16
NOTHING = np.zeros(0, np.intp)


@dataclass(frozen=True, slots=True)
class Rule:
    """When one box suppresses another.

    Attributes:
        threshold: how much two boxes of a class may overlap.
        kind: the rule; not "soft".
        beta: the exponent of ``diounms``.

    Raises:
        ValueError: if ``threshold`` is below 0, which would let boxes that do not touch suppress each other.
    """

    threshold: float = 0.45
    kind: SuppressionKind = "iou"
    beta: float = 0.6

    def __post_init__(self) -> None:
        if self.threshold < 0:
            raise ValueError(f"threshold must be at least 0, not {self.threshold}")

    def suppresses(self, a: Floats, b: Floats) -> Bools:
        """Whether (…) ``a`` (…, 4) and ``b`` (…, 4) overlap too much, box by box."""
        too_much: Bools = overlap(a, b, self.kind, self.beta) > self.threshold  # (…)
        return too_much


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """How many boxes are enough.

    Attributes:
        count: at least 1.
        counted: (N,), which boxes count. The others suppress and are kept like these.
    """

    count: int
    counted: Bools

    def length(self, kept: NDArray[np.intp]) -> int | None:
        """How many of the boxes ``kept`` (K,), from the first on, are just enough; None if all are not."""
        if len(kept) < self.count:
            return None
        last = np.flatnonzero(self.counted[kept])[self.count - 1 : self.count]  # (1,), or (0,)
        return int(last[0]) + 1 if len(last) else None


PLAIN = Rule()


def nms(
    xyxy: Floats, confidence: Floats, threshold: float = 0.45, limit: int | None = None
) -> NDArray[np.intp]:
    """Positions (K,) of the ``xyxy`` (N, 4) that plain NMS keeps, the most confident first.

    ``limit`` is how many of them are enough; None for all.
    """
    enough = None if limit is None else Limit(limit, np.ones(len(xyxy), bool))
    one_class = np.zeros(len(xyxy), np.int64)  # (N,)
    return suppress(xyxy, confidence, one_class, threshold=threshold, limit=enough)[0]


def batched_nms(
    xyxy: Floats, confidence: Floats, class_id: Integers, rule: Rule = PLAIN, limit: Limit | None = None
) -> NDArray[np.intp]:
    """Positions (K,) of the boxes that NMS class by class keeps, the most confident first.

    A limit only cuts the result: boxes are suppressed by boxes before them alone, in the order of confidence
    and then position, so those after the last one that is needed change nothing.

    Args:
        xyxy: boxes (N, 4), finite, in any unit (see above).
        confidence: (N,).
        class_id: (N,); a box is only suppressed by boxes of its own class.
        rule: when one box suppresses another.
        limit: how many boxes are enough; None for all.

    >>> boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]])
    >>> batched_nms(boxes, np.float32([0.8, 0.9, 0.7]), np.array([3, 3, 3])).tolist()
    [1, 2]
    """
    if limit is not None and limit.count <= FIRST and len(xyxy) > HANDFUL:
        return _first_survivors(xyxy, confidence, class_id, rule, limit)
    order = (-confidence).argsort(kind="stable")  # (N,)
    kept = order[_survivors(xyxy[order].astype(np.float64), class_id[order], rule)]  # (K,)
    return kept if limit is None else kept[: limit.length(kept)]


def soft_nms(
    xyxy: Floats, confidence: Floats, class_id: Integers, conf: float = 0.0, limit: Limit | None = None
) -> tuple[NDArray[np.intp], Floats]:
    """Positions (K,) of the boxes that Soft-NMS keeps, and the confidence (K,) that it leaves each.

    A limit only cuts the result. A box has its turn when none of its class is left more, and then multiplies
    what the others are left by at most 1, so the turns of a class come in falling order of what is left. Let
    b be the highest confidence of the boxes not looked at. What these are left never exceeds it, so each has
    its turn after all boxes that are left more than b, and changes nothing about them. Those left more
    than b among the boxes above b are hence the first of the full result, with the same confidence. If they
    are not enough, more boxes are looked at.

    Args:
        xyxy: boxes (N, 4).
        confidence: (N,).
        class_id: (N,); a box lowers only the confidence of boxes of its own class.
        conf: boxes that are not left more confident than this go.
        limit: how many boxes are enough; None for all.
    """
    size = len(xyxy) if limit is None else max(HANDFUL, 2 * limit.count)
    while True:
        bound = _bound(confidence, size)
        some = np.flatnonzero(confidence > bound)  # (M,), at most size
        kept, left = _soften(xyxy[some], confidence[some], class_id[some], max(conf, bound))  # (K,) each
        length = limit.length(some[kept]) if limit else None
        if length or size >= len(xyxy):
            return some[kept[:length]], left[:length]
        size *= 4


def suppress(  # noqa: PLR0913 - three parallel arrays, and the options by name only
    xyxy: Floats,
    confidence: Floats,
    class_id: Integers,
    *,
    threshold: float = 0.45,
    kind: SuppressionKind = "iou",
    beta: float = 0.6,
    agnostic: bool = False,
    conf: float = 0.0,
    limit: Limit | None = None,
) -> tuple[NDArray[np.intp], Floats]:
    """`batched_nms` or `soft_nms`, depending on ``kind``: positions (K,) and confidences (K,).

    With ``agnostic``, boxes of different classes suppress each other. For the other arguments see these two.
    """
    classes = np.zeros_like(class_id) if agnostic else class_id  # (N,)
    if kind == "soft":
        return soft_nms(xyxy, confidence, classes, conf, limit)
    kept = batched_nms(xyxy, confidence, classes, Rule(threshold, kind, beta), limit)
    return kept, confidence[kept]


def overlap(a: Floats, b: Floats, kind: SuppressionKind, beta: float = 0.6) -> Floats:
    """The measure (…) of ``a`` (…, 4) and ``b`` (…, 4) that the rule compares with its threshold.

    For ``soft``, which has no threshold, that is IoU.
    """
    iou = paired_iou(a, b)  # (…)
    if kind in ("iou", "soft"):
        return iou
    exponent = GREEDY_EXPONENT if kind == "greedynms" else beta
    return iou - paired_centre_distance(a, b) ** exponent


def _first_survivors(
    xyxy: Floats, confidence: Floats, class_id: Integers, rule: Rule, limit: Limit
) -> NDArray[np.intp]:
    """The same as `batched_nms`; sorts the most confident boxes alone, and others only where they matter."""
    above = confidence > _bound(confidence, SORTED * limit.count)  # (N,)
    order = kept = np.zeros(0, np.intp)  # (M,), (K,)
    for part in (np.flatnonzero(above), np.flatnonzero(~above)):
        seen, order = len(order), np.append(order, part[np.argsort(-confidence[part], kind="stable")])
        boxes = xyxy[order].astype(np.float64)  # (M, 4)
        ranked = Limit(limit.count, limit.counted[order])
        kept = _survivors_in_turns(boxes, class_id[order], rule, ranked, kept, seen)
        if (length := ranked.length(kept)) is not None:
            return order[kept[:length]]
    return order[kept]


def _bound(confidence: Floats, count: int) -> float:
    """A confidence that at most ``count`` of the boxes are above, if possible so many; -inf if all may be."""
    return -np.inf if count >= len(confidence) else np.partition(confidence, -count - 1)[-count - 1]


def _survivors(boxes: Floats, classes: Integers, rule: Rule) -> NDArray[np.intp]:
    """Positions (K,) of the ``boxes`` (N, 4), the most confident first, that stay among their ``classes``.

    Boxes are float64, so that no product overflows. Memory grows with N, not with N².
    """
    count = len(boxes)
    if count <= FEW:
        return _among_few(boxes, classes, rule)
    near = Neighbours.of(boxes, classes, rule.threshold)
    if count <= HANDFUL or near.total <= CROWDED * count:
        hits = [pairs[:, rule.suppresses(*boxes[pairs])] for pairs in near.pairs()]  # each (2, H)
        return np.flatnonzero(_go_through(np.concatenate(hits, axis=1), count))
    parts = []
    for one in np.unique(classes):
        same = np.flatnonzero(classes == one)  # (M,)
        parts.append(same[_survivors_in_turns(boxes[same], classes[same], rule)])
    return np.sort(np.concatenate(parts))


def _among_few(boxes: Floats, classes: Integers, rule: Rule) -> NDArray[np.intp]:
    """`_survivors` of a few boxes."""
    pairs = np.array((classes[:, None] == classes).nonzero())  # (2, P)
    pairs = pairs[:, pairs[0] < pairs[1]]
    if not pairs.size:
        return np.arange(len(boxes))
    hits = pairs[:, rule.suppresses(*boxes[pairs])]  # (2, H)
    return _go_through(hits, len(boxes)).nonzero()[0]


def _survivors_in_turns(
    boxes: Floats,
    classes: Integers,
    rule: Rule,
    limit: Limit | None = None,
    kept: NDArray[np.intp] = NOTHING,
    seen: int = 0,
) -> NDArray[np.intp]:
    """The same, or at least the first of them that are enough for ``limit``.

    A few boxes go first, and then always half as many as there were: what those before them suppress is then
    out of the way. Of the first ``seen`` boxes, ``kept`` (K,) are known to stay.
    """
    while seen < len(boxes) and not (limit and limit.length(kept)):
        turn = slice(seen, seen + max(HANDFUL, seen // 2))
        free = seen + _free(boxes[kept], classes[kept], boxes[turn], classes[turn], rule)  # (F,)
        kept = np.append(kept, free[_survivors(boxes[free], classes[free], rule)])
        seen = turn.stop
    return kept


def _free(
    above: Floats, above_class: Integers, boxes: Floats, classes: Integers, rule: Rule
) -> NDArray[np.intp]:
    """Positions (F,) of those ``boxes`` (N, 4) that none of ``above`` (K, 4) suppresses."""
    free, start = np.arange(len(boxes)), 0  # (F,)
    while start < len(above):
        some = slice(start, start + max(1, PAIRS_AT_ONCE // max(1, len(free))))
        winner, loser = near_pairs(above[some], boxes[free], rule.threshold)  # (P,) each
        same = above_class[some][winner] == classes[free[loser]]  # (P,)
        winner, loser = winner[same], loser[same]
        hit = rule.suppresses(above[some][winner], boxes[free[loser]])  # (P,)
        free, start = np.delete(free, loser[hit]), some.stop
    return free


def _go_through(pairs: NDArray[np.intp], count: int) -> Bools:
    """Which (N,) of ``count`` boxes stay if in each of ``pairs`` (2, P) the first suppresses the second.

    The first always has the lower position, and suppresses only where it stays itself.
    """
    stays = bytearray(b"\1") * count
    above, below = pairs[:, pairs[0].argsort()].tolist()  # P, P
    # By rising position, so that when a box's turn comes, it is settled whether it stays.
    for winner, loser in zip(above, below, strict=True):
        if stays[winner]:
            stays[loser] = 0
    return np.frombuffer(stays, bool)


def _soften(
    xyxy: Floats, confidence: Floats, classes: Integers, conf: float
) -> tuple[NDArray[np.intp], Floats]:
    """`soft_nms` of all boxes."""
    left = confidence.copy()  # (N,)
    for one in np.unique(classes):
        waiting = np.flatnonzero(classes == one)  # (M,)
        while len(waiting):
            best = np.argmax(left[waiting])
            top, waiting = waiting[best], np.delete(waiting, best)
            iou = paired_iou(xyxy[top], xyxy[waiting])  # (M,)
            left[waiting] *= np.exp(-(iou**2) / SOFT_SIGMA)
            waiting = waiting[(left[waiting] >= MIN_SOFT_SCORE) & (left[waiting] > conf)]
    order = np.argsort(-left, kind="stable")  # (N,)
    kept = order[(left[order] >= MIN_SOFT_SCORE) & (left[order] > conf)]  # (K,)
    return kept, left[kept]
