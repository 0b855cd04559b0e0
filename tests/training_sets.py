"""A data set and a network so small that training takes seconds: bright squares and discs in the dark."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.made_sets import write_text, yolo_line

__all__ = ["TINY_CFG", "write_shapes", "write_tiny_cfg"]

SIDE = 64

TINY_CFG = """
[net]
width=64
height=64
channels=3
[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky
[convolutional]
batch_normalize=1
filters=16
size=3
stride=2
pad=1
activation=leaky
[convolutional]
batch_normalize=1
filters=24
size=3
stride=2
pad=1
activation=leaky
[convolutional]
batch_normalize=1
filters=32
size=3
stride=2
pad=1
activation=leaky
[convolutional]
filters=14
size=1
stride=1
activation=linear
[yolo]
mask=0,1
anchors=16,16, 28,28
classes=2
num=2
"""


def write_tiny_cfg(folder: Path) -> Path:
    """A Darknet cfg of five layers with one head of stride 16."""
    path = folder / "tiny.cfg"
    path.write_text(TINY_CFG)
    return path


def write_shapes(root: Path, train: int = 8, val: int = 4, test: int = 0) -> Path:
    """A YOLO data set of ``train``, ``val`` and ``test`` images of 64 × 64 pixels, a shape or two each."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val), ("test", test)):
        for number in range(count):
            rgb, lines = _image(rng)
            place = root / "images" / split / f"{split}{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(cv2.imencode(".png", rgb)[1].tobytes())
            write_text(root / "labels" / split / f"{split}{number}.txt", "".join(lines))
    parts = [split for split, count in (("train", train), ("val", val), ("test", test)) if count]
    paths = "".join(f"{split}: images/{split}\n" for split in parts)
    write_text(root / "data.yaml", f"{paths}names: [square, disc]\n")
    return root


def _image(rng: np.random.Generator) -> tuple[np.ndarray, list[str]]:
    rgb = rng.integers(0, 70, (SIDE, SIDE, 3)).astype(np.uint8)
    lines = []
    for half in range(int(rng.integers(1, 3))):  # the second is in the lower half
        side = int(rng.integers(12, 28))
        x, y = int(rng.integers(0, SIDE - side)), int(rng.integers(0, 32 - side + 1)) + 32 * half
        kind = int(rng.integers(2))
        if kind == 0:
            rgb[y : y + side, x : x + side] = (230, 60, 60)
        else:
            cv2.circle(rgb, (x + side // 2, y + side // 2), side // 2, (60, 230, 60), -1)
        lines.append(yolo_line(kind, (x, y, x + side, y + side), (SIDE, SIDE)) + "\n")
    return rgb, lines
