"""A data set of the example images, for what the documentation runs."""

from __future__ import annotations

from pathlib import Path

from tests.shared import ROOT
from yolo_cli.images import read_image, write_image

__all__ = ["write_examples"]


def write_examples(folder: Path) -> None:
    """A small data set in YOLO form, without splits: the example images and their mirror images."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    (folder / "classes.txt").write_text("cat\ncup\nperson\n")
    boxes = {
        "cat": (0, 0.49, 0.5, 0.92, 1),
        "coffee": (1, 0.48, 0.38, 0.41, 0.69),
        "astronaut": (2, 0.42, 0.46, 0.73, 0.92),
    }
    for name, (class_id, x, y, w, h) in boxes.items():
        rgb = read_image(ROOT / "examples" / f"{name}.jpg").rgb
        for mirrored in (False, True):
            stem = f"{name}{mirrored:d}"
            write_image(folder / "images" / f"{stem}.jpg", rgb[:, ::-1] if mirrored else rgb)
            (folder / "labels" / f"{stem}.txt").write_text(
                f"{class_id} {1 - x if mirrored else x} {y} {w} {h}\n"
            )
