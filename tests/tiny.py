"""A Darknet model of three layers, small enough to be read and to be imported in a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

CFG = """
[net]
width=64
height=64
channels=3

[convolutional]
batch_normalize=1
filters=4
size=3
stride=32
pad=1
activation=leaky

[convolutional]
filters=14
size=1
stride=1
activation=linear

[yolo]
mask=0,1
anchors=10,20, 30,40
classes=2
num=2
"""
# Layer 0: beta, gamma, mean, variance (4 each), kernel 4 x 3 x 3 x 3; layer 1: bias 14, kernel 14 x 4.
VALUES = 4 * 4 + 4 * 27 + 14 + 14 * 4


@dataclass(frozen=True)
class TinyFiles:
    """Where the three files are."""

    cfg: Path
    weights: Path
    names: Path

    @property
    def arguments(self) -> list[str]:
        return [str(self.cfg), str(self.weights), "--names", str(self.names)]


def write_tiny(
    folder: Path, *, cfg: str = CFG, values: np.ndarray | None = None, names: str = "cat\ndog"
) -> TinyFiles:
    """Write the three files; each part can be replaced by a faulty one."""
    if values is None:
        values = np.random.default_rng(0).uniform(0.1, 1.0, VALUES)
    header = np.array([0, 2, 5], "<i4").tobytes() + np.zeros(1, "<i8").tobytes()
    files = TinyFiles(folder / "tiny.cfg", folder / "tiny.weights", folder / "tiny.names")
    files.cfg.write_text(cfg)
    files.weights.write_bytes(header + values.astype("<f4").tobytes())
    files.names.write_text(names)
    return files
