"""The input of an evaluation: detections and ground truth of every image, gathered one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.keypoints import end_to_end

__all__ = ["EvaluationSet", "Evaluator"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

_FARTHEST = 1e9  # pixels; areas of larger boxes could overflow


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationSet:
    """Detections and ground truth of P images, concatenated.

    Attributes:
        class_names: K names, indexed by ``class_id`` of detections and ground truth.
        images: P names. Of equally confident detections, those of an earlier image come first.
        found: D detections, float64.
        found_image: (D,), ascending: the index in ``images`` of each detection.
        ground_truth: T ground-truth boxes, float64.
        gt_image: (T,), ascending: the index in ``images`` of each ground truth.
        sigmas: of key points to evaluate by OKS, (K,); () evaluates boxes only.
    """

    class_names: tuple[str, ...]
    images: tuple[str, ...]
    found: Detections
    found_image: Integers
    ground_truth: GroundTruth
    gt_image: Integers
    sigmas: tuple[float, ...] = ()

    @property
    def has_keypoints(self) -> bool:
        """Whether there are key points to evaluate."""
        points = (self.found.keypoints, self.ground_truth.keypoints)
        return bool(self.sigmas) and all(each is not None for each in points)

    def above(self, confidence: float) -> EvaluationSet:
        """The same set with only the detections of at least ``confidence``."""
        keep = self.found.confidence >= confidence  # (D,)
        return replace(self, found=self.found[keep], found_image=self.found_image[keep])

    @property
    def crowd(self) -> Bools:
        """(T,): ground-truth boxes that are a box around a group."""
        assert self.ground_truth.crowd is not None  # filled in by GroundTruth
        return self.ground_truth.crowd

    @property
    def ignored(self) -> Bools:
        """(T,): ground-truth boxes that are ignored at any size: crowds and difficult ones."""
        assert self.ground_truth.difficult is not None  # filled in by GroundTruth
        return self.crowd | self.ground_truth.difficult

    @property
    def found_wh(self) -> Floats:
        """(D, 2): width and height of each detection in pixels."""
        return _wh(self.found)

    @property
    def gt_wh(self) -> Floats:
        """(T, 2): width and height of each ground truth in pixels."""
        return _wh(self.ground_truth)

    @property
    def gt_area(self) -> Floats:
        """(T,): the areas in square pixels that decide the size of each ground truth."""
        assert self.ground_truth.area is not None  # filled in by GroundTruth
        return self.ground_truth.area


class Evaluator:
    """Gathers detections and ground truth image by image; pixels are not kept.

    Args:
        class_names: by class id.
        sigmas: of key points to evaluate, (K,); () evaluates boxes only.

    >>> evaluator = Evaluator(("cat", "dog"))
    >>> evaluator.add("a.jpg", Detections(), GroundTruth(np.float32([[0, 0, 9, 9]]), np.array([1])))
    >>> len(evaluator), len(evaluator.gathered().ground_truth)
    (1, 1)
    """

    def __init__(self, class_names: Sequence[str], sigmas: Sequence[float] = ()) -> None:
        self._class_names, self._sigmas = tuple(class_names), tuple(sigmas)
        self._images: dict[str, tuple[Detections, GroundTruth]] = {}
        self._rank: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._images)

    def add(self, image: str, found: Detections, ground_truth: GroundTruth, rank: int | None = None) -> None:
        """Add one image.

        Args:
            image: its unique name.
            found: its detections; not changed, and kept as long as this object.
            ground_truth: the annotated objects.
            rank: its position among images for equally confident detections; COCO uses the image id. Give it
                for all images or none; without it, names are sorted.

        Raises:
            DataError: if the name occurred before, a box has a negative side or edges that are not finite or
                beyond any image, a confidence is outside [0, 1], or a class id is out of range.
        """
        if image in self._images:
            raise DataError(f"{image}: this image occurs twice; each may be evaluated once")
        _check(image, "detection", found.xyxy, found.class_id, len(self._class_names))
        _check(image, "ground truth", ground_truth.xyxy, ground_truth.class_id, len(self._class_names))
        _check_confidence(image, found)
        for boxes in (found, ground_truth):
            _check_keypoints(image, boxes.keypoints, len(self._sigmas))
        self._images[image] = (found, ground_truth)
        if rank is not None:
            self._rank[image] = rank

    def gathered(self) -> EvaluationSet:
        """All images so far, in order of rank or name.

        Raises:
            DataError: if there are none.
            ValueError: if only some images have a rank.
        """
        if not self._images:
            raise DataError("there is no image to evaluate")
        if self._rank and len(self._rank) != len(self._images):
            raise ValueError("give a rank for every image or for none")
        names = sorted(self._images, key=lambda name: (self._rank.get(name, 0), name))
        found, ground_truth = zip(*(self._images[name] for name in names), strict=True)
        return EvaluationSet(
            self._class_names,
            tuple(names),
            _joined(found),
            _places(found),
            _joined_gt(ground_truth),
            _places(ground_truth),
            self._sigmas,
        )


def _check(image: str, kind: str, boxes: Floats, class_id: Integers, classes: int) -> None:
    """Raise DataError unless boxes (N, 4) are in range and order, and class ids (N,) below ``classes``."""
    if not len(boxes):
        return
    fine = (boxes[:, 2:] >= boxes[:, :2]).all(axis=1) & (np.abs(boxes) <= _FARTHEST).all(axis=1)  # (N,)
    if not fine.all():
        at = int(fine.argmin())
        edges = ", ".join(f"{edge:g}" for edge in boxes[at])
        raise DataError(
            f"{image}: {kind} {at + 1} is not a box: its edges are {edges} (left, upper, right, lower)"
        )
    if class_id.min() < 0 or class_id.max() >= classes:
        at = int(((class_id < 0) | (class_id >= classes)).argmax())
        raise DataError(f"{image}: {kind} {at + 1} has class id {class_id[at]}; there are {classes} classes")


def _check_confidence(image: str, found: Detections) -> None:
    """Raise DataError unless every confidence is in [0, 1]."""
    fine = (found.confidence >= 0) & (found.confidence <= 1)  # (N,); NaN is refused
    if not fine.all():
        at = int(fine.argmin())
        raise DataError(
            f"{image}: detection {at + 1} has confidence {found.confidence[at]}, but must be between 0 and 1"
        )


def _check_keypoints(image: str, points: Floats | None, count: int) -> None:
    """Raise DataError if key points (N, K, 3) are evaluated, and there are not ``count`` of them."""
    if points is not None and count and points.shape[1] != count:
        raise DataError(f"{image}: has {points.shape[1]} key points an object, but the data has {count}")


def _places(parts: Sequence[Detections] | Sequence[GroundTruth]) -> Integers:
    """(N,): the index of the part of each row of the concatenated parts."""
    return np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])


def _joined(parts: Sequence[Detections]) -> Detections:
    """Concatenated detections, in float64."""
    return Detections(
        _end_to_end([part.xyxy for part in parts], np.float64),
        _end_to_end([part.confidence for part in parts], np.float64),
        _end_to_end([part.class_id for part in parts], np.int32),
        _end_to_end([_wh(part) for part in parts], np.float64),
        _keypoints(parts),
        next((part.skeleton for part in parts if part.skeleton), ()),
    )


def _keypoints(parts: Sequence[Detections] | Sequence[GroundTruth]) -> Floats | None:
    """Concatenated key points (N, K, 3) in float64, or None."""
    points = end_to_end([part.keypoints for part in parts], [*map(len, parts)])
    return None if points is None else points.astype(np.float64)


def _joined_gt(parts: Sequence[GroundTruth]) -> GroundTruth:
    """Concatenated ground-truth boxes, in float64."""
    return GroundTruth(
        _end_to_end([part.xyxy for part in parts], np.float64),
        _end_to_end([part.class_id for part in parts], np.int32),
        _end_to_end([part.crowd for part in parts], np.bool_),
        _end_to_end([part.difficult for part in parts], np.bool_),
        _end_to_end([part.area for part in parts], np.float64),
        _end_to_end([_wh(part) for part in parts], np.float64),
        _keypoints(parts),
    )


def _wh(boxes: Detections | GroundTruth) -> Floats:
    """Width and height (N, 2) in float64: those of the file, else of the edges."""
    if boxes.wh is not None:
        return boxes.wh
    xyxy = boxes.xyxy.astype(np.float64, copy=False)
    return np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)


def _end_to_end(arrays: Sequence[Any], kind: type[np.generic]) -> NDArray[Any]:
    """Arrays (Nᵢ, …) → one (ΣNᵢ, …) of the given kind."""
    return np.concatenate(arrays, dtype=kind, casting="same_kind")
