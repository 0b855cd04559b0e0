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
    "edges.png": "python docs/course/plots.py edges",
    "filters.webp": "yolo explain examples/cat.jpg --filters",
    "simple.png": "python docs/course/plots.py simple",
    "backbones.png": "python docs/course/plots.py backbones",
    "blocks.png": "python docs/course/plots.py blocks",
    "residual.png": "python docs/course/plots.py residual",
    "transfer.png": "python docs/course/plots.py transfer",
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
    "anchors.png": "python docs/course/plots.py anchors",
    "detected.webp": "yolo detect examples/cat.jpg examples/coffee.jpg",
    "loss.webp": "yolo explain examples/coffee.jpg --loss --box cup=172,17,412,309",
    "crops.webp": "yolo explain examples/cat.jpg --stages --weights rcnn-voc",
    "rcnn.webp": "yolo explain examples/cat.jpg --stages --weights fast-rcnn-voc",
    "faster.webp": "yolo explain examples/cat.jpg --stages --weights faster-rcnn-voc",
    "identified.webp": "yolo identify docs/course/again.jpg --classes cat,cup --save",
    "pairs.png": "python docs/course/pairs.py",
    "saliency.webp": "yolo explain examples/astronaut.jpg --saliency",
    "layers.webp": "yolo explain --layers --data examples",
    "stylized.webp": "yolo stylize examples/astronaut.jpg --style docs/course/painting.jpg --imgsz 256",
    "costs.png": "python docs/course/plots.py costs",
    "filled.png": "python docs/course/plots.py filled",
    "clips.webp": "python docs/course/clips.py clips.png",
}
BEFORE = {
    "transfer.png": (
        "yolo train --data fridge --epochs 10 --imgsz 256 --out runs/fine-tuned",
        "yolo train --data fridge --epochs 10 --imgsz 256 --from-scratch --out runs/from-scratch",
    ),
    "identified.webp": (
        "yolo identify learn Chelsea examples/cat.jpg",
        "yolo identify learn 'my mug' examples/coffee.jpg --classes cup",
    ),
}
"""What the commands of some need."""
OUTSIDE = {
    "vtest.avi": ROOT.parent / "shared" / "video" / "vtest.avi",
    "fridge": ROOT.parent / "shared/data/fridge",
}
"""A video and a data set that are not part of the project, where they may be."""
KEPT = {"landmarks.webp": 0.5, "augmented.webp": 0.5}  # the upper part, as a fraction


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
    """The folder with what the commands of the page need: links to examples, docs and what is at hand."""
    here = {name: ROOT / name for name in ("examples", "docs")}
    for name, path in (here | OUTSIDE).items():
        if path.exists():
            (folder / name).symlink_to(path)
    return folder


def lacks(line: str) -> bool:
    """Whether a command needs a file from outside the project that is not there."""
    return any(name in line and not path.exists() for name, path in OUTSIDE.items())


def plots(name: str) -> list[str]:
    """The names of a plot, for light pages and for dark ones; of an image its own."""
    return [name, name.replace(".png", "-dark.png")] if name.endswith(".png") else [name]


def main(names: list[str]) -> None:
    """Make the images and write them beside this file."""
    for name in names or COMMANDS:
        with tempfile.TemporaryDirectory() as made:
            folder = prepared(Path(made))
            for line in BEFORE.get(name, ()):
                run(line, folder)
            before = images_in(folder)
            run(COMMANDS[name], folder)
            for plot in plots(name):
                if name.endswith(".png"):
                    (HERE / plot).write_bytes((folder / plot).read_bytes())
                else:
                    path = max(images_in(folder) - before)  # of two photographs, the second one
                    cv2.imwrite(str(HERE / name), shrunk(name, path), [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


def run(line: str, folder: Path) -> None:
    """Run a command of the page in a folder."""
    words = shlex.split(line)
    start = [sys.executable, "-m", "yolo_cli"] if words[0] == "yolo" else [sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*start, *words[1:]], cwd=folder, env=environment, check=True)  # noqa: S603


if __name__ == "__main__":
    main(sys.argv[1:])
