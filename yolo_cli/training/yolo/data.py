"""Samples → batches of augmented images with their targets.

Random numbers depend only on (seed, epoch, position in the epoch), so a batch does not depend on when and in
which thread it is made, and no generator state needs to be saved to resume a run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.augment import Labelled, augment, images_needed
from yolo_cli.codec import Head, encode
from yolo_cli.config import AugmentConfig
from yolo_cli.datasets import Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.training.yolo.cache import Cache

__all__ = ["Batch", "BatchMaker", "Capacity", "Images", "ahead"]

Batch = tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]

KEPT_BYTES = 2 << 30  # maximum size of the image cache
MARGIN = 1.5  # cached images are this much larger than the network's input, as augmentation may enlarge them


class Images:
    """The images of samples with their boxes, shrunk to the size needed for training, and cached.

    Args:
        samples: the samples, read on first use.
        side: the longer side of the network's input, pixels.
    """

    def __init__(self, samples: Sequence[Sample], side: int) -> None:
        self._samples, self._side = tuple(samples), round(side * MARGIN)
        self._cache: Cache[Labelled] = Cache(self._read, lambda labelled: labelled[0].nbytes, KEPT_BYTES)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Labelled:
        """Image and boxes of one sample. Thread-safe."""
        return self._cache[index]

    def _read(self, index: int) -> Labelled:
        sample = self._samples[index]
        return _shrunk(sample.read().rgb, sample.ground_truth, self._side)


def _shrunk(rgb: NDArray[np.uint8], ground_truth: GroundTruth, side: int) -> Labelled:
    """Image and boxes, resized so that the longer side is at most ``side`` pixels."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb, ground_truth
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)  # (h, w, 3)
    factor = np.array([size[0] / width, size[1] / height] * 2)  # (4,)
    return np.asarray(small, np.uint8), ground_truth.moved(ground_truth.xyxy * factor)


@dataclass(frozen=True, slots=True)
class Capacity:
    """The sizes that targets are padded to, so that all batches have the same shapes.

    Attributes:
        ground_truths: maximum boxes per image.
        slots: maximum positive slots per image.
    """

    ground_truths: int
    slots: int

    @classmethod
    def of(cls, samples: Sequence[Sample], heads: Sequence[Head]) -> Capacity:
        """The capacity for the five images with most boxes joined by mosaic and mixup."""
        fullest = sorted(len(sample.labels) for sample in samples)[-5:]
        ground_truths = max(1, sum(fullest))
        # A box is assigned to at most three cells per anchor: its own and a neighbour on each axis.
        return cls(ground_truths, ground_truths * 3 * sum(len(head.anchors) for head in heads))


@dataclass(frozen=True, slots=True)
class BatchMaker:
    """Makes any batch of any epoch.

    Attributes:
        images: the training images.
        heads: of the network.
        size: height and width of its input, pixels.
        batch: batch size.
        capacity: sizes that targets are padded to.
        config: probabilities and strengths of augmentation.
        seed: random seed.
        part: index of the part of each batch made here, and the number of parts.
    """

    images: Images
    heads: tuple[Head, ...]
    size: tuple[int, int]
    batch: int
    capacity: Capacity
    config: AugmentConfig
    seed: int
    part: tuple[int, int] = (0, 1)
    grids: tuple[tuple[int, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        height, width = self.size
        grids = tuple((height // head.stride, width // head.stride) for head in self.heads)
        object.__setattr__(self, "grids", grids)

    @property
    def slot_count(self) -> int:
        """Number of slots of all heads."""
        return sum(
            rows * columns * len(head.anchors)
            for head, (rows, columns) in zip(self.heads, self.grids, strict=True)
        )

    @property
    def steps(self) -> int:
        """Batches per epoch; the last one is filled up with images from the beginning."""
        return -(-len(self.images) // self.batch)

    def make(self, epoch: int, step: int, mosaic_closed: bool) -> Batch:
        """One batch, or its part: images uint8 (B, H, W, 3) and targets for `YoloLoss`.

        Args:
            epoch: from 0.
            step: index of the batch in the epoch.
            mosaic_closed: whether mosaic and mixup are off.
        """
        config = replace(self.config, mosaic=0.0, mixup=0.0) if mosaic_closed else self.config
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.images))
        number, parts = self.part
        places = np.arange(step * self.batch, (step + 1) * self.batch).reshape(parts, -1)[number]  # (B,)
        samples = [self._sample(epoch, int(place), order, config) for place in places]
        rgb = np.stack([image for image, _ in samples])  # (B, H, W, 3)
        rows = [self._targets(ground_truth) for _, ground_truth in samples]
        return rgb, {key: np.stack([row[key] for row in rows]) for key in rows[0]}

    def _sample(self, epoch: int, place: int, order: NDArray[np.int64], config: AugmentConfig) -> Labelled:
        """One training image, joined from one or more images at random."""
        rng = np.random.default_rng((self.seed, epoch, place))
        others = rng.integers(len(order), size=images_needed(rng, config) - 1)
        chosen = [order[place % len(order)], *others]
        return augment([self.images[int(index)] for index in chosen], rng, config, self.size)

    def _targets(self, ground_truth: GroundTruth) -> dict[str, NDArray[Any]]:
        """The targets of one image, padded; see `YoloLoss`."""
        ignored = np.asarray(ground_truth.crowd) | np.asarray(ground_truth.difficult)  # (N,)
        targets = ground_truth[~ignored]
        found = encode(targets.xyxy, targets.class_id, self.heads, self.grids)
        slots, ground_truths = self.capacity.slots, self.capacity.ground_truths
        taken = np.zeros(self.slot_count, np.uint8)  # (S,)
        taken[found.slot] = 1
        return {
            "taken": taken,
            "slot": _padded(found.slot.astype(np.int32), slots, 0),
            "cxcywh": _padded(found.cxcywh, slots, 1),
            "class_id": _padded(found.class_id.astype(np.int32), slots, 0),
            "positive": _padded(np.ones(len(found), np.float32), slots, 0),
            "ground_truths": _padded(ground_truth.xyxy.astype(np.float32), ground_truths, 0),
            "ignored": _padded(ignored.astype(np.float32), ground_truths, 0),
        }


def _padded(values: NDArray[Any], size: int, fill: float) -> NDArray[Any]:
    """(N, …) → (size, …), padded at the end."""
    out = np.full((size, *values.shape[1:]), fill, values.dtype)
    out[: len(values)] = values[:size]
    return out


def ahead(make: Callable[[int], Batch | None], workers: int, start: int = 0) -> Iterator[Batch]:
    """Yield ``make(start)``, ``make(start + 1)`` … in order, prefetched by threads, until one is None."""
    with ThreadPoolExecutor(workers, thread_name_prefix="images") as pool:
        waiting: deque[Future[Batch | None]] = deque()
        for number in count(start):
            waiting.append(pool.submit(make, number))
            if len(waiting) > 2 * workers:
                batch = waiting.popleft().result()
                if batch is None:
                    break
                yield batch
        for future in waiting:
            future.cancel()
