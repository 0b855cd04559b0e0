"""Images for the page: ground truth, detections and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.evaluation import EvaluationSet, Kind
from yolo_cli.images import Image
from yolo_cli.report.analysis import Analysis
from yolo_cli.report.html import jpeg_url, shrunk
from yolo_cli.skeletons import VISIBLE

__all__ = ["Box", "ReadImage", "Shot", "kind_shots", "whole_shots"]

ReadImage = Callable[[str], Image]
Pixels = NDArray[np.uint8]
Corners = tuple[float, float, float, float]

_CROPS_OF_A_KIND = 6
_CROP_SIDE = 200  # pixels
_WHOLE = 12
_WHOLE_SIDE = 448  # pixels
_FAINTEST = 0.05  # boxes per image in the gallery, of which the threshold shows some
_MOST_BOXES = 60
_NEVER = 2.0  # above every confidence
_MARGIN = 0.35  # margin around a crop, as a fraction of the box's longer side


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on an image.

    Attributes:
        corners: x, y, width, height in pixels of the shot.
        role: "ground_truth", "right", "wrong", or "ignored".
        label: its class.
        confidence: of the detection; for a ground truth, of its matched detection, or 2 without one.
        path: its visible key points and the lines between them, as a path of SVG.
    """

    corners: Corners
    role: str
    label: str
    confidence: float
    path: str = ""


@dataclass(frozen=True, slots=True)
class Shot:
    """An image, or a part of one, with boxes.

    Attributes:
        name: the image's name.
        href: the pixels, as a data URL.
        width, height: in pixels.
        boxes: the boxes on it.
        caption: description of the error.
    """

    name: str
    href: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    caption: str


def kind_shots(analysis: Analysis, kind: Kind, read: ReadImage) -> list[Shot]:
    """Crops of the worst errors of a type (most confident, or largest), one per image."""
    gathered = analysis.gathered
    places = analysis.at_point.of(kind)  # (N,)
    if kind == "missed":
        image = gathered.gt_image[places]  # (N,)
        badness: NDArray[Any] = gathered.gt_area[places]  # (N,)
    else:
        image, badness = gathered.found_image[places], gathered.found.confidence[places]
    order = np.argsort(-badness, kind="stable")  # (N,)
    first = order[np.sort(np.unique(image[order], return_index=True)[1])]  # the worst of each image
    shots = (_crop(analysis, gathered, kind, int(places[at]), read) for at in first)
    return list(islice(_present(shots), _CROPS_OF_A_KIND))


def _present(shots: Iterator[Shot | None]) -> Iterator[Shot]:
    """The shots whose image could be read."""
    return (shot for shot in shots if shot is not None)


def _crop(
    analysis: Analysis, gathered: EvaluationSet, kind: Kind, place: int, read: ReadImage
) -> Shot | None:
    """A crop around one error: a detection, or a missed ground truth."""
    names = gathered.class_names
    boxes: list[tuple[NDArray[Any], str, str, float]] = []
    if kind == "missed":
        ground_truth, at_image = place, int(gathered.gt_image[place])
        caption = f"{names[gathered.ground_truth.class_id[place]]}, missed"
    else:
        at = int(np.flatnonzero(analysis.at_point.found == place)[0])
        ground_truth, at_image = int(analysis.at_point.ground_truth[at]), int(gathered.found_image[place])
        label, confidence = names[gathered.found.class_id[place]], float(gathered.found.confidence[place])
        boxes.append((gathered.found.xyxy[place], "wrong", label, confidence))
        caption = _mistake(gathered, place, ground_truth)
    if ground_truth >= 0:
        label = names[gathered.ground_truth.class_id[ground_truth]]
        boxes.insert(0, (gathered.ground_truth.xyxy[ground_truth], "ground_truth", label, _NEVER))
    image = _read(gathered.images[at_image], read)
    return None if image is None else _cut(image, boxes, caption)


def _mistake(gathered: EvaluationSet, found: int, ground_truth: int) -> str:
    """The description of a wrong detection."""
    label = gathered.class_names[gathered.found.class_id[found]]
    said = f"{label} {gathered.found.confidence[found]:.2f}"
    if ground_truth < 0:
        return f"{said}; no object"
    overlap = box_iou(gathered.found.xyxy[[found]], gathered.ground_truth.xyxy[[ground_truth]])[0, 0]
    wanted = gathered.class_names[gathered.ground_truth.class_id[ground_truth]]
    return f"{said}; ground truth {wanted}, IoU {overlap:.2f}"


def _cut(image: Image, boxes: Sequence[tuple[NDArray[Any], str, str, float]], caption: str) -> Shot:
    """The part of an image around the boxes, with a margin."""
    corners = np.array([box for box, *_ in boxes])  # (B, 4)
    low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)  # (2,), (2,)
    margin = max(float((high - low).max()) * _MARGIN, 12.0)
    size = np.array([image.width, image.height])  # (2,)
    start = np.clip(np.floor(low - margin), 0, size - 1).astype(int)  # (2,)
    stop = np.clip(np.ceil(high + margin), start + 1, size).astype(int)  # (2,)
    part = image.rgb[start[1] : stop[1], start[0] : stop[0]]  # (h, w, 3)
    small, scale = shrunk(part, _CROP_SIDE)
    drawn = tuple(Box(_placed(box, start, scale), role, label, c) for box, role, label, c in boxes)
    return Shot(image.name, jpeg_url(small), small.shape[1], small.shape[0], drawn, caption)


