"""Make the images of docs/course.md with the commands of that page.

    python docs/course/images.py [NAME ...]

Without names, all of them; a test makes them again and compares.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WIDEST = 800  # pixels
QUALITY = 45  # of WebP

# The image, and the command of the page that makes it.
COMMANDS = {
    "filters.webp": "yolo explain examples/cat.jpg --filters",
    "backbones.png": "python docs/course/plots.py backbones",
    "residual.png": "python docs/course/plots.py residual",
    "augmented.webp": "yolo train --data docs/course/boxes.json --preview augmented.png",
    "segmentation.webp": "python docs/course/segmentation.py segmentation.png",
    "localisation.webp": "yolo explain examples/cat.jpg --stages --weights localisation-voc",
    "landmarks.webp": "yolo train --data docs/course/landmarks.json --mosaic 0 --preview landmarks.png",
    "windows.webp": "yolo explain examples/cat.jpg --stages --weights windows-voc --conf 0.6",
    "window.webp": "yolo explain examples/cat.jpg --at 220,150 --weights windows-voc --conf 0.6",
    "overlap.webp": "yolo explain examples/cat.jpg --overlap --box 4,0,404,270",
    "stages.webp": "yolo explain examples/coffee.jpg --stages --conf 0.02",
    "grid.webp": "yolo explain examples/coffee.jpg --at 290,150",
    "targets.webp": "yolo explain examples/coffee.jpg --targets --box 172,17,412,309",
    "loss.webp": "yolo explain examples/coffee.jpg --loss --box cup=172,17,412,309",
    "rcnn.webp": "yolo explain examples/cat.jpg --stages --weights fast-rcnn-voc",
    "faster.webp": "yolo explain examples/cat.jpg --stages --weights faster-rcnn-voc",
    "saliency.webp": "yolo explain examples/astronaut.jpg --saliency",
    "layers.webp": "yolo explain --layers --data examples",
    "stylized.webp": "yolo stylize examples/astronaut.jpg --style docs/course/painting.jpg --imgsz 256",
}
KEPT = {"landmarks.webp": 0.25, "augmented.webp": 0.5}  # the upper part, as a fraction


def images_in(folder: Path) -> set[Path]:
    """The images that commands have left in a folder, also in its folders."""
    return {path for path in folder.rglob("*") if path.suffix in {".png", ".jpg"} and path.is_file()}


def shrunk(name: str, path: Path) -> np.ndarray:
    """The image of the page from what its command made: at most 800 pixels wide, (H, W, 3), BGR."""
    image = cv2.imread(str(path))
    image = image[: round(image.shape[0] * KEPT.get(name, 1))]
    scale = min(1.0, WIDEST / image.shape[1])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def difference(name: str, made: np.ndarray) -> float:
    """How far an image is from the one of the page: the mean over pixels, in levels of 255.

    Raises:
        ValueError: if their sizes differ.
    """
    kept = cv2.imread(str(HERE / name))
    if kept.shape != made.shape:
        raise ValueError(f"{name} has {kept.shape}, but was made with {made.shape}")
    return float(np.abs(kept.astype(float) - made).mean())


def prepared(folder: Path) -> Path:
    """The folder with what the commands of the page need: links to the examples and the docs."""
    for name in ("examples", "docs"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def main(names: list[str]) -> None:
    """Make the images and write them beside this file."""
    for name in names or COMMANDS:
        with tempfile.TemporaryDirectory() as made:
            folder = prepared(Path(made))
            words = shlex.split(COMMANDS[name])
            start = [sys.executable, "-m", "yolo_cli"] if words[0] == "yolo" else [sys.executable]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            subprocess.run([*start, *words[1:]], cwd=folder, env=environment, check=True)  # noqa: S603
            if name.endswith(".png"):  # plots, one for light pages and one for dark ones
                for path in folder.glob("*.png"):
                    (HERE / path.name).write_bytes(path.read_bytes())
            else:
                [path] = images_in(folder)
                cv2.imwrite(str(HERE / name), shrunk(name, path), [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


if __name__ == "__main__":
    main(sys.argv[1:])
