"""Merge what was found on overlapping tiles into the detections of the image.

A box that ends at an edge inside the image may show part of an object only. So

1. boxes that two edges cut, and that continue each other, are joined into one;
2. boxes that no edge cuts suppress each other by IoU, as within one image;
3. boxes that are cut go last, and only stay where no better one covers half of the smaller of the two
   (intersection over the smaller, as in Akyon et al., ICIP 2022).

Nothing depends on the order of the tiles or of their boxes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_area, intersection
from yolo_cli.suppression import Limit, suppress

__all__ = ["Pieces", "merge"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

COVERED = 0.5  # intersection over the smaller from which a cut box is the same object
AGREE = 0.5  # overlap over union of two pieces along the edge that cuts them
NEAR = 0.02  # of a tile's side: a box that ends so near an edge is cut by it
ROWS = 500  # boxes that are compared with others at a time
MOST_CUT = 2000  # the most confident of the cut boxes are looked at, so that time and memory are bounded


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Boxes that were found on the tiles of one image.

    Attributes:
        xyxy: (N, 4), in pixels of the image.
        confidence: (N,).
        class_id: (N,).
        tile: (N,), the number of the tile.
        cut: (N, 4), whether the tile cuts it at the left, top, right and bottom.
        keypoints: (N, K, 3), as in `Detections`; K is 0 without.
    """

    xyxy: Floats
    confidence: Floats
    class_id: Integers
    tile: Integers
    cut: Bools
    keypoints: Floats

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, index: Integers | Bools) -> Pieces:
        """The pieces at ``index``: integer positions (K,) or a mask (N,)."""
        return Pieces(*(getattr(self, name)[index] for name in self.__slots__))

    @classmethod
    def joined(cls, parts: list[Pieces]) -> Pieces:
        """All pieces of ``parts``, of which there is at least one."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


def cut_sides(xyxy: Floats, window: tuple[int, int, int, int], size: tuple[int, int]) -> Bools:
    """Where (N, 4) a tile cuts ``xyxy`` (N, 4): its edge is near, and the image goes on.

    Args:
        xyxy: in pixels of the image.
        window: the tile's edges.
        size: height and width of the image.
    """
    x1, y1, x2, y2 = window
    near = np.array([x2 - x1, y2 - y1] * 2) * NEAR  # (4,)
    inside = np.array([x1 > 0, y1 > 0, x2 < size[1], y2 < size[0]])  # (4,)
    return np.asarray((np.abs(xyxy - np.array(window)) <= near) & inside)


def merge(pieces: Pieces, iou: float, max_det: int, agnostic: bool = False) -> tuple[Pieces, Integers]:
    """The detections of an image from the boxes on its tiles.

    Args:
        pieces: N boxes.
        iou: IoU threshold above which one of two boxes goes.
        max_det: maximum number of detections.
        agnostic: boxes of different classes suppress each other, too.

    Returns:
        The pieces in the order of confidence, and those that were joined after them; and the positions (K,)
        of those that stay, the most confident first.
    """
    ranked = pieces[_rank(pieces)]
    ranked = Pieces.joined([ranked, _continued(ranked[_most_confident_cut(ranked)])])
    classes = np.zeros_like(ranked.class_id) if agnostic else ranked.class_id  # (N,)
    cut = ranked.cut.any(axis=1)  # (N,)
    whole = np.flatnonzero(~cut)  # (W,)
    limit = Limit(max_det, np.ones(len(whole), bool))
    kept, _ = suppress(
        ranked.xyxy[whole], ranked.confidence[whole], classes[whole], threshold=iou, limit=limit
    )
    boxes = ranked.xyxy.astype(np.float64)  # (N, 4)
    stays = _with_uncovered(boxes, classes, whole[kept], _most_confident_cut(ranked), iou)
    order = np.lexsort([stays, -ranked.confidence[stays]])  # (K,)
    return ranked, stays[order][:max_det]


def _rank(pieces: Pieces) -> Integers:
    """The order (N,) of the pieces by confidence, and of equal ones by their boxes."""
    return np.lexsort([*pieces.cut.T, pieces.class_id, *pieces.xyxy.T[::-1], -pieces.confidence])


def _most_confident_cut(ranked: Pieces) -> Integers:
    """Positions (M,) of the most confident pieces that are cut, in the order of confidence."""
    cut = np.flatnonzero(ranked.cut.any(axis=1))  # (M,)
    return cut[np.argsort(-ranked.confidence[cut], kind="stable")][:MOST_CUT]


def _with_uncovered(xyxy: Floats, classes: Integers, whole: Integers, cut: Integers, iou: float) -> Integers:
    """``whole`` (W,) and those of ``cut`` (M,), in their order, that nothing before them covers."""
    stays = [whole]
    for one in np.unique(classes[cut]):
        rest, above = cut[classes[cut] == one], whole[classes[whole] == one]  # (R,), (A,)
        for start in range(0, len(above), ROWS):
            covers = _covers(xyxy[above[start : start + ROWS]], xyxy[rest], iou)  # (≤ ROWS, R)
            rest = rest[~covers.any(axis=0)]
        while len(rest):
            first, rest = rest[:1], rest[1:]
            stays.append(first)
            rest = rest[~_covers(xyxy[first], xyxy[rest], iou)[0]]
    return np.concatenate(stays)


def _covers(a: Floats, b: Floats, iou: float) -> Bools:
    """Which (A, B) of ``a`` (A, 4) show the same object as which of ``b`` (B, 4), of which one is cut."""
    common, areas, others = intersection(a, b), box_area(a)[:, None], box_area(b)  # (A, B), (A, 1), (B,)
    much = common > COVERED * np.minimum(areas, others)  # (A, B)
    return np.asarray(much | (common > iou * (areas + others - common)))


def _continued(cut: Pieces) -> Pieces:
    """The box around each group of ``cut`` pieces (M,) that adjoin, with the lowest of their confidences."""
    groups = _groups(_horizontal(cut) | _horizontal(_turned(cut)))
    return Pieces.joined([cut[np.arange(0)], *(_around(cut[group]) for group in groups)])


def _horizontal(cut: Pieces) -> Bools:
    """Which (M, M) pieces are continued on their right by which others.

    Two tiles overlap, and an object that is larger than that fills the overlap in both.
    """
    left, top, right, bottom = cut.xyxy.astype(np.float64).T  # (M,) each
    goes_on = cut.cut[:, 2, None] & cut.cut[:, 0] & (cut.class_id[:, None] == cut.class_id)  # (M, M)
    goes_on &= (left[:, None] < left) & (left < right[:, None]) & (right[:, None] < right)
    common = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)  # (M, M)
    either = np.maximum(bottom[:, None], bottom) - np.minimum(top[:, None], top)  # (M, M)
    return np.asarray(goes_on & (common >= AGREE * either))


def _turned(pieces: Pieces) -> Pieces:
    """The same with x and y exchanged."""
    return replace(pieces, xyxy=pieces.xyxy[:, [1, 0, 3, 2]], cut=pieces.cut[:, [1, 0, 3, 2]])


def _groups(linked: Bools) -> list[Integers]:
    """The positions of the pieces in each group of two or more that ``linked`` (M, M) connects."""
    group = np.arange(len(linked))  # (M,), the first of its group
    one, other = np.nonzero(linked)  # (L,) each
    while not np.array_equal(group[one], group[other]):
        lowest = np.minimum(group[one], group[other])  # (L,)
        np.minimum.at(group, one, lowest)
        np.minimum.at(group, other, lowest)
    return [np.flatnonzero(group == first) for first in np.unique(group[one])]


def _around(group: Pieces) -> Pieces:
    """The box around a group, as one piece (1,); it is cut where the outermost of the group are."""
    low, high = group.xyxy[:, :2], group.xyxy[:, 2:]  # (G, 2) each
    outermost = np.concatenate([low.argmin(axis=0), high.argmax(axis=0)])  # (4,)
    box = group.xyxy[outermost, np.arange(4)]  # (4,)
    cut = group.cut[outermost, np.arange(4)]  # (4,)
    lowest = np.atleast_1d(group.confidence.argmin())  # (1,)
    places = np.arange(group.keypoints.shape[1])  # (K,)
    points = group.keypoints[group.keypoints[..., 2].argmax(axis=0), places]  # (K, 3), each the most visible
    return replace(group[lowest], xyxy=box[None], cut=cut[None], keypoints=points[None])
