"""Choose input size, heads and anchors for the objects of a data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.anchors import fit_anchors, mean_iou
from yolo_cli.codec import Head
from yolo_cli.datasets import Dataset
from yolo_cli.letterbox import Letterbox

__all__ = ["advise_tiles", "choose_heads", "choose_size", "network_boxes", "trainable_heads", "usual_size"]

Floats = NDArray[np.floating[Any]]
Size = tuple[int, int]  # height and width, pixels

REACH = 2.0  # scale_x_y of new heads: neighbouring cells can be assigned, too

SMALL_INPUT = 320  # the area of this square is enough for large objects
LARGE_INPUT = 512  # small ones use the area of this one, even in images with fewer pixels
LARGEST_INPUT = 768  # and in images with more pixels an area up to this one
LARGE_OBJECT = 64.0  # pixels: square root of the area exceeded by all but 5 % of the boxes
MOST_ENLARGED = 1.5  # images are not enlarged by more than this
SPARE_AREA = 1.08  # the input may be this much larger than desired, as its sides are multiples of a stride
ALIKE = 0.15  # images have "the same" aspect if they differ by at most this fraction

SMALL_OBJECT = 32.0  # pixels: a class whose median box is smaller needs a larger input, or finer cells
TINY_OBJECT = 16.0  # pixels: a class whose median box is smaller is found better on tiles,
TILED_FROM = 1.3  # if images have at least this many times the input's pixels
ENOUGH_BOXES = 10  # minimum boxes of a class to measure its size
CLEARLY_BETTER = 0.03  # gain in mean IoU that new anchors must bring


def choose_size(data: Dataset, made_for: Size, stride: int) -> Size:
    """Height and width of the network's input: the images' shape, as large as the objects need.

    A square input wastes a quarter of the work on 4:3 images. If most images have about the same aspect
    ratio, the input has it, too. Its area is the network's default; that of a square of `SMALL_INPUT` pixels
    if nearly all objects are large, or of `LARGE_INPUT` if those of some class are small. If they are small
    even there, and the images have more pixels, it grows until they are not, at most to `LARGEST_INPUT`.

    Args:
        data: the training images.
        made_for: the network's default height and width.
        stride: both sides become multiples of it.
    """
    size, area = usual_size(data, made_for, stride), float(np.prod(made_for))
    roots = np.sqrt(network_boxes(data, size).prod(axis=1))  # (boxes,)
    native = _native(data)
    if len(roots) and np.percentile(roots, 5) >= LARGE_OBJECT:
        area = min(area, float(SMALL_INPUT**2))
    elif (side := _smallest_class(data, size)[0]) < SMALL_OBJECT:
        needed = float(np.prod(size)) * (SMALL_OBJECT / side) ** 2
        area = max(area, LARGE_INPUT**2, min(needed, native, LARGEST_INPUT**2))
    return _fitting(min(area, native * MOST_ENLARGED**2), _typical_aspect(data), stride)


def usual_size(data: Dataset, made_for: Size, stride: int) -> Size:
    """Height and width with the network's default area, in the images' shape."""
    return _fitting(float(np.prod(made_for)), _typical_aspect(data), stride)


def _typical_aspect(data: Dataset) -> float:
    """Aspect ratio (width over height) of most images; 1 if they differ."""
    sizes = np.array([sample.size for sample in data.samples], float)  # (N, 2): height, width
    aspect = sizes[:, 1] / sizes[:, 0]  # (N,)
    typical = float(np.median(aspect))
    return 1.0 if np.mean(np.abs(np.log(aspect / typical)) > ALIKE) > 0.2 else typical


def _fitting(area: float, aspect: float, stride: int) -> Size:
    """The sides, multiples of ``stride``, that fit an image of this aspect best within an area."""
    wanted = np.sqrt([area * aspect, area / aspect]) / stride  # (2,): width, height, in strides
    around = [{max(1, int(np.floor(side))), max(1, int(np.ceil(side)))} for side in wanted]
    pairs = [pair for pair in product(*around) if pair[0] * pair[1] * stride**2 <= SPARE_AREA * area]
    pairs = pairs or [(min(around[0]), min(around[1]))]
    columns, rows = max(pairs, key=lambda p: (min(p[0] / wanted[0], p[1] / wanted[1]), -p[0] * p[1]))
    return rows * stride, columns * stride


def network_boxes(data: Dataset, size: Size) -> Floats:
    """Widths and heights (boxes, 2) of all objects in pixels of the network's input, without crowds."""
    return np.concatenate([np.zeros((0, 2)), *(boxes for boxes, _ in _boxes_of(data, size))])


