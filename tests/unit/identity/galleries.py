"""A made gallery and a card for it."""

from __future__ import annotations

import numpy as np

from yolo_cli.identity import Entry, Gallery
from yolo_cli.weights import ModelCard

CARD = ModelCard(
    name="made",
    class_names=("identity",),
    heads=(),
    input_size=(8, 8),
    resize="stretch",
    detector="embedding",
    metric="cosine",
    false_accepts=((-1.0, 0.2, 0.6, 1.0), (1.0, 0.1, 0.01, 0.0)),
)


def unit(degrees: float) -> np.ndarray:
    """The vector at an angle: the score of two is the cosine of the angle between them."""
    return np.float32([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])


def gallery(**angles: list[float]) -> Gallery:
    """Entries by name, each at an angle."""
    made = [Entry(name, f"{at}.jpg", unit(at)) for name, each in angles.items() for at in each]
    return Gallery("made", "abc", made)
