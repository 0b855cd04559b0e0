"""Batches for metric learning: a few images of each of some identities, warped at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.training.workspace import EpochBatches

__all__ = ["BATCH", "IdentityBatches", "quarter_turned", "warped"]

IDENTITIES, PHOTOS = 24, 4  # in a batch, and of each identity
BATCH = IDENTITIES * PHOTOS
WITHIN_GROUP = 0.5  # of the batches: identities that are alike are the hard ones
ROTATION, SHEAR, STRETCH, SHIFT = 12.0, 0.25, 0.2, 0.08  # degrees; the others as fractions; at most
GAIN = 0.25  # of contrast and of each channel

Pixels = NDArray[np.uint8]
Images = Sequence[Pixels]


def quarter_turned(photos: Images, groups: Sequence[int]) -> tuple[tuple[Pixels, ...], tuple[int, ...]]:
    """Four times the identities: each quarter turn as one of its own, in a group of its own.

    Santoro et al., "Meta-Learning with Memory-Augmented Neural Networks", 2016.
    """
    turned = tuple(np.rot90(each, turn, (1, 2)) for turn in range(4) for each in photos)
    return turned, tuple(4 * group + turn for turn in range(4) for group in groups)


class IdentityBatches(EpochBatches):
    """Random batches; each depends on seed, epoch and number alone.

    Args:
        photos: of each identity, uint8 (N, side, side, 3), of at least the network's size.
        groups: of each identity, a number: those of one group are alike, such as letters of one alphabet.
        size: height and width of the network's input.
        seed: random seed.
        augment: warp images, and vary their colours.
    """

    def __init__(
        self, photos: Images, groups: Sequence[int], size: tuple[int, int], seed: int, augment: bool = True
    ) -> None:
        count = sum(map(len, photos))
        super().__init__(count, BATCH, seed)
        self._photos, self._size, self._augment = photos, size, augment
        group = np.asarray(groups)
        self._groups = [np.flatnonzero(group == name) for name in np.unique(group)]

    def __len__(self) -> int:
        return max(1, self._count // BATCH)

    def __getitem__(self, index: int) -> tuple[Pixels, NDArray[np.int32]]:
        """Images, uint8 (B, height, width, 3), and their identities (B,)."""
        rng = np.random.default_rng((self.seed, self.epoch, index))
        chosen = self._identities(rng)
        images = [self._drawn(each, rng) for each in chosen]
        identity = np.repeat(chosen, PHOTOS).astype(np.int32)
        return np.concatenate(images), identity

    def _identities(self, rng: np.random.Generator) -> NDArray[np.integer[Any]]:
        """Different identities, in half of the batches those of one group first."""
        everyone = rng.permutation(len(self._photos))
        if rng.random() < WITHIN_GROUP:
            group = rng.permutation(self._groups[rng.integers(len(self._groups))])
            everyone = np.concatenate([group, everyone[~np.isin(everyone, group)]])
        return everyone[:IDENTITIES]

    def _drawn(self, identity: int, rng: np.random.Generator) -> Pixels:
        """Photos of one identity; the same one twice where it has too few."""
        photos = self._photos[identity]
        chosen = rng.permutation(max(PHOTOS, len(photos)))[:PHOTOS] % len(photos)
        if not self._augment:
            return np.stack([_resized(photos[at], self._size) for at in chosen])
        return np.stack([warped(photos[at], self._size, rng) for at in chosen])


def _resized(photo: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def warped(photo: Pixels, size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """A photo, turned, sheared, stretched and shifted a little, of another contrast and colour.

    Args:
        photo: uint8 (height, width, 3).
        size: height and width of the result.
        rng: decides how much.
    """
    given, wanted = (np.array(sides[1::-1], float) for sides in (photo.shape, size))  # width and height
    angle, shear = np.deg2rad(rng.uniform(-ROTATION, ROTATION)), rng.uniform(-SHEAR, SHEAR)
    stretch = np.exp(rng.uniform(-STRETCH, STRETCH, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[stretch[0], shear], [0, stretch[1]]]) * (wanted / given)[:, None]  # (2, 2)
    shift = rng.uniform(-SHIFT, SHIFT, 2) * wanted
    offset = (wanted - 1) / 2 - matrix @ ((given - 1) / 2) + shift
    if given[0] > wanted[0]:  # bilinear sampling would skip pixels
        photo = np.asarray(cv2.GaussianBlur(photo, (3, 3), 0), np.uint8)
    affine = np.column_stack([matrix, offset])
    moved = cv2.warpAffine(photo, affine, size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    gain = np.float32(1 + rng.uniform(-GAIN, GAIN) + rng.uniform(-GAIN, GAIN, 3) / 2)
    varied = (moved - np.float32(127.5)) * gain + np.float32(127.5)
    return np.asarray(np.clip(varied, 0, 255), np.uint8)
