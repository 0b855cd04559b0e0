"""Made clips: crops that follow an object over a background, as a tracker's boxes do, and what it does there.

An object that moves is told by what passes behind it; one that turns, by its own surface. A still image of
either looks like one that is standing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FRAMES", "MARGIN", "SIDE", "STATES", "made_clip", "made_clips", "made_texture"]

Pixels = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]
Random = np.random.Generator

STATES = ("standing", "moving", "turning")
FRAMES, SIDE = 8, 32
MARGIN = 1.5
"""Sides of a crop over those of the box, so that some background is seen."""
_DRAWN = 2 * SIDE  # pixels that clips are drawn with


def made_clips(rng: Random, count: int, sources: Sequence[Pixels]) -> tuple[Pixels, NDArray[np.int64]]:
    """Clips (N, 8, 32, 32, 3) and what the object does in each (N,), as an index into `STATES`.

    Args:
        rng: random numbers.
        count: N.
        sources: RGB images that objects and backgrounds are cut from, each at least 128 pixels a side.
    """
    states = rng.integers(0, len(STATES), count)
    return np.stack([made_clip(rng, int(state), sources) for state in states]), states


def made_clip(rng: Random, state: int, sources: Sequence[Pixels]) -> Pixels:
    """One clip (8, 32, 32, 3), uint8 RGB."""
    ground, surface = _patch(rng, sources, 4 * _DRAWN), _patch(rng, sources, 2 * _DRAWN)
    way, turn = _motion(rng, state)
    sprite = _Sprite.made(rng, surface, turn)
    errors = rng.uniform(0, 0.02) * rng.normal(0, 1, (FRAMES, 3))  # of the box: x, y and size
    light = 1 + rng.uniform(0, 0.04) * rng.normal(0, 1, FRAMES)
    frames = [_frame(ground, sprite, way * at, errors[at] * _DRAWN, at) * light[at] for at in range(FRAMES)]
    small = np.stack([cv2.resize(each, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for each in frames])
    noisy = small + rng.normal(0, rng.uniform(0, 6), small.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def made_texture(rng: Random, side: int = 256) -> Pixels:
    """A drawn surface (side, side, 3): noise of several sizes in two colours, or stripes."""
    low, high = rng.integers(0, 256, (2, 3))
    if rng.random() < 0.3:
        y, x = np.mgrid[:side, :side] / side
        angle, waves = rng.uniform(0, np.pi), rng.uniform(4, 24)
        mix = 0.5 + 0.5 * np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle)))
    else:
        scales = 2 ** rng.integers(2, 7, 3)
        mix = sum(cv2.resize(rng.random((int(n), int(n))), (side, side)) for n in scales)
        mix = (mix - np.min(mix)) / np.ptp(mix)
    texture: Pixels = (low + (high - low) * np.asarray(mix)[..., None]).astype(np.uint8)
    return texture


@dataclass(frozen=True, slots=True, eq=False)
class _Sprite:
    """An object: its surface, its outline, and how it turns.

    Attributes:
        surface: (128, 128, 3).
        outline: (64, 64), how much of each pixel it covers, 0 to 1.
        in_plane: radians a frame that it turns as seen from above.
        upright: pixels a frame that its surface passes by, as of a pillar that turns.
    """

    surface: Pixels
    outline: Floats
    in_plane: float
    upright: float

    @classmethod
    def made(cls, rng: Random, surface: Pixels, turn: float) -> _Sprite:
        flat = rng.random() < 0.5
        outline = np.zeros((_DRAWN, _DRAWN), np.float32)
        half = _DRAWN / MARGIN / 2
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radius = 1 + rng.uniform(0, 0.25) * np.sin(rng.integers(2, 5) * angles + rng.uniform(0, 6))
        shape = rng.uniform(0.5, 1.0, 2) if flat else np.array([rng.uniform(0.4, 0.9), 1.0])
        points = _DRAWN / 2 + half * (radius / radius.max())[:, None] * shape * np.stack(
            [np.cos(angles), np.sin(angles)], axis=1
        )
        cv2.fillPoly(outline, [np.rint(points).astype(np.int32)], 1.0, cv2.LINE_AA)
        return cls(surface, np.clip(outline, 0, 1), turn * flat, turn * (not flat) * half)

    def at(self, frame: int) -> tuple[Floats, Floats]:
        """Its colours (64, 64, 3) and how much it covers (64, 64, 1) in a frame."""
        middle = _DRAWN / 2
        spin = cv2.getRotationMatrix2D((middle, middle), float(np.degrees(self.in_plane * frame)), 1.0)
        shift = np.array([[1.0, 0.0, -middle - self.upright * (frame - FRAMES / 2)], [0.0, 1.0, -middle]])
        size = (_DRAWN, _DRAWN)
        colours = cv2.warpAffine(self.surface, shift, size, borderMode=cv2.BORDER_REFLECT)
        colours = cv2.warpAffine(colours, spin, size, borderMode=cv2.BORDER_REFLECT)
        return colours.astype(np.float32), cv2.warpAffine(self.outline, spin, size)[..., None]


def _motion(rng: Random, state: int) -> tuple[Floats, float]:
    """Pixels a frame that an object moves (2,), and radians a frame that it turns."""
    heading, box = rng.uniform(0, 2 * np.pi), _DRAWN / MARGIN
    way = np.array([np.cos(heading), np.sin(heading)]) * box * rng.uniform(0.04, 0.2)
    turn = rng.choice([-1, 1]) * rng.uniform(0.1, 0.4)
    return way * (STATES[state] == "moving"), float(turn * (STATES[state] == "turning"))


def _frame(ground: Pixels, sprite: _Sprite, way: Floats, error: Floats, frame: int) -> Floats:
    """What a crop shows that follows the object, up to an error of its box: (64, 64, 3)."""
    begin = np.array(ground.shape[:2]) / 2 - _DRAWN / 2 + way
    behind = cv2.warpAffine(
        ground, np.array([[1.0, 0.0, -begin[0]], [0.0, 1.0, -begin[1]]]), (_DRAWN, _DRAWN)
    )
    colours, cover = sprite.at(frame)
    seen = behind * (1 - cover) + colours * cover
    zoom = 1 + error[2] / _DRAWN
    moved = np.array([[zoom, 0.0, error[0]], [0.0, zoom, error[1]]])
    drawn = cv2.warpAffine(seen.astype(np.float32), moved, (_DRAWN, _DRAWN), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(drawn)


def _patch(rng: Random, sources: Sequence[Pixels], side: int) -> Pixels:
    """A square cut from an image at random, resized to ``side``; mirrored every other time."""
    image = sources[int(rng.integers(len(sources)))]
    cut = int(rng.uniform(0.25, 0.9) * min(image.shape[:2]))
    y, x = (int(rng.integers(0, length - cut + 1)) for length in image.shape[:2])
    patch = image[y : y + cut, x : x + cut]
    patch = patch[:, ::-1] if rng.random() < 0.5 else patch
    return np.asarray(cv2.resize(np.ascontiguousarray(patch), (side, side)), np.uint8)
