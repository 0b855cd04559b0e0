"""How the camera moved from one frame to the next."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.images import Image

__all__ = ["CameraMotion"]

Floats = NDArray[np.floating[Any]]

_SIDE = 320  # pixels of the longer side that motion is measured on
_POINTS = 400
_FEWEST = 12  # points that must agree


class CameraMotion:
    """Measures the motion of the background by sparse optical flow, as BoT-SORT does.

    Corners of the frame before are followed by pyramidal Lucas-Kanade; the rotation, scale and shift that
    most of them agree in (RANSAC) is the camera's.
    """

    def __init__(self) -> None:
        self._before: Any = None

    def update(self, image: Image) -> Floats | None:
        """How points moved since the frame before: an affine matrix (2, 3), or None if it cannot be told."""
        scale = min(1.0, _SIDE / max(image.height, image.width))
        size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
        grey = cv2.cvtColor(cv2.resize(image.rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        before, self._before = self._before, grey
        if before is None or before.shape != grey.shape:
            return None
        moved = _moved(before, grey)
        if moved is not None:
            moved[:, 2] /= scale
        return moved


def _moved(before: Any, after: Any) -> Floats | None:
    """The affine matrix (2, 3) between two grey images of one size."""
    corners = cv2.goodFeaturesToTrack(before, _POINTS, 0.01, 5)  # (N, 1, 2)
    if corners is None:
        return None
    points, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None)  # (N, 1, 2), (N, 1)
    good = found.ravel() == 1  # (N,)
    if good.sum() < _FEWEST:
        return None
    affine, agree = cv2.estimateAffinePartial2D(corners[good], points[good], method=cv2.RANSAC)
    enough = affine is not None and agree.sum() >= max(_FEWEST, good.sum() / 4)
    return np.asarray(affine, float) if enough else None
