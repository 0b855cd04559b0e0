"""Colour augmentation: hue, saturation, brightness and contrast."""

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
    """One change of colour; all zeros leave the image unchanged.

    Attributes:
        hue: shift, as a fraction of the colour circle.
        saturation: relative change of saturation.
        brightness: relative change of brightness.
        contrast: relative change of the distance from middle grey.
    """

    hue: float = 0.0
    saturation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, config: AugmentConfig) -> Colour:
        """A random change, uniform within the strengths of ``config``."""
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
        """Lookup table of hue, saturation and value: (1, 256, 3), as expected by OpenCV."""
        level = np.arange(256.0)  # (256,)
        hue = np.rint(level + 256 * self.hue) % 256  # (256,)
        saturation = level * (1 + self.saturation)  # (256,)
        value = (level * (1 + self.brightness) - 128) * (1 + self.contrast) + 128  # (256,)
        columns = np.stack([hue, np.rint(saturation), np.rint(value)], axis=1)  # (256, 3)
        table: Pixels = np.clip(columns, 0, 255).astype(np.uint8)[None]
        return table
