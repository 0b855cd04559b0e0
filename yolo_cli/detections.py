"""Detections and ground truth of one image.

Boxes are xyxy in pixels of the upright original image: (0, 0) is the upper left corner of the
upper left pixel, and a box that covers a whole image is (0, 0, width, height).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import UsageError
from yolo_cli.text import did_you_mean

__all__ = ["Classes", "Detections", "GroundTruth", "class_ids"]

Classes = str | int | Iterable[str | int]
"""Classes as a user names them: a name, an id, a comma-separated list of both, or several of these."""

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Boxes that a detector found on one image.

    Attributes:
        xyxy: float, (N, 4), pixels of the upright original.
        confidence: float, (N,), in [0, 1].
        class_id: integer, (N,), an index into the detector's ``class_names``.
        wh: float, (N, 2), pixels: the widths and heights in a COCO file, which may differ from ``xyxy``
            by a rounding error; None if there is no such file.
        keypoints: float, (N, K, 3): x and y in pixels, and how probably a person would mark the point, in
            [0, 1]; None without key points.
        skeleton: pairs of key points, from 0, to draw lines between.

    Raises:
        ValueError: if the shapes or kinds of the arrays do not fit together.

    >>> found = Detections(np.float32([[0, 0, 2, 2], [1, 1, 5, 4]]), np.float32([0.9, 0.4]), np.array([7, 2]))
    >>> len(found), len(found[found.confidence > 0.5])
    (2, 1)
    """

    xyxy: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    confidence: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    class_id: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    wh: Floats | None = None
    keypoints: Floats | None = None
    skeleton: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        count = len(self.xyxy)
        _check("xyxy", self.xyxy, (count, 4), np.floating)
        _check("confidence", self.confidence, (count,), np.floating)
        _check("class_id", self.class_id, (count,), np.integer)
        if self.wh is not None:
            _check("wh", self.wh, (count, 2), np.floating)
        _check_keypoints(self.keypoints, count)

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, index: slice | Integers | Bools) -> Detections:
        """The detections at ``index``: a slice, integer positions (K,) or a mask (N,)."""
        wh = None if self.wh is None else self.wh[index]
        points = None if self.keypoints is None else self.keypoints[index]
        columns = (self.xyxy[index], self.confidence[index], self.class_id[index], wh, points)
        return Detections(*columns, self.skeleton)


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """The annotated boxes of one image.

    Attributes:
        xyxy: float, (N, 4), pixels of the upright original.
        class_id: integer, (N,), an index into the data set's ``class_names``.
        crowd: bool, (N,): COCO's ``iscrowd``, a box around a group; ignored in evaluation.
        difficult: bool, (N,): VOC's ``difficult``; ignored in evaluation.
        area: float, (N,), the area that decides small, medium or large: COCO's ``area`` (of the outline)
            where a file gives it, else the box's.
        wh: float, (N, 2), pixels: the widths and heights in a COCO file, which may differ from ``xyxy``
            by a rounding error; None if there is no such file.
        keypoints: float, (N, K, 3): x and y in pixels, and COCO's visibility: 0 not labelled, 1 hidden, 2
            visible; None without key points.

    Raises:
        ValueError: if the shapes or kinds of the arrays do not fit together.
    """

    xyxy: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    class_id: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    # Omitted arrays are filled in below, so that no reader of a GroundTruth has to check for None.
    crowd: Bools = None  # type: ignore[assignment]
    difficult: Bools = None  # type: ignore[assignment]
    area: Floats = None  # type: ignore[assignment]
    wh: Floats | None = None
    keypoints: Floats | None = None

    def __post_init__(self) -> None:
        count = len(self.xyxy)
        _check("xyxy", self.xyxy, (count, 4), np.floating)
        _check("class_id", self.class_id, (count,), np.integer)
        fill = object.__setattr__  # fills in the omitted fields of a frozen value
        given: dict[str, Any] = {name: getattr(self, name) for name in ("crowd", "difficult", "area")}
        for name in ("crowd", "difficult"):
            if given[name] is None:
                fill(self, name, np.zeros(count, bool))
        if given["area"] is None:
            wh = np.maximum(self.xyxy[:, 2:] - self.xyxy[:, :2], 0) if self.wh is None else self.wh  # (N, 2)
            fill(self, "area", np.prod(wh, axis=1))
        _check("crowd", self.crowd, (count,), np.bool_)
        _check("difficult", self.difficult, (count,), np.bool_)
        _check("area", self.area, (count,), np.floating)
        if self.wh is not None:
            _check("wh", self.wh, (count, 2), np.floating)
        _check_keypoints(self.keypoints, count)

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, index: slice | Integers | Bools) -> GroundTruth:
        """The boxes at ``index``: a slice, integer positions (K,) or a mask (N,)."""
        part = object.__new__(GroundTruth)  # parts of arrays that fit together do, too: no check
        for name in _GROUND_TRUTH:
            whole = getattr(self, name)
            object.__setattr__(part, name, None if whole is None else whole[index])
        return part

    def moved(self, xyxy: Floats, area: Floats | None = None, keypoints: Floats | None = None) -> GroundTruth:
        """The same objects with other boxes (N, 4) and key points (N, K, 3), and new areas (N,) if given."""
        area = self.area if area is None else area
        return GroundTruth(xyxy, self.class_id, self.crowd, self.difficult, area, keypoints=keypoints)


_GROUND_TRUTH = tuple(each.name for each in fields(GroundTruth))


def _check(name: str, array: Any, shape: tuple[int, ...], kind: type) -> None:
    """Raise ValueError unless ``array`` is a NumPy array of this shape and kind."""
    if not isinstance(array, np.ndarray) or array.shape != shape or not issubclass(array.dtype.type, kind):
        got = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"{name} must be {kind.__name__} of shape {shape}, not {got}")


def _check_keypoints(points: Any, count: int) -> None:
    """Raise ValueError unless ``points`` is None or (count, K, 3)."""
    if points is not None:
        _check("keypoints", points, (count, points.shape[1] if points.ndim > 1 else -1, 3), np.floating)


def class_ids(wanted: Classes, class_names: Sequence[str], owner: str = "model") -> tuple[int, ...]:
    """The ids of the named classes, in ascending order.

    Args:
        wanted: names and ids.
        class_names: by class id.
        owner: what has the classes, in messages.

    Raises:
        UsageError: if a class is unknown.

    >>> class_ids(["dog,traffic light", 0], ["cat", "dog", "traffic light"])
    (0, 1, 2)
    """
    words = map(str, [wanted] if isinstance(wanted, str | int) else wanted)
    parts = (part for word in words for part in _parts(word, class_names))
    return tuple(sorted({_class_id(part, class_names, owner) for part in parts}))


def _parts(word: str, class_names: Sequence[str]) -> list[str]:
    """The names and ids in ``word``; a name may itself contain a comma."""
    return [word] if word in class_names else [part.strip() for part in word.split(",")]


def _class_id(word: str, class_names: Sequence[str], owner: str) -> int:
    if word in class_names:
        return class_names.index(word)
    if word.isascii() and word.isdigit() and int(word) < len(class_names):
        return int(word)
    hint = did_you_mean(word, class_names, f"it has {_few(class_names)}")
    raise UsageError(f"the {owner} has no class '{word}'; {hint}")


def _few(names: Sequence[str]) -> str:
    return ", ".join(names if len(names) <= 5 else [*names[:5], "…"])
