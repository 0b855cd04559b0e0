"""Selective search: boxes that may hold an object, from the image alone.

Uijlings, van de Sande, Gevers and Smeulders, "Selective Search for Object Recognition", IJCV 2013. The
image is segmented into small uniform regions (Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image
Segmentation", IJCV 2004; scikit-image's). Then the two most similar neighbours are merged repeatedly, until
one region is left. The bounding box of every region that occurred is a proposal. This is repeated for several
colour spaces, sizes of the initial regions and similarity measures, since no single choice suits every
object.

Here as in the paper's "fast" mode: HSV and Lab, two sizes, and similarity by colour, texture, size and fill
or by the last three alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.images import Image

__all__ = ["Regions", "SearchConfig", "selective_search"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Pixels = NDArray[np.uint8]

COLOUR_BINS, TEXTURE_BINS, ORIENTATIONS = 25, 10, 8  # as in the paper
COLOUR_SPACES = {"hsv": cv2.COLOR_RGB2HSV_FULL, "lab": cv2.COLOR_RGB2LAB}


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """Options of selective search.

    Attributes:
        colour_spaces: of "hsv" and "lab".
        scales: sizes of the initial regions: the k of Felzenszwalb and Huttenlocher.
        with_colour: for each similarity measure, whether it includes colour.
        smallest: minimum size of an initial region in pixels.
        side: the image is resized to this longer side in pixels.
        max_boxes: maximum number of proposals.
        shortest: minimum length of a proposal's shorter side in pixels.
    """

    colour_spaces: tuple[str, ...] = ("hsv", "lab")
    scales: tuple[float, ...] = (50.0, 100.0)
    with_colour: tuple[bool, ...] = (True, False)
    smallest: int = 50
    side: int = 320
    max_boxes: int = 2000
    shortest: float = 8.0


DEFAULTS = SearchConfig()


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Regions of one image, with their features.

    Attributes:
        xyxy: (R, 4), bounding boxes in pixels of the segmented image.
        size: (R,), area in pixels.
        colour: (R, 75), histograms with sum 1.
        texture: (R, 240), histograms with sum 1.
    """

    xyxy: Floats
    size: Floats
    colour: Floats
    texture: Floats


def selective_search(image: Image, config: SearchConfig = DEFAULTS) -> NDArray[np.float32]:
    """Boxes (N, 4) in pixels of ``image`` that may hold objects, most promising first.

    As in the paper, they are ranked by the order of merging times a random number, so that large regions do
    not all come first. The random seed is fixed.

    >>> rgb = np.zeros((60, 80, 3), np.uint8)
    >>> rgb[20:40, 30:60] = 255
    >>> [30.0, 20.0, 60.0, 40.0] in selective_search(Image(rgb)).round().tolist()
    True
    """
    scale = config.side / max(image.height, image.width)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    rgb: Any = cv2.resize(image.rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    runs = list(_groupings(rgb, config))  # each (2R - 1, 4)
    random = np.random.default_rng(0)
    ages = np.concatenate([np.arange(len(boxes), 0, -1) for boxes in runs])  # (N,), the whole image is 1
    order = np.argsort(ages * random.random(len(ages)), kind="stable")  # (N,)
    xyxy = np.concatenate(runs)[order]  # (N, 4)
    _, first = np.unique(xyxy, axis=0, return_index=True)
    xyxy = xyxy[np.sort(first)]  # (M, 4), each box once
    xyxy = xyxy * np.tile([image.width / size[0], image.height / size[1]], 2)  # (M, 4), pixels of ``image``
    large = (xyxy[:, 2:] - xyxy[:, :2]).min(axis=1) >= min(config.shortest, image.width, image.height)  # (M,)
    best: Floats = xyxy[large][: config.max_boxes]
    return best.astype(np.float32)


def _groupings(rgb: Pixels, config: SearchConfig) -> Iterator[Floats]:
    """The boxes (2R - 1, 4) of each variation, from the initial regions to the whole image."""
    for space, scale in product(config.colour_spaces, config.scales):
        pixels: Any = cv2.cvtColor(rgb, COLOUR_SPACES[space])  # (H, W, 3)
        labels = _segment(pixels, scale, config.smallest)  # (H, W)
        regions, pairs = _measure(pixels, labels), _neighbours(labels)
        for with_colour in config.with_colour:
            yield _group(regions, pairs, with_colour, rgb.shape[0] * rgb.shape[1])


def _segment(pixels: Pixels, scale: float, smallest: int) -> NDArray[np.int64]:
    """Label map (H, W) of the initial regions, numbered from 0 without gaps."""
    from skimage.segmentation import felzenszwalb  # takes a second to import

    labels: NDArray[np.int64] = felzenszwalb(pixels / 255.0, scale=scale, sigma=0.8, min_size=smallest)
    return labels


def _measure(pixels: Pixels, labels: Integers) -> Regions:
    """Box, size and histograms of each initial region."""
    count, flat = int(labels.max()) + 1, labels.ravel()
    colour = pixels.reshape(-1, 3).astype(np.int64) * COLOUR_BINS // 256  # (H·W, 3)
    texture = _texture(pixels).reshape(len(flat), -1)  # (H·W, 24)
    return Regions(
        _boxes_around(labels, count),
        np.bincount(flat, minlength=count).astype(float),
        _histograms(colour, flat, count, COLOUR_BINS),
        _histograms(texture, flat, count, TEXTURE_BINS),
    )


def _boxes_around(labels: Integers, count: int) -> Floats:
    """Bounding boxes (R, 4) of ``count`` regions."""
    y, x = np.indices(labels.shape).reshape(2, -1)  # (H·W,), (H·W,)
    edges = np.tile([*labels.shape[::-1], 0, 0], (count, 1))  # (R, 4)
    for at, place in enumerate((x, y)):
        np.minimum.at(edges[:, at], labels.ravel(), place)
        np.maximum.at(edges[:, at + 2], labels.ravel(), place + 1)
    return edges.astype(float)


def _texture(pixels: Pixels) -> NDArray[np.int64]:
    """Histogram bins (H, W, 24) of the blurred image's gradients: three channels, eight directions."""
    smooth: Any = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 1.0)  # (H, W, 3)
    dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    angles = (np.arange(ORIENTATIONS) * (2 * np.pi / ORIENTATIONS)).astype(np.float32)  # (8,)
    slopes = dx[..., None] * np.cos(angles) + dy[..., None] * np.sin(angles)  # (H, W, 3, 8), most below 64
    steps = np.clip(slopes * np.float32(TEXTURE_BINS / 64), 0, TEXTURE_BINS - 1)  # (H, W, 3, 8)
    bins: NDArray[np.int64] = steps.astype(np.int64)
    return bins.reshape(*pixels.shape[:2], -1)


