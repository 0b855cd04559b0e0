"""A data set of small objects in large images: montages of shrunk photographs of `voc2012-subset`.

    python -m tests.small_objects DATA OUT

200 images to learn from and 60 to validate on, of 1,024 × 768 pixels in Pascal VOC form. On each are 30
photographs of its split, with a longer side of 96 pixels, in places of a grid of 10 × 8: about 67 objects,
half of them below 32 × 32 pixels. docs/training.md says what models learn from it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import cv2
import numpy as np

from yolo_cli.datasets import Dataset, Sample, open_dataset
from yolo_cli.files import atomic_write_text
from yolo_cli.letterbox import GREY, Letterbox

COUNTS = {"train": 200, "val": 60}
COLUMNS, ROWS, SIDE, GAP = 10, 8, 96, 6  # pixels; the gap is that between columns
HEIGHT, WIDTH = ROWS * SIDE, COLUMNS * (SIDE + GAP) + 4
SHOWN = 30
QUALITY = 85

OBJECT = (
    "<object><name>{}</name><difficult>{:d}</difficult><bndbox><xmin>{:.2f}</xmin><ymin>{:.2f}</ymin>"
    "<xmax>{:.2f}</xmax><ymax>{:.2f}</ymax></bndbox></object>"
)


def shuffled(samples: tuple[Sample, ...], rng: np.random.Generator) -> Iterator[Sample]:
    """All samples in random order, again and again."""
    orders = (rng.permutation(len(samples)).tolist() for _ in repeat(None))
    return (samples[place] for place in chain.from_iterable(orders))


def montage(samples: Iterator[Sample], data: Dataset, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """RGB of an image (HEIGHT, WIDTH, 3), and its objects as XML."""
    rgb, objects = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8), []
    for place in rng.permutation(COLUMNS * ROWS)[:SHOWN].tolist():
        sample, (row, column) = next(samples), divmod(place, COLUMNS)
        x, y = column * (SIDE + GAP), row * SIDE
        frame = Letterbox.fit(*sample.size, SIDE, SIDE)
        small = (frame.scaled_width, frame.scaled_height)
        left, top = x + frame.left, y + frame.top
        shrunk = cv2.resize(sample.read().rgb, small, interpolation=cv2.INTER_AREA)
        rgb[top : top + small[1], left : left + small[0]] = shrunk
        labels = sample.ground_truth
        boxes = frame.forward(labels.xyxy) + np.array([x, y, x, y])  # (N, 4)
        boxes[:, :2] += 1  # VOC counts from 1
        for name, difficult, box in zip(labels.class_id, labels.difficult, boxes, strict=True):
            objects.append(OBJECT.format(data.class_names[name], difficult, *box))
    return rgb, "".join(objects)


def main(source: str, out: Path) -> None:
    """Write the data set."""
    data, rng = open_dataset(source), np.random.default_rng(0)
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (out / folder).mkdir(parents=True)
    for split, count in COUNTS.items():
        samples = shuffled(data.in_split(split).samples, rng)
        names = [f"{split}{number:03}" for number in range(count)]
        for name in names:
            rgb, objects = montage(samples, data, rng)
            head = (
                f"<filename>{name}.jpg</filename><size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
            )
            text = f"<annotation>{head}{objects}</annotation>"
            atomic_write_text(out / "Annotations" / f"{name}.xml", text)
            path = str(out / "JPEGImages" / f"{name}.jpg")
            cv2.imwrite(path, rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        atomic_write_text(out / "ImageSets" / "Main" / f"{split}.txt", "".join(f"{name}\n" for name in names))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
