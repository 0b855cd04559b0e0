"""A stylised image with its costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.explanation import Plotted
from yolo_cli.images import Image
from yolo_cli.styling.transfer import Costs, StyleConfig, Watch, transfer

__all__ = ["Stylised", "stylise"]

Pixels = NDArray[np.uint8]
_SHORTEST = 32  # pixels of a side: two cells of the coarsest map


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stylised(Plotted):
    """An image in the style of another one.

    Attributes:
        image: the image, whose content stays.
        style: the image whose style was taken.
        rgb: the result, uint8, (height, width, 3), in the image's proportions.
        costs: before each step.
    """

    image: Image
    style: Image
    rgb: Pixels
    costs: tuple[Costs, ...]

    def to_dict(self) -> dict[str, Any]:
        """The first and the last costs."""
        return {
            "image": self.image.name,
            "style": self.style.name,
            "size": list(self.rgb.shape[:2]),
            "steps": len(self.costs),
            "first": asdict(self.costs[0]),
            "last": asdict(self.costs[-1]),
        }

    def to_text(self) -> str:
        """A line for people."""
        first, last = self.costs[0], self.costs[-1]
        size = "{1}x{0}".format(*self.rgb.shape[:2])
        return (
            f"{self.image.name} in the style of {self.style.name}: {size}, {len(self.costs)} steps; "
            f"style cost {first.style:.3f} -> {last.style:.3f}, content cost {last.content:.3f}\n"
        )

    def plot(self) -> Pixels:
        """The result."""
        return self.rgb


def stylise(
    features: Any,
    image: Image,
    style: Image,
    side: int,
    config: StyleConfig,
    watch: Watch = lambda items, _: items,
) -> Stylised:
    """Give an image the style of another one.

    Args:
        features: of `feature_model`.
        image: the image.
        style: the image whose style is taken.
        side: the longer side at which both are seen, in pixels.
        config: weights and steps.
        watch: passed the numbers of the steps and how many there are, for progress.
    """
    pixels, costs = transfer(features, _scaled(image, side), _scaled(style, side), config, watch)
    return Stylised(image, style, np.rint(pixels).astype(np.uint8), costs)


def _scaled(image: Image, side: int) -> NDArray[np.float32]:
    """The pixels with the longer side of ``side``, the other one in proportion: float32 (H, W, 3)."""
    scale = side / max(image.height, image.width)
    height, width = (max(_SHORTEST, round(n * scale)) for n in (image.height, image.width))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image.rgb, (width, height), interpolation=how), np.float32)
