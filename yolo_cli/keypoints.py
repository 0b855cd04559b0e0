"""What the key points of a data set or model are: their names, skeleton, mirror images and sigmas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import UsageError
from yolo_cli.text import counted

__all__ = ["DEFAULT_SIGMA", "KeyPoints", "end_to_end", "flip_by_names", "with_sigmas"]

DEFAULT_SIGMA = 0.05
"""The sigma of a point where nobody measured how far annotators place it apart."""

SMALLEST, LARGEST = 1e-6, 1e3
"""Bounds of a sigma."""

_PERSON = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee",
    "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
# Measured by COCO's authors on images that were annotated twice.
_PERSON_SIGMAS = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087,
    0.089, 0.089,
)  # fmt: skip

_SIDE = re.compile(r"(?i)(?<![a-z])(left|right|l|r)(?![a-z])")
_OTHER = {"left": "right", "right": "left", "l": "r", "r": "l"}


@dataclass(frozen=True, slots=True)
class KeyPoints:
    """The K key points that each object may have.

    Attributes:
        names: the name of each, (K,).
        skeleton: pairs of points, from 0, to draw lines between.
        flip_idx: the point that each becomes in a mirrored image, (K,); () if nobody knows.
        sigmas: how far apart people place each one, (K,), as a fraction of the root of the object's area: the
            tolerance of OKS. By default COCO's for a person's points, else ``DEFAULT_SIGMA``.
    """

    names: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...] = ()
    flip_idx: tuple[int, ...] = ()
    sigmas: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.sigmas:
            object.__setattr__(self, "sigmas", _default_sigmas(self.names))

    def __len__(self) -> int:
        return len(self.names)

    def same_as(self, other: KeyPoints) -> bool:
        """Whether they are the same points: as many, with the same names if both have names."""
        nameless = tuple(map(str, range(len(self))))
        return len(self) == len(other) and (
            self.names == other.names or nameless in (self.names, other.names)
        )


def _default_sigmas(names: Sequence[str]) -> tuple[float, ...]:
    """COCO's sigmas of a person's 17 points, else ``DEFAULT_SIGMA`` for each."""
    return _PERSON_SIGMAS if tuple(names) == _PERSON else (DEFAULT_SIGMA,) * len(names)


def with_sigmas(points: KeyPoints | None, sigmas: Sequence[float] | None) -> KeyPoints | None:
    """The same key points with other sigmas: one for all, or one for each; None keeps them.

    Raises:
        UsageError: if there is another number of them, no key points, or a sigma is out of bounds.
    """
    if sigmas is None:
        return points
    if points is None:
        raise UsageError("--sigmas: there are no key points; leave it out")
    if any(not SMALLEST <= sigma <= LARGEST for sigma in sigmas):  # NaN is neither
        raise UsageError(f"--sigmas: each must be from {SMALLEST:g} to {LARGEST:g}")
    given = tuple(sigmas) * (len(points) if len(sigmas) == 1 else 1)
    if len(given) != len(points):
        raise UsageError(
            f"--sigmas: {counted(len(given), 'number')} for {counted(len(points), 'key point')}; "
            "give one for all, or one for each"
        )
    return replace(points, sigmas=given)


def flip_by_names(names: Sequence[str]) -> tuple[int, ...]:
    """The point that each becomes in a mirrored image, by "left" and "right" (or l and r) in their names.

    () if no name has a side, or one has and its partner is missing.

    >>> flip_by_names(["nose", "left_eye", "right_eye"])
    (0, 2, 1)
    >>> flip_by_names(["nose", "left_eye"]), flip_by_names(["0", "1"])
    ((), ())
    """
    mirrored = [_SIDE.sub(lambda side: _OTHER[side[0].lower()], name).lower() for name in names]
    lower = [name.lower() for name in names]
    if mirrored == lower or sorted(mirrored) != sorted(lower) or len(set(lower)) < len(lower):
        return ()
    return tuple(lower.index(name) for name in mirrored)


def end_to_end(parts: Sequence[Any], count: Sequence[int]) -> NDArray[np.floating[Any]] | None:
    """The key points of several images, (Nᵢ, K, 3) or None each, as one (ΣNᵢ, K, 3); None if all are.

    Objects of an image without any have points that are not labelled: zeros.

    Args:
        parts: of each image.
        count: number of objects of each image.
    """
    known = next((part for part in parts if part is not None), None)
    if known is None:
        return None
    filled = [
        np.zeros((number, *known.shape[1:]), known.dtype) if part is None else part
        for part, number in zip(parts, count, strict=True)
    ]
    return np.concatenate(filled)
