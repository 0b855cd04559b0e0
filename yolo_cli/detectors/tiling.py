"""Small objects in large images: detect on overlapping tiles, and merge what they show.

The finest tiles have the network's size, so that nothing is shrunk (Akyon et al., "Slicing Aided Hyper
Inference and Fine-Tuning for Small Object Detection", ICIP 2022). There, one pass over the whole image finds
what is larger than a tile. Objects between the two sizes are cut by the tiles and tiny in that pass; so here
tiles also grow by √2 up to the whole image, and whatever a tile cuts is whole on a wider one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log2

import numpy as np

from yolo_cli.codec import Candidates
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors.merging import Pieces, cut_sides, merge
from yolo_cli.detectors.protocol import Cost, Detector
from yolo_cli.detectors.trace import Selection, TiledOutput, Times, Trace
from yolo_cli.images import Image
from yolo_cli.large_tiff import release_pixels
from yolo_cli.tiles import Window, tile_windows
from yolo_cli.weights import ModelCard

__all__ = ["TiledDetector", "in_tiles", "tile_levels"]

AT_ONCE = 8  # tiles in one run of the network, so that memory does not grow with the image


@dataclass(frozen=True, slots=True)
class Tile:
    """One part of an image on which the network runs.

    Attributes:
        window: left, top, right and bottom edge in pixels of the image.
        finer: height and width in pixels up to which an object is whole on some finer tile, too.
    """

    window: Window
    finer: tuple[float, float]


def in_tiles(detector: Detector) -> Detector:
    """The detector on tiles if its options ask for them, else the detector itself."""
    return detector if detector.config.tile is None else TiledDetector(detector)


def tile_levels(size: tuple[int, int], tile: tuple[int, int], overlap: float) -> list[list[Tile]]:
    """The tiles of an image, the finest first; the last level is the whole image.

    Args:
        size: height and width of the image.
        tile: height and width of the finest tiles.
        overlap: fraction of a tile's side that neighbours share at least.

    >>> [len(level) for level in tile_levels((3000, 4000), (416, 416), 0.2)]
    [108, 63, 30, 12, 9, 4, 1]
    """
    height, width = size
    whole = max(height / tile[0], width / tile[1])
    steps = max(1, int(2 * log2(whole) + 1e-9)) if whole > 1 else 0  # the last is a step below the whole
    levels, finer = [], (0.0, 0.0)
    for growth in 2 ** (np.arange(steps) / 2):
        sides = round(tile[0] * growth), round(tile[1] * growth)
        levels.append([Tile(window, finer) for window in tile_windows(size, sides, overlap)])
        lengths = zip(sides, size, strict=True)
        tall, wide = (inf if side >= length else overlap * side for side, length in lengths)
        finer = tall, wide
    return [*levels, [Tile((0, 0, width, height), finer)]]


@dataclass(frozen=True, slots=True)
class TiledDetector:
    """A `Detector` that runs another one on overlapping tiles of each image.

    An image that is not larger than a tile gives what the other detector finds.

    Attributes:
        inner: the other detector. Its options say how large the tiles are.
    """

    inner: Detector

    @property
    def card(self) -> ModelCard:
        """The card of its model."""
        return self.inner.card

    @property
    def config(self) -> DetectConfig:
        """Thresholds and limits."""
        return self.inner.config

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class id."""
        return self.inner.class_names

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        return self.inner.input_size

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Find the objects in each image, in the images' order, most confident first."""
        return self.detect_timed(images)[0]

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        """Like `detect`, with the time of each step for all tiles together; merging counts as suppression."""
        tiles = [self.tiles(image) for image in images]
        parts = [(image, tile) for image, some in zip(images, tiles, strict=True) for tile in some]
        found, spent = [], np.zeros(3)
        for start in range(0, len(parts), AT_ONCE):
            crops = [_crop(image, tile) for image, tile in parts[start : start + AT_ONCE]]
            some, times = self.inner.detect_timed(crops)
            found += some
            spent += (times.prepare_ms, times.infer_ms, times.post_ms)
            for image in images:
                release_pixels(image.rgb)
        begin, each = time.perf_counter(), iter(found)
        merged = [
            self._merged(image, some, [next(each) for _ in some]).detections
            for image, some in zip(images, tiles, strict=True)
        ]
        spent[2] += 1000 * (time.perf_counter() - begin)
        return merged, Times(*spent.tolist())

    def begin(self, images: Sequence[Image]) -> Callable[[], list[Detections]]:
        """As `YoloDetector.begin`, but everything is done at once."""
        found = self.detect(images)
        return lambda: found

    def trace(self, image: Image) -> Trace:
        """The steps on each tile, and the selection among what all tiles show."""
        tiles = self.tiles(image)
        traces = [self.inner.trace(_crop(image, tile)) for tile in tiles]
        begin = time.perf_counter()
        selection = self._merged(image, tiles, [trace.detections for trace in traces])
        post = 1000 * (time.perf_counter() - begin)
        spent = np.sum([(t.times.prepare_ms, t.times.infer_ms, t.times.post_ms) for t in traces], axis=0)
        windows = np.array([tile.window for tile in tiles], np.float32)  # (T, 4)
        times = Times(*(spent + np.array([0, 0, post])).tolist())
        return Trace(times, selection, tiled=TiledOutput(windows, tuple(traces)))

    def cost(self, image: Image) -> Cost:
        """Multiply-accumulates for all tiles of one image; those of each region are the other detector's."""
        levels = self._levels(image)
        costs = [self.inner.cost(_crop(image, level[0])) for level in levels]
        whole = sum(len(level) * cost.whole for level, cost in zip(levels, costs, strict=True))
        return Cost(whole, costs[0].each)

    def with_config(self, config: DetectConfig) -> Detector:
        """The same network with other thresholds and limits, and with tiles only if they ask for them."""
        return self.inner.with_config(config)

    def with_card(self, card: ModelCard) -> Detector:
        """The same network with another card."""
        return TiledDetector(self.inner.with_card(card))

    def tiles(self, image: Image) -> list[Tile]:
        """The parts of an image on which the network runs; the last is the whole image."""
        return [tile for level in self._levels(image) for tile in level]

    def _levels(self, image: Image) -> list[list[Tile]]:
        """The tiles of ``image``, see `tile_levels`."""
        tile = self.config.tile
        sides = tile if isinstance(tile, tuple) else self.input_size
        return tile_levels((image.height, image.width), sides, self.config.tile_overlap)

    def _merged(self, image: Image, tiles: Sequence[Tile], found: Sequence[Detections]) -> Selection:
        """What is chosen among the detections on each tile."""
        size, config = (image.height, image.width), self.config
        pairs = zip(tiles, found, strict=True)
        pieces = Pieces.joined(
            [_pieces(number, tile, some, size) for number, (tile, some) in enumerate(pairs)]
        )
        kept = np.arange(len(pieces))  # (K,)
        if len(tiles) > 1:
            pieces, kept = merge(pieces, config.nms_iou, config.max_det, config.agnostic)
        best = pieces[kept]
        points = best.keypoints if best.keypoints.shape[1] else None  # (K, points, 3)
        kind = self.card.keypoints
        skeleton = kind.skeleton if kind else ()
        chosen = Detections(best.xyxy, best.confidence, best.class_id, None, points, skeleton)
        candidates = Candidates(pieces.xyxy, pieces.confidence, pieces.class_id, pieces.tile)
        return Selection(candidates, pieces.xyxy, kept, kept, chosen)


def _crop(image: Image, tile: Tile) -> Image:
    """The pixels of a tile, as a view of the image."""
    left, top, right, bottom = tile.window
    return Image(image.rgb[top:bottom, left:right], image.name)


def _pieces(number: int, tile: Tile, found: Detections, size: tuple[int, int]) -> Pieces:
    """What was found on a tile, in pixels of the image, without what is whole on a finer tile."""
    tall, wide = tile.finer
    sides = found.xyxy[:, 2:] - found.xyxy[:, :2]  # (N, 2)
    found = found[np.asarray((sides[:, 0] > wide) | (sides[:, 1] > tall))]
    xyxy = found.xyxy + np.array(tile.window[:2] * 2, np.float32)  # (N, 4)
    where, classes = np.full(len(found), number, np.int64), found.class_id.astype(np.int64)  # (N,) each
    points = np.zeros((len(found), 0, 3), np.float32) if found.keypoints is None else found.keypoints
    points = points + np.array([*tile.window[:2], 0], np.float32)  # (N, K, 3)
    return Pieces(xyxy, found.confidence, classes, where, cut_sides(xyxy, tile.window, size), points)
