"""The region proposal network.

Ren, He, Girshick and Sun, "Faster R-CNN", NIPS 2015, section 3.1. Every cell of the shared feature map has
the same few boxes of typical sizes and shapes, the anchors. For each, the network predicts the probability
that it holds an object of any class, and box deltas; the most likely ones after NMS are the proposals.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.feature_map import SIDE, STRIDE
from yolo_cli.detectors.regions import apply_deltas
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox
from yolo_cli.suppression import nms

__all__ = ["ANCHORS", "PROPOSALS", "anchor_boxes", "best_proposals"]

Floats = NDArray[np.floating[Any]]

# Square roots of the anchors' areas, in pixels of the network's input.
SIZES = (32.0, 64.0, 128.0, 224.0, 352.0)
ASPECTS = (0.5, 1.0, 2.0)  # width over height
ANCHORS = len(SIZES) * len(ASPECTS)  # at each cell
PROPOSALS = 300  # maximum per image
LIKELY = 1500  # most likely boxes, kept before NMS
OVERLAP = 0.7  # IoU threshold for NMS
SMALLEST = 8.0  # pixels of the network's input: boxes with a shorter side are dropped


def anchor_boxes(rows: int, columns: int) -> Floats:
    """All anchors of a map, (rows · columns · ANCHORS, 4), xyxy in pixels of the network's input.

    In the order of rows, columns, sizes and aspects. They are centred in their cell, and may extend beyond
    the image.

    >>> anchor_boxes(1, 1)[1].tolist()  # the smallest square, in the middle of the first 16 pixels
    [-8.0, -8.0, 24.0, 24.0]
    """
    wh = np.array([(size * aspect**0.5, size / aspect**0.5) for size, aspect in product(SIZES, ASPECTS)])
    row, column = np.indices((rows, columns)).reshape(2, -1)  # (R,), (R,)
    centre = (np.stack([column, row], axis=1)[:, None] + 0.5) * STRIDE  # (R, 1, 2)
    return np.concatenate([centre - wh / 2, centre + wh / 2], axis=2).reshape(-1, 4)


def best_proposals(raw: Floats, image: Image) -> Floats:
    """The proposals, (N, 4) in pixels of ``image``, most likely first.

    Args:
        raw: (rows, columns, ANCHORS · 5): for each anchor the objectness before σ, and R-CNN's deltas dx, dy,
            dw, dh.
        image: the image that the network ran on.
    """
    rows, columns, _ = raw.shape
    values = raw.reshape(-1, 5).astype(np.float64)  # (R, 5)
    likely = np.argsort(-values[:, 0], kind="stable")[:LIKELY]  # (L,)
    anchors = anchor_boxes(rows, columns)[likely]  # (L, 4)
    square = apply_deltas(anchors, values[likely, None, 1:])[:, 0]  # (L, 4)
    letterbox = Letterbox.fit(image.height, image.width, SIDE, SIDE)
    edges = letterbox.forward(np.array([[0.0, 0.0, image.width, image.height]]))[0]  # (4,), the image's
    square = np.clip(square, np.tile(edges[:2], 2), np.tile(edges[2:], 2))  # (L, 4)
    large = (square[:, 2:] - square[:, :2] >= SMALLEST).all(axis=1)  # (L,)
    boxes, scores = letterbox.undo(square[large]), values[likely[large], 0]  # (M, 4), (M,)
    return boxes[nms(boxes, scores, OVERLAP, PROPOSALS)]
