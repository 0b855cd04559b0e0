"""What the windows of training images show."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from yolo_cli.datasets import Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.training.regions.windows import WindowBatches, recoloured

SIDE = 128


def batches(folder: Path, rgb: np.ndarray, ground_truth: GroundTruth) -> WindowBatches:
    path = folder / "image.png"
    path.write_bytes(cv2.imencode(".png", rgb)[1].tobytes())
    sample = Sample("image.png", path, "train", 0, "", ground_truth, tuple(range(len(ground_truth))))
    return WindowBatches([sample], 2)


def windows(made: WindowBatches, epochs: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """The pixels (N, 128, 128, 3) and classes (N,) of some epochs."""
    parts = []
    for _ in range(epochs):
        parts.append(made[0])
        made.on_epoch_end()
    return np.concatenate([p for p, _ in parts]), np.concatenate([c for _, c in parts])


def test_values_below_black_are_clipped() -> None:
    # 1.3 · 0 - 20 = -20, 1.3 · 10 - 20 = -7, 1.3 · 100 - 20 = 110, 1.3 · 250 - 20 = 305
    levels = np.array([0, 10, 100, 250], np.uint8)
    assert recoloured(levels, 1.3, -20.0).tolist() == [0, 0, 110, 255]


def test_windows_of_a_crowd_are_not_background(tmp_path: Path) -> None:
    """The crowd is red, the rest black: of no window more than a half is red."""
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[:, 128:, 2] = 255  # OpenCV writes BGR
    box, one = np.array([[128.0, 0, 256, 256]]), np.array([0])
    pixels, classes = windows(batches(tmp_path, rgb, GroundTruth(box, one, crowd=np.array([True]))))
    assert set(classes.tolist()) == {2}  # background: nothing else is learned
    red = pixels[..., 0].astype(int) - pixels[..., 1] > 90  # (N, 128, 128)
    assert 0.2 < red.mean(axis=(1, 2)).max() < 0.55
