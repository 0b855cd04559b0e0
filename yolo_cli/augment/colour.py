"""Colours that another light or camera might have given an image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import AugmentConfig

__all__ = ["Colour"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Colour:
    """One change of colour; 0 everywhere changes nothing.

    Attributes:
        hue: turn, as a fraction of the colour circle.
        saturation: how much stronger colours get, as a fraction of what they are.
        brightness: how much lighter the image gets, likewise.
        contrast: how much further from the middle grey light and dark get, likewise.
    """

    hue: float = 0.0
    saturation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, config: AugmentConfig) -> Colour:
        """A change within the strengths that ``config`` gives, evenly distributed."""
        strengths = (config.hue, config.saturation, config.brightness, config.contrast)
        return cls(*(np.array(strengths) * rng.uniform(-1, 1, 4)).tolist())

    def apply(self, rgb: Pixels) -> Pixels:
        """The image (height, width, 3) in its new colours; ``rgb`` itself if nothing changes."""
        if self == Colour():
            return rgb
        # FULL: hue from 0 to 255, not from 0 to 179, so that it is rounded less and wraps with the byte.
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL)  # (height, width, 3)
        recoloured: Pixels = cv2.cvtColor(cv2.LUT(hsv, self._table()), cv2.COLOR_HSV2RGB_FULL)
        return recoloured

    def _table(self) -> Pixels:
        """What each value of hue, saturation and value becomes: (1, 256, 3), as OpenCV wants it."""
        level = np.arange(256.0)  # (256,)
        hue = np.rint(level + 256 * self.hue) % 256  # (256,)
        saturation = level * (1 + self.saturation)  # (256,)
        value = (level * (1 + self.brightness) - 128) * (1 + self.contrast) + 128  # (256,)
        columns = np.stack([hue, np.rint(saturation), np.rint(value)], axis=1)  # (256, 3)
        table: Pixels = np.clip(columns, 0, 255).astype(np.uint8)[None]
        return table
