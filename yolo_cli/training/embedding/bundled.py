"""The recipe of the bundled embedding, from the bundled detector and crops without identities."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import DEFAULT_MODEL, bundled
from yolo_cli.datasets import read_dataset
from yolo_cli.evaluation.verification import false_accept_table, similarities
from yolo_cli.images import crop
from yolo_cli.model.embedding import pooled_halves
from yolo_cli.model.keras_file import load_keras
from yolo_cli.training.embedding.whitening import whitened
from yolo_cli.weights import ModelCard, ModelFiles
from yolo_cli.weights.save import save_model
from yolo_cli.weights.store import sha256

__all__ = ["class_crops", "objects_card", "train_objects_embedding"]

LAYER, SIDE = "route_014", 128
SMALLEST = 32  # pixels of an object's shorter side

Pixels = NDArray[np.uint8]


def train_objects_embedding(data: str | os.PathLike[str], out: str | os.PathLike[str]) -> ModelFiles:
    """Make ``objects-embedding``, and write ``out.keras``, ``out.onnx`` and ``out.md``.

    No network is trained: mean and covariance of features are those of the train split's crops, and the
    false-accept rates those of pairs of different objects of one class in the val split.

    Args:
        data: a data set with boxes and the splits train and val; boxes in pixels; the bundled
            embedding's is of Pascal VOC 2012.
        out: the path without suffix.
    """
    detector = bundled("weights") / f"{DEFAULT_MODEL}.keras"
    train, _ = class_crops(data, "train")
    model = whitened(pooled_halves(load_keras(detector), LAYER, SIDE), train)
    crops, classes = class_crops(data, "val")
    found = model.predict(crops, batch_size=64, verbose=0)
    scores = similarities("cosine", found, found)  # (N, N)
    alike = scores[np.triu(classes[:, None] == classes[None], 1)]
    return save_model(
        model, objects_card(len(train), alike, sha256(detector)), Path(out), half=True, page=True
    )


def class_crops(data: str | os.PathLike[str], split: str) -> tuple[Pixels, NDArray[np.integer[Any]]]:
    """Objects of a split, uint8 (N, `SIDE`, `SIDE`, 3), and their classes (N,)."""
    pixels, classes = zip(*_crops(data, split), strict=True)
    return np.stack(pixels), np.array(classes)


def _crops(data: str | os.PathLike[str], split: str) -> Iterator[tuple[Pixels, int]]:
    for sample in read_dataset(data).samples:
        if sample.split != split:
            continue
        image = sample.read()
        for box, class_id in zip(sample.labels.xyxy, sample.labels.class_id.tolist(), strict=True):
            if (box[2:] - box[:2]).min() >= SMALLEST:
                yield _fitted(crop(image, box)), class_id


def _fitted(pixels: Pixels) -> Pixels:
    kind = cv2.INTER_AREA if pixels.shape[0] * pixels.shape[1] > SIDE * SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (SIDE, SIDE), interpolation=kind), np.uint8)


def objects_card(count: int, scores: NDArray[np.floating[Any]], layers_sha256: str) -> ModelCard:
    """The model card.

    Args:
        count: the number of crops for mean and covariance.
        scores: of pairs of different objects of one class, (P,).
        layers_sha256: of the detector's file.
    """
    one, ten = np.quantile(scores, [0.99, 0.9])
    return replace(
        _CARD,
        training_data=f"{count:,} objects of at least {SMALLEST} pixels from the train split of a part of "
        "Pascal VOC 2012, for mean and covariance; no network was trained",
        source={"layers_sha256": layers_sha256},
        false_accepts=false_accept_table(scores),
        figures=(
            f"false-accept 1 % at score {one:.3f}, 10 % at {ten:.3f}: {len(scores):,} pairs of different "
            "objects of one class, val split of the same part of VOC 2012",
        ),
    )


_CARD = ModelCard(
    name="objects-embedding",
    class_names=("object",),
    heads=(),
    input_size=(SIDE, SIDE),
    resize="stretch",
    detector="embedding",
    metric="cosine",
    licence="as yolov4-tiny-coco (YOLO LICENSE, public domain) and the photographs' terms for the "
    "statistics, which show none of them; see docs/models.md",
    origin=f"the layers of {DEFAULT_MODEL} up to {LAYER}, averaged over the upper and the lower half of a "
    "crop, and whitened (Jégou and Chum, 2012) on crops without identities",
    limits=(
        "it knows colours, patterns and shapes, not persons: faces are not told apart reliably, and a "
        "person with another coat is another one",
        "objects seen from another side are different ones to it: learn a photo from each side",
    ),
)
