"""The path from image to boxes as operations of a graph, written once for ONNX and TensorFlow.

The steps are those of `YoloDetector`: letterbox, network, decode, calibrate, suppress. What differs between
the two libraries is behind `Ops`; the formulas of decoding are those of `yolo_cli.codec`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from yolo_cli.codec import decode_values
from yolo_cli.exporting.plan import Plan
from yolo_cli.heads import Head, slot_anchors, slot_cells
from yolo_cli.letterbox import GREY

__all__ = ["Ops", "image_to_boxes"]

Array = Any
Network = Callable[[Array], Sequence[Array]]


class Ops(Protocol):
    """An array library in which a graph is built, named as in `keras.ops`."""

    def concatenate(self, parts: Sequence[Array], axis: int) -> Array: ...
    def reshape(self, x: Array, shape: Sequence[int]) -> Array: ...
    def minimum(self, a: Array, b: Array) -> Array: ...
    def maximum(self, a: Array, b: Array) -> Array: ...
    def sign(self, x: Array) -> Array: ...
    def max(self, x: Array, axis: int, keepdims: bool, initial: float) -> Array: ...
    def round(self, x: Array) -> Array: ...
    def round_down(self, x: Array) -> Array: ...
    def take(self, x: Array, at: Array, axis: int) -> Array: ...
    def arange(self, count: Array) -> Array:
        """0, 1, … as float32."""
        ...

    def floats(self, x: Array) -> Array:
        """Cast to float32."""
        ...

    def vector(self, scalars: Sequence[Array]) -> Array:
        """Integer scalars as a float32 vector."""
        ...

    def side(self, images: Array, axis: int) -> Array:
        """The length of an axis, an integer scalar."""
        ...

    def pad(self, images: Array, rows: Sequence[Array], columns: Sequence[Array], value: float) -> Array:
        """Pad before and after the rows and columns; channels last."""
        ...

    def planes_last(self, images: Array) -> Array:
        """(B, 3, H, W) → (B, H, W, 3)."""
        ...

    def grid(self, raw: Array, head: Head) -> tuple[Array, Array]:
        """Cells and anchors (1, S, 2) of the slots of a head whose size is known when it runs."""
        ...

    def suppress(self, boxes: Array, scores: Array, plan: Plan, limit: Array | None) -> dict[str, Array]:
        """Class-wise NMS by IoU; clipped to ``limit`` (4,)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Geometry:
    """Where images are in the network's input: x, y, x, y (4,) each, of `Letterbox`, and the edges."""

    scale: Array
    offset: Array
    limit: Array


def image_to_boxes(images: Array, network: Network, plan: Plan, xp: Ops) -> dict[str, Array]:
    """The outputs of the graph by name.

    Args:
        images: with preprocessing uint8 (B, height, width, 3), RGB; else float32 (B, 3, H, W), RGB from 0 to
            255, at the network's size.
        network: pixels (B, H, W, 3) → raw heads.
        plan: what is part of the graph.
        xp: the library.

    Returns:
        ``boxes`` (B, S, 4), xyxy in pixels of the original, or without preprocessing of the network's input,
        not clipped, and ``scores`` (B, S, classes), calibrated; with suppression ``num_detections`` (B,),
        ``boxes`` (B, D, 4), clipped, ``scores`` (B, D) and ``class_ids`` (B, D), most confident first.
    """
    geometry = None
    if plan.form.preprocess:
        pixels, geometry = _letterbox(images, plan, xp)
    else:
        pixels = xp.planes_last(images)
    boxes, scores = _decode(network(pixels), plan, xp)
    if geometry:
        boxes = (boxes - geometry.offset) / geometry.scale
    if not plan.form.nms:
        return {"boxes": boxes, "scores": _calibrate(scores, plan, xp)}
    if not plan.detector.config.multi_label:
        best = xp.max(scores, axis=-1, keepdims=True, initial=0.0)
        scores = scores * (1.0 - xp.sign(best - scores))  # those of other classes become 0
    found = xp.suppress(boxes, scores, plan, geometry and geometry.limit)
    return {**found, "scores": _calibrate(found["scores"], plan, xp)}


