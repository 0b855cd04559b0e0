"""What every kind of explanation offers, so that text and drawing need not know which one they have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from yolo_cli.explanation.legend import Entry
from yolo_cli.explanation.outcomes import BoxOutcome
from yolo_cli.images import Image

__all__ = ["Details", "Panel"]

Panel = tuple[str, NDArray[np.uint8]]  # a title, and the pixels (H, W, 3) below it


class Details(Protocol):
    """The predictions at one point of an image, and the outcomes of its boxes."""

    @property
    def legend(self) -> tuple[Entry, ...]:
        """Entries for what only the panels of this kind show."""

    @property
    def point(self) -> tuple[float, float]:
        """X and y in pixels of the image."""

    @property
    def outcomes(self) -> tuple[BoxOutcome[Any], ...]:
        """The boxes at the point and those that suppressed them, most confident first."""

    @property
    def threshold(self) -> float:
        """IoU threshold for NMS."""

    @property
    def rule(self) -> str:
        """The rule of suppression."""

    def lines(self, image: str, class_names: tuple[str, ...]) -> Iterator[str]:
        """The predictions as text, for an image of that name."""

    def panels(self, image: Image, class_names: tuple[str, ...], scale: float) -> list[Panel]:
        """The predictions drawn on copies of an image that is enlarged by ``scale``."""