def _histograms(bins: Integers, labels: Integers, count: int, size: int) -> Floats:
    """Normalised histogram (R, C·size) of each region, for ``bins`` (P, C) and ``labels`` (P,)."""
    columns = bins.shape[1]
    place = labels[:, None] * (columns * size) + np.arange(columns) * size + bins  # (P, C)
    found = np.bincount(place.ravel(), minlength=count * columns * size).reshape(count, -1)
    fractions: Floats = found / found.sum(axis=1, keepdims=True)
    return fractions


def _neighbours(labels: Integers) -> NDArray[np.int64]:
    """Pairs (P, 2) of regions that are 4-connected neighbours, each once."""
    a = np.concatenate([labels[:, 1:].ravel(), labels[1:].ravel()])  # (E,)
    b = np.concatenate([labels[:, :-1].ravel(), labels[:-1].ravel()])  # (E,)
    a, b = a[a != b], b[a != b]  # (F,), (F,): the borders
    count = int(labels.max()) + 1
    code = np.unique(np.minimum(a, b) * count + np.maximum(a, b))  # (P,)
    return np.stack(np.divmod(code, count), axis=1)


def _group(regions: Regions, pairs: Integers, with_colour: bool, area: int) -> Floats:
    """Merge the two most similar neighbours until one region is left.

    Returns:
        The boxes of all regions, (2R - 1, 4), in the order of merging.
    """
    count = len(regions.size)
    grown = _with_space(regions)
    near: list[set[int]] = [set() for _ in range(2 * count - 1)]
    for a, b in pairs.tolist():
        near[a].add(b)
        near[b].add(a)
    alike = _similarity(grown, pairs[:, 0], pairs[:, 1], with_colour, area)  # (P,)
    queue = [(-s, a, b) for s, (a, b) in zip(alike.tolist(), pairs.tolist(), strict=True)]
    heapq.heapify(queue)
    gone: set[int] = set()
    new = count
    while queue:
        _, a, b = heapq.heappop(queue)
        if a in gone or b in gone:
            continue
        gone |= {a, b}
        _merge(grown, a, b, new)
        near[new] = (near[a] | near[b]) - gone
        touching = sorted(near[new])
        for other in touching:
            near[other].add(new)
        if touching:
            alike = _similarity(grown, np.array(touching), np.array([new]), with_colour, area)
            for s, other in zip(alike.tolist(), touching, strict=True):
                heapq.heappush(queue, (-s, other, new))
        new += 1
    return grown.xyxy[:new]


def _with_space(regions: Regions) -> Regions:
    """A copy with space for the R - 1 regions created by merging."""
    more = len(regions.size) - 1
    parts = (regions.xyxy, regions.size, regions.colour, regions.texture)
    return Regions(*(np.concatenate([part, np.zeros((more, *part.shape[1:]))]) for part in parts))


def _merge(regions: Regions, a: int, b: int, new: int) -> None:
    """Store the union of two regions at ``new``; histograms are weighted by size."""
    xyxy, size = regions.xyxy, regions.size
    xyxy[new, :2], xyxy[new, 2:] = np.minimum(xyxy[a, :2], xyxy[b, :2]), np.maximum(xyxy[a, 2:], xyxy[b, 2:])
    size[new] = size[a] + size[b]
    for histogram in (regions.colour, regions.texture):
        histogram[new] = (size[a] * histogram[a] + size[b] * histogram[b]) / size[new]


def _similarity(regions: Regions, a: Integers, b: Integers, with_colour: bool, area: int) -> Floats:
    """Similarity (P,) of the regions at ``a`` and ``b``: the sum of the paper's measures, each in [0, 1].

    Colour and texture are histogram intersections; size prefers small regions, fill those that fit into each
    other.
    """
    size = regions.size[a] + regions.size[b]  # (P,)
    low = np.minimum(regions.xyxy[a, :2], regions.xyxy[b, :2])  # (P, 2)
    high = np.maximum(regions.xyxy[a, 2:], regions.xyxy[b, 2:])  # (P, 2)
    gap = (high - low).prod(axis=1) - size  # (P,)
    texture = np.minimum(regions.texture[a], regions.texture[b]).sum(axis=1)  # (P,)
    total: Floats = texture + (1 - size / area) + (1 - gap / area)  # (P,)
    if with_colour:
        total = total + np.minimum(regions.colour[a], regions.colour[b]).sum(axis=1)
    return total