def _letterbox(images: Array, plan: Plan, xp: Ops) -> tuple[Array, _Geometry]:
    """As `Letterbox.fit` and `apply`, for images of a size that is known when it runs."""
    net_height, net_width = plan.input_size
    height, width = xp.side(images, 1), xp.side(images, 2)
    scaled: list[Array] = [net_height, net_width]
    if plan.resize == "letterbox":
        scaled = [
            xp.minimum(xp.maximum(height * net_width // width, 1), net_height),
            xp.minimum(xp.maximum(width * net_height // height, 1), net_width),
        ]
    rows, columns = (_padding(net, inner) for net, inner in zip(plan.input_size, scaled, strict=True))
    pixels = _resize(xp.floats(images), (height, width), scaled, xp)
    if plan.resize == "letterbox":
        pixels = xp.pad(pixels, rows, columns, GREY)
    limit = xp.vector([width, height] * 2)
    return pixels, _Geometry(xp.vector(scaled[::-1] * 2) / limit, xp.vector([columns[0], rows[0]] * 2), limit)


def _resize(images: Array, size: Sequence[Array], scaled: Sequence[Array], xp: Ops) -> Array:
    """What OpenCV's bilinear resizing of bytes computes, with its rounding: eleven bits a weight.

    That of run-times rounds otherwise, which can change a confidence by 0.01.
    """
    (above, below, row), (left, right, column) = (
        _neighbours(*pair, xp) for pair in zip(size, scaled, strict=True)
    )
    column = xp.reshape(column, (1, 1, -1, 1))
    row = xp.reshape(row, (1, -1, 1, 1))
    images = xp.take(images, left, 2) * (2048.0 - column) + xp.take(images, right, 2) * column
    images = xp.round_down(images * (1 / 16))
    high = xp.round_down(xp.take(images, above, 1) * (2048.0 - row) * 2**-16)
    low = xp.round_down(xp.take(images, below, 1) * row * 2**-16)
    return xp.round_down((high + low + 2.0) * 0.25)


def _neighbours(length: Array, scaled: Array, xp: Ops) -> tuple[Array, Array, Array]:
    """Of each of ``scaled`` pixels the two nearest of ``length``, and the weight of the second, 0 … 2048."""
    sides = xp.vector([length, scaled])
    step = sides[..., :1] / sides[..., 1:]
    centre = (xp.arange(scaled) + 0.5) * step - 0.5
    first = xp.round_down(centre)
    last = sides[..., :1] - 1.0
    nearest = [xp.minimum(xp.maximum(at, 0.0), last) for at in (first, first + 1.0)]
    return *nearest, xp.round((centre - first) * 2048.0)


def _padding(net: int, inner: Array) -> tuple[Array, Array]:
    first = (net - inner) // 2
    return first, net - inner - first


def _decode(raw_heads: Sequence[Array], plan: Plan, xp: Ops) -> tuple[Array, Array]:
    """Boxes (B, S, 4) in pixels of the network's input, and the confidence (B, S, classes) of each class."""
    boxes, scores = [], []
    for raw, head, grid in zip(raw_heads, plan.card.heads, plan.grids, strict=True):
        values = xp.reshape(raw, (0 if plan.form.dynamic else -1, *_slots(head, grid, plan)))
        cell, anchor = xp.grid(raw, head) if plan.form.dynamic else _fixed_grid(head, grid)
        xyxy, confidence = decode_values(values, cell, anchor, head, xp)
        boxes.append(xyxy)
        scores.append(confidence)
    return xp.concatenate(boxes, axis=1), xp.concatenate(scores, axis=1)


def _slots(head: Head, grid: tuple[int, int], plan: Plan) -> tuple[int, int]:
    """Slots of a head, and values of each; -1 where the number is known when it runs."""
    slots = -1 if plan.form.dynamic else grid[0] * grid[1] * head.boxes
    return slots, head.channels // head.boxes


def _fixed_grid(head: Head, grid: tuple[int, int]) -> tuple[Array, Array]:
    """Cells and anchors (1, S, 2) of the slots of a head."""
    return slot_cells([head], [grid])[None], slot_anchors([head], [grid])[None]


def _calibrate(scores: Array, plan: Plan, xp: Ops) -> Array:
    """What `np.interp` does: the sum of the steps between knots, each as far as it is climbed."""
    if plan.card.calibration is None:
        return scores
    given, true = plan.card.calibration
    mapped = scores * 0.0 + true[0]
    for start, run, rise in zip(given, np.diff(given), np.diff(true), strict=False):
        climbed = (scores - start) * float(1 / run)
        mapped = mapped + xp.minimum(xp.maximum(climbed, 0.0), 1.0) * float(rise)
    return mapped