def whole_shots(analysis: Analysis, read: ReadImage) -> list[Shot]:
    """Images with their boxes, those with the worst errors at the operating point first.

    If too few have errors, others follow, so that the page always has images.
    """
    scene = _Scene.of(analysis)
    order = np.argsort(-_badness(analysis), kind="stable").tolist()
    shots = (_whole(scene, place, read) for place in order)
    return list(islice(_present(shots), _WHOLE))


def _badness(analysis: Analysis) -> NDArray[Any]:
    """(P,): per image, the sum of the confidences of wrong detections, plus 1 for each missed object."""
    gathered, count = analysis.gathered, len(analysis.gathered.images)
    wrong, missed = analysis.at_point.found, analysis.at_point.missed  # (E,), (F,)
    false = np.bincount(gathered.found_image[wrong], gathered.found.confidence[wrong], minlength=count)
    blind = np.bincount(gathered.gt_image[missed], minlength=count)
    total: NDArray[Any] = false + blind
    return total


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """The matching of every box.

    Attributes:
        gathered: the boxes.
        role: (D,), "right", "wrong" or "ignored" for each detection.
        found_at: (T,), the confidence of the detection matched to each ground truth, or 2.
    """

    gathered: EvaluationSet
    role: NDArray[np.str_]
    found_at: NDArray[np.float64]

    @classmethod
    def of(cls, analysis: Analysis) -> _Scene:
        gathered, ranking = analysis.gathered, analysis.matches.ranking
        made = analysis.matches.assignment(analysis.report.protocol.iou)
        role = np.full(len(gathered.found), "ignored")  # (D,); also beyond the limit of the protocol
        role[ranking.order] = np.where(made.hit, "right", np.where(made.ignored, "ignored", "wrong"))
        found_at = np.full(len(gathered.ground_truth), _NEVER)  # (T,)
        found_at[made.ground_truth[made.hit]] = ranking.confidence[made.hit]
        return cls(gathered, role, found_at)


def _whole(scene: _Scene, place: int, read: ReadImage) -> Shot | None:
    """A whole image with its detections and its ground truth."""
    gathered = scene.gathered
    image = _read(gathered.images[place], read)
    if image is None:
        return None
    small, scale = shrunk(image.rgb, _WHOLE_SIDE)
    drawn = (*_ground_truths(scene, place, scale), *_detections(scene, place, scale))
    return Shot(image.name, jpeg_url(small), small.shape[1], small.shape[0], drawn, "")


def _ground_truths(scene: _Scene, place: int, scale: float) -> Iterator[Box]:
    """The ground truth of an image, which is drawn at a scale."""
    gathered, ground_truth = scene.gathered, scene.gathered.ground_truth
    for t in np.flatnonzero(gathered.gt_image == place).tolist():
        role = "ignored" if gathered.ignored[t] else "ground_truth"
        label = _label(gathered, ground_truth, t)
        corners = _placed(ground_truth.xyxy[t], np.zeros(2), scale)
        yield Box(corners, role, label, float(scene.found_at[t]), _path(gathered, ground_truth, t, scale))


def _detections(scene: _Scene, place: int, scale: float) -> Iterator[Box]:
    """The detections of an image, which is drawn at a scale, in rising order of confidence."""
    gathered, found = scene.gathered, scene.gathered.found
    own = np.flatnonzero((gathered.found_image == place) & (found.confidence >= _FAINTEST))
    for d in own[np.argsort(found.confidence[own])][-_MOST_BOXES:].tolist():
        role, label = str(scene.role[d]), _label(gathered, found, d)
        corners = _placed(found.xyxy[d], np.zeros(2), scale)
        yield Box(corners, role, label, float(found.confidence[d]), _path(gathered, found, d, scale))


def _label(gathered: EvaluationSet, boxes: Detections | GroundTruth, at: int) -> str:
    return gathered.class_names[int(boxes.class_id[at])]


def _path(gathered: EvaluationSet, boxes: Detections | GroundTruth, at: int, scale: float) -> str:
    """The visible key points of one object as dots, and the lines between them."""
    if boxes.keypoints is None:
        return ""
    points = boxes.keypoints[at]  # (K, 3)
    seen = points[:, 2] >= VISIBLE  # (K,)
    places = [f"{x:.1f} {y:.1f}" for x, y in (points[:, :2] * scale).tolist()]
    dots = [f"M{place}h0" for place, shown in zip(places, seen, strict=True) if shown]
    lines = [f"M{places[a]}L{places[b]}" for a, b in gathered.found.skeleton if seen[a] and seen[b]]
    return "".join(dots + lines)


def _read(name: str, read: ReadImage) -> Image | None:
    """An image, or None if it cannot be read; the page then leaves it out."""
    try:
        return read(name)
    except DataError:
        return None


def _placed(xyxy: NDArray[Any], start: NDArray[Any], scale: float) -> Corners:
    """x, y, width, height of a box in a crop whose corner is ``start``."""
    low, high = (xyxy[:2] - start) * scale, (xyxy[2:] - start) * scale  # (2,), (2,)
    x, y, width, height = (round(float(value), 1) for value in (*low, *(high - low)))
    return x, y, width, height
