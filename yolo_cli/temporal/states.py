"""What an object does, by a 3-D convolution over crops that follow it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.temporal.clips import MARGIN, SIDE, STATES
from yolo_cli.temporal.opening import NetworkOverTime, open_network

__all__ = ["CLIP_STATES", "ClipStates", "crop_around"]

Pixels = NDArray[np.uint8]

CLIP_STATES = "clip-states"


@dataclass(frozen=True, slots=True)
class ClipStates:
    """A 3-D convolution over clips, in ONNX Runtime.

    Attributes:
        network: the network.
    """

    network: NetworkOverTime

    @classmethod
    def load(cls, weights: str | os.PathLike[str] = CLIP_STATES) -> ClipStates:
        """Load a network.

        Raises:
            DataError: if there is no such model, or it is of another kind.
        """
        return cls(open_network(weights, CLIP_STATES))

    def logits(self, clips: Pixels) -> NDArray[np.floating[Any]]:
        """A logit for each of `STATES` (N, 3) of ``clips`` (N, 8, 32, 32, 3).

        The mean over each clip, its mirror image, and both played backwards: none of these changes the state.
        """
        forms = clips, clips[:, :, :, ::-1], clips[:, ::-1], clips[:, ::-1, :, ::-1]
        logits = [
            self.network.run(np.ascontiguousarray(form), (len(clips), len(STATES)))[0] for form in forms
        ]
        return np.asarray(np.mean(logits, axis=0))


def crop_around(rgb: Pixels, box: NDArray[np.floating[Any]]) -> Pixels:
    """A square of an image around a box, with some background, resized: (32, 32, 3).

    Its side is 1.5 times the box's longer side; what is beyond the image repeats its edge.
    """
    middle = (box[:2] + box[2:]) / 2
    side = max(MARGIN * float(max(box[2:] - box[:2])), 1.0)
    # Drawn at twice the size, so that each pixel is a mean and thin things do not flicker.
    zoom = 2 * SIDE / side
    moved = np.array([[zoom, 0.0, SIDE - zoom * middle[0]], [0.0, zoom, SIDE - zoom * middle[1]]])
    large = cv2.warpAffine(rgb, moved, (2 * SIDE, 2 * SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