def _boxes_of(data: Dataset, size: Size) -> list[tuple[Floats, NDArray[np.integer[Any]]]]:
    """Per image: widths and heights (N, 2) in pixels of the network's input, and classes (N,)."""
    found: list[tuple[Floats, NDArray[np.integer[Any]]]] = []
    for sample in data.samples:
        xyxy = Letterbox.fit(*sample.size, *size).forward(sample.ground_truth.xyxy)
        real = ~np.asarray(sample.ground_truth.crowd) & (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)  # (N,)
        found.append(((xyxy[:, 2:] - xyxy[:, :2])[real], sample.ground_truth.class_id[real]))
    return found


def trainable_heads(heads: Sequence[Head], class_count: int, key_points: int = 0) -> tuple[Head, ...]:
    """The heads for training: the same anchors, new classes and key points, a wider range of centres."""
    new: dict[str, Any] = {"class_count": class_count, "key_points": key_points, "scale_x_y": REACH}
    return tuple(replace(head, kind="yolo", **new) for head in heads)


def choose_heads(
    data: Dataset, size: Size, usual: Size, present: Sequence[Head], seed: int, say: Callable[[str], None]
) -> tuple[Head, ...]:
    """Heads for the objects of a data set: a finer one if a class is small, and fitted anchors.

    Args:
        data: the training images.
        size: height and width of the network's input.
        usual: those without regard to small objects: a class that is small at this size causes both, finer
            cells and a larger input.
        present: the network's heads, coarsest first.
        seed: random seed of the fit.
        say: called with messages about automatic choices.
    """
    if present[0].kind == "gfl":
        return tuple(replace(head, class_count=len(data.class_names)) for head in present)
    heads = trainable_heads(present, len(data.class_names), len(data.key_points or ()))
    if (
        heads[-1].stride == 16
        and min(_smallest_class(data, each) for each in (size, usual))[0] < SMALL_OBJECT
    ):
        half = tuple((w / 2, h / 2) for w, h in heads[-1].anchors)
        heads = (*heads, replace(heads[-1], stride=8, anchors=half))
        say("a class is small: a third head with stride 8 is added")
    boxes = network_boxes(data, size)  # (boxes, 2)
    count = sum(len(head.anchors) for head in heads)
    if len(np.unique(boxes, axis=0)) < 2 * count:
        return heads
    fitted = fit_anchors(boxes, count, seed=seed)  # (count, 2), the smallest first
    before = mean_iou(boxes, np.concatenate([head.anchors for head in heads]))
    after = mean_iou(boxes, fitted)
    if after < before + CLEARLY_BETTER:
        return heads
    say(f"new anchors fit the boxes better: mean IoU {after:.3f}, not {before:.3f}")
    return _with_anchors(heads, fitted)


def advise_tiles(data: Dataset, size: Size, say: Callable[[str], None]) -> None:
    """Say so if a class is tiny at this size of the input, and would be larger on tiles of the images.

    Args:
        data: the training images.
        size: height and width of the network's input.
        say: called with the advice.
    """
    side, name = _smallest_class(data, size)
    pixels, native = float(np.prod(size)), _native(data)
    if side < TINY_OBJECT and native > TILED_FROM * pixels:
        there, (height, width) = side * (native / pixels) ** 0.5, size
        say(
            f"objects of {name} are {side:.0f} pixels large at {height}x{width}, {there:.0f} in the images: "
            "learning from tiles finds more (`yolo convert --tile`, see docs/training.md)"
        )


def _native(data: Dataset) -> float:
    """The number of pixels that a median image has."""
    return float(np.median([np.prod(sample.size) for sample in data.samples]))


def _smallest_class(data: Dataset, size: Size) -> tuple[float, str]:
    """The class with the smallest objects: side of its median box in pixels of the network's input, and name.

    A side is the square root of an area. It is infinite if no class has `ENOUGH_BOXES`.
    """
    parts = _boxes_of(data, size)
    roots = np.sqrt(np.concatenate([boxes.prod(axis=1) for boxes, _ in parts]))  # (boxes,)
    classes = np.concatenate([class_id for _, class_id in parts])  # (boxes,)
    groups = [(name, roots[classes == one]) for one, name in enumerate(data.class_names)]
    found = [(float(np.median(group)), name) for name, group in groups if len(group) >= ENOUGH_BOXES]
    return min(found, default=(np.inf, ""))


def _with_anchors(heads: Sequence[Head], wh: Floats) -> tuple[Head, ...]:
    """The same heads with new anchors (K, 2), the smallest ones for the finest head."""
    rows = iter(wh.tolist())
    fine_first = [
        replace(head, anchors=tuple((w, h) for w, h in (next(rows) for _ in head.anchors)))
        for head in sorted(heads, key=lambda head: head.stride)
    ]
    place = {head.stride: head for head in fine_first}
    return tuple(place[head.stride] for head in heads)
