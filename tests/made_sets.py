"""Small data sets written to a folder, in the three forms, with the same four images and boxes.

    train  a.jpg  64x48   cat (8, 12, 40, 36)   dog (0, 0, 16, 24)
    train  b.jpg  64x48   nothing
    val    c.jpg  32x64   dog (4, 16, 12, 48)
    val    d.jpg  64x48   cat (32, 24, 64, 48)

Edges are whole multiples of 1/32 of the sides, so that fractions of them are exact.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

__all__ = [
    "BOXES",
    "NAMES",
    "SIZES",
    "SPLITS",
    "boxes_by_name",
    "write_coco",
    "write_image",
    "write_voc",
    "write_xml",
    "write_yolo",
]

NAMES = ("cat", "dog")
SIZES = {"a": (64, 48), "b": (64, 48), "c": (32, 64), "d": (64, 48)}  # width, height
SPLITS = {"a": "train", "b": "train", "c": "val", "d": "val"}
BOXES: dict[str, list[tuple[int, tuple[float, float, float, float]]]] = {
    "a": [(0, (8, 12, 40, 36)), (1, (0, 0, 16, 24))],
    "b": [],
    "c": [(1, (4, 16, 12, 48))],
    "d": [(0, (32, 24, 64, 48))],
}


def write_image(path: Path, size: tuple[int, int], seed: int = 0, exif: int | None = None) -> Path:
    """An image of smooth random blots, so that no two seeds look alike; with an EXIF turn if given."""
    width, height = size
    blots = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    pixels = cv2.resize(blots, (width, height), interpolation=cv2.INTER_LINEAR)
    path.parent.mkdir(parents=True, exist_ok=True)
    if exif is None:
        path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    else:
        from PIL import Image

        tags = Image.Exif()
        tags[274] = exif
        Image.fromarray(pixels[..., ::-1].copy()).save(path, exif=tags)
    return path


def write_yolo(root: Path, yaml: str | None = None) -> Path:
    """``images/SPLIT``, ``labels/SPLIT`` and a ``data.yaml``; "" writes none."""
    for seed, (stem, split) in enumerate(SPLITS.items()):
        write_image(root / "images" / split / f"{stem}.jpg", SIZES[stem], seed)
        lines = [yolo_line(class_id, xyxy, SIZES[stem]) for class_id, xyxy in BOXES[stem]]
        write_text(root / "labels" / split / f"{stem}.txt", "".join(line + "\n" for line in lines))
    if yaml != "":
        write_text(root / "data.yaml", yaml or "train: images/train\nval: images/val\nnames: [cat, dog]\n")
    return root


def yolo_line(class_id: int, xyxy: tuple[float, float, float, float], size: tuple[int, int]) -> str:
    """One line of a YOLO label."""
    (x1, y1, x2, y2), (w, h) = xyxy, size
    return f"{class_id} {(x1 + x2) / 2 / w} {(y1 + y2) / 2 / h} {(x2 - x1) / w} {(y2 - y1) / h}"


def write_coco(root: Path) -> Path:
    """``annotations/instances_SPLIT2017.json`` with ids 7 and 3, and images in ``SPLIT2017``."""
    for seed, (stem, split) in enumerate(SPLITS.items()):
        write_image(root / f"{split}2017" / f"{stem}.jpg", SIZES[stem], seed)
    for split in ("train", "val"):
        write_json(root / "annotations" / f"instances_{split}2017.json", coco_json(split))
    return root


def coco_json(split: str) -> dict[str, Any]:
    """The annotation file of one split: cat is category 7, dog is 3; image ids from 100."""
    stems = [stem for stem in SPLITS if SPLITS[stem] == split]
    images = [
        {"id": 100 + i, "file_name": f"{stem}.jpg", "width": SIZES[stem][0], "height": SIZES[stem][1]}
        for i, stem in enumerate(stems)
    ]
    boxes = [(100 + i, *box) for i, stem in enumerate(stems) for box in BOXES[stem]]
    annotations = [
        {"id": i, "image_id": image_id, "category_id": (7, 3)[class_id], "iscrowd": 0,
         "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
        for i, (image_id, class_id, (x1, y1, x2, y2)) in enumerate(boxes)
    ]  # fmt: skip
    categories = [{"id": 7, "name": "cat"}, {"id": 3, "name": "dog"}]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_voc(root: Path) -> Path:
    """``JPEGImages``, ``Annotations`` and ``ImageSets/Main``."""
    for seed, (stem, split) in enumerate(SPLITS.items()):
        write_image(root / "JPEGImages" / f"{stem}.jpg", SIZES[stem], seed)
        boxes = [(NAMES[class_id], xyxy) for class_id, xyxy in BOXES[stem]]
        write_xml(root / "Annotations" / f"{stem}.xml", f"{stem}.jpg", SIZES[stem], boxes)
        path = root / "ImageSets" / "Main" / f"{split}.txt"
        write_text(path, (path.read_text() if path.exists() else "") + f"{stem}\n")
    return root


def write_xml(
    path: Path,
    image: str,
    size: tuple[int, int],
    boxes: list[tuple[str, tuple[float, float, float, float]]],
    extra: str = "",
) -> None:
    """A VOC annotation; boxes are ours, from 0, and are written from 1 with the last pixel in."""
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>\n"
        for name, (x1, y1, x2, y2) in boxes
    )
    frame = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>\n"
    write_text(path, f"<annotation><filename>{image}</filename>\n{frame}{objects}{extra}</annotation>\n")


def write_json(path: Path, value: Any) -> None:
    """A JSON file."""
    write_text(path, json.dumps(value))


def write_text(path: Path, text: str) -> None:
    """A text file in UTF-8, unchanged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def boxes_by_name(dataset: Any) -> dict[str, list[tuple[int, tuple[float, ...]]]]:
    """Class and edges of every box by the stem of its image, as in ``BOXES``."""
    return {
        sample.path.stem: [
            (int(class_id), tuple(map(float, xyxy)))
            for class_id, xyxy in zip(sample.ground_truth.class_id, sample.ground_truth.xyxy, strict=True)
        ]
        for sample in dataset.samples
    }
