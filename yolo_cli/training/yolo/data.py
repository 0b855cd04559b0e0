"""Samples → batches of augmented images with their targets.

Random numbers depend only on (seed, epoch, position in the epoch), so a batch does not depend on when and in
which thread it is made, and no generator state needs to be saved to resume a run. `feed` has
batches made ahead of time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
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

__all__ = ["KEPT_BYTES", "Batch", "BatchMaker", "Capacity", "Example", "Images", "Rows"]

Batch = tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]
Rows = Mapping[str, NDArray[Any]]
"""A batch as arrays (B, ...) by name: "images", and the targets of `YoloLoss` or `GflLoss`."""

KEPT_BYTES = 2 << 30  # maximum size of the image cache
GROUND_TRUTH_LIMIT = 4096  # in one image; each is compared with 512 slots
ASSIGNED_LIMIT = 512  # with `gfl` heads; each is compared with all slots
# Cached images are at most this much larger than the network's input. Up to there training resizes as
# detection does: linearly, from full size. Shrunk by area to 1.5 times first, images would be smoother than
# what a detector sees; in detection that is worse (AP50 0.210, not 0.225, at 128 pixels on coco128-val).
MARGIN = 4.0


class Images:
    """The images of samples with their boxes, shrunk to the size needed for training, and cached.

    Args:
        samples: the samples, read on first use.
        side: the longer side of the network's input, pixels.
    """

    def __init__(self, samples: Sequence[Sample], side: int) -> None:
        self.samples, self.side = tuple(samples), side
        self._cache: Cache[Labelled] = Cache(self._labelled, lambda labelled: labelled[0].nbytes, KEPT_BYTES)

    def __reduce__(self) -> tuple[Any, ...]:
        return Images, (self.samples, self.side)  # without the images that are kept

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Labelled:
        """Image and boxes of one sample. Thread-safe."""
        return self._cache[index]

    @property
    def longest(self) -> int:
        """The longer side that images are shrunk to, pixels."""
        return round(self.side * MARGIN)

    def read(self, index: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
        """The image of one sample from its file, shrunk, and the height and width it has there."""
        rgb = self.samples[index].read().rgb
        return _shrunk(rgb, self.longest), (rgb.shape[0], rgb.shape[1])

    def boxes(self, index: int, size: tuple[int, ...], kept: tuple[int, ...]) -> GroundTruth:
        """The boxes of one sample in an image of height and width ``kept`` whose file has ``size``."""
        ground_truth = self.samples[index].ground_truth
        factor = np.array([kept[1] / size[1], kept[0] / size[0]] * 2)  # (4,)
        points = ground_truth.keypoints
        moved = None if points is None else points * np.array([*factor[:2], 1])  # (N, K, 3)
        return ground_truth.moved(ground_truth.xyxy * factor, keypoints=moved)

    def _labelled(self, index: int) -> Labelled:
        rgb, size = self.read(index)
        return rgb, self.boxes(index, size, rgb.shape[:2])


def _shrunk(rgb: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """The image, resized so that its longer side is at most ``longest`` pixels."""
    height, width = rgb.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)  # (h, w, 3)


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
    def of(
        cls, samples: Sequence[Sample], heads: Sequence[Head], slots: int, config: AugmentConfig
    ) -> Capacity:
        """The capacity for the image with most boxes, joined with itself where images are joined.

        Args:
            samples: the training images.
            heads: of the network.
            slots: the number of slots that there are; each is assigned at most once.
            config: images are drawn with replacement, so that one may be in all places.
        """
        joined = (4 if config.mosaic else 1) + bool(config.mixup)
        ground_truths = max(1, joined * max(len(sample.labels) for sample in samples))
        # A box is assigned to at most three cells per anchor: its own and a neighbour on each axis.
        most = ground_truths * 3 * sum(head.boxes for head in heads)
        limit = ASSIGNED_LIMIT if heads[0].kind == "gfl" else GROUND_TRUTH_LIMIT
        return cls(min(ground_truths, limit), min(most, slots))


@dataclass(frozen=True, slots=True)
class Example:
    """Names one training image: the same example is the same image, whoever makes it.

    Attributes:
        epoch: which time round, from 0.
        place: its place in the epoch, from 0.
        mosaic_closed: whether it is made without mosaic and mixup.
    """

    epoch: int
    place: int
    mosaic_closed: bool


@dataclass(frozen=True, slots=True)
class BatchMaker:
    """Makes any batch of any epoch.

    Attributes:
        images: the training images.
        heads: of the network.
        size: height and width of its input, pixels.
        batch: batch size.
        config: probabilities and strengths of augmentation.
        seed: random seed.
        part: index of the part of each batch made here, and the number of parts.
        flip_idx: the key point that each becomes in a mirrored image.
        grids: rows and columns of each head.
        capacity: sizes that targets are padded to.
    """

    images: Images
    heads: tuple[Head, ...]
    size: tuple[int, int]
    batch: int
    config: AugmentConfig
    seed: int
    part: tuple[int, int] = (0, 1)
    flip_idx: tuple[int, ...] = ()
    grids: tuple[tuple[int, int], ...] = field(init=False)
    capacity: Capacity = field(init=False)

    def __post_init__(self) -> None:
        height, width = self.size
        grids = tuple((-(-height // head.stride), -(-width // head.stride)) for head in self.heads)
        object.__setattr__(self, "grids", grids)
        capacity = Capacity.of(self.images.samples, self.heads, self.slot_count, self.config)
        object.__setattr__(self, "capacity", capacity)

    @property
    def slot_count(self) -> int:
        """Number of slots of all heads."""
        return sum(
            rows * columns * head.boxes for head, (rows, columns) in zip(self.heads, self.grids, strict=True)
        )

    @property
    def steps(self) -> int:
        """Batches per epoch; the last one is filled up with images from the beginning."""
        return -(-len(self.images) // self.batch)

    @property
    def layout(self) -> dict[str, tuple[type[np.generic], tuple[int, ...]]]:
        """Kind and shape of what one image has in each array of `Rows`."""
        slots, ground_truths = self.capacity.slots, self.capacity.ground_truths
        all_kinds: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
            "images": (np.uint8, (*self.size, 3)),
            "ground_truths": (np.float32, (ground_truths, 4)),
            "ignored": (np.float32, (ground_truths,)),
        }
        if self.heads[0].kind == "gfl":
            return all_kinds | {"class_id": (np.int32, (ground_truths,))}
        points = self.heads[0].key_points
        more = {"keypoints": (np.float32, (slots, points, 3))} if points else {}
        return all_kinds | {
            "taken": (np.uint8, (self.slot_count,)),
            "slot": (np.int32, (slots,)),
            "cxcywh": (np.float32, (slots, 4)),
            "class_id": (np.int32, (slots,)),
            "positive": (np.float32, (slots,)),
            **more,
        }

    def examples(self, epoch: int, step: int, mosaic_closed: bool) -> list[Example]:
        """The images of one batch, or of the part of it that is made here."""
        number, parts = self.part
        places = range(step * self.batch, (step + 1) * self.batch)
        each = self.batch // parts
        return [Example(epoch, place, mosaic_closed) for place in places[number * each :][:each]]

    def make(self, epoch: int, step: int, mosaic_closed: bool) -> Batch:
        """One batch, or its part: images uint8 (B, H, W, 3) and targets for the loss of the heads.

        Args:
            epoch: from 0.
            step: index of the batch in the epoch.
            mosaic_closed: whether mosaic and mixup are off.
        """
        examples = self.examples(epoch, step, mosaic_closed)
        rows = {name: np.empty((len(examples), *shape), kind) for name, (kind, shape) in self.layout.items()}
        for row, example in enumerate(examples):
            self.write(example, {name: values[row] for name, values in rows.items()})
        return rows.pop("images"), rows

    def write(self, example: Example, out: Rows) -> None:
        """Make one image with its targets in ``out``, arrays by name as `layout` has them."""
        image, ground_truth = self._image(example)
        out["images"][:] = image
        ignored = np.asarray(ground_truth.crowd) | np.asarray(ground_truth.difficult)  # (N,)
        first = np.argsort(~ignored, kind="stable")  # (N,): if not all fit, those that only ignore slots do
        _pad(ground_truth.xyxy[first], out["ground_truths"], 0)
        _pad(ignored[first], out["ignored"], 0)
        if self.heads[0].kind == "gfl":  # slots are assigned during the step
            _pad(ground_truth.class_id[first], out["class_id"], 0)
        else:
            self._assign(ground_truth[~ignored], out)

    def _assign(self, targets: GroundTruth, out: Rows) -> None:
        """Write the slots that boxes are assigned to."""
        found = encode(targets.xyxy, targets.class_id, self.heads, self.grids)
        out["taken"][:] = 0
        out["taken"][found.slot] = 1
        _pad(found.slot, out["slot"], 0)
        _pad(found.cxcywh, out["cxcywh"], 1)
        _pad(found.class_id, out["class_id"], 0)
        _pad(np.ones(len(found)), out["positive"], 0)
        if "keypoints" in out:
            points = targets.keypoints
            _pad(np.zeros(0) if points is None else points[found.ground_truth], out["keypoints"], 0)

    def _image(self, example: Example) -> Labelled:
        """One training image, joined from one or more images at random."""
        config = replace(self.config, mosaic=0.0, mixup=0.0) if example.mosaic_closed else self.config
        order = _order(self.seed, example.epoch, len(self.images))
        rng = np.random.default_rng((self.seed, example.epoch, example.place))
        others = rng.integers(len(order), size=images_needed(rng, config) - 1)
        chosen = [order[example.place % len(order)], *others]
        return augment([self.images[int(index)] for index in chosen], rng, config, self.size, self.flip_idx)


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """In which order an epoch shows its images, (count,)."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def _pad(values: NDArray[Any], out: NDArray[Any], fill: float) -> None:
    """Write (N, …) into (size, …), and ``fill`` where it ends."""
    count = min(len(values), len(out))
    out[:count] = values[:count]
    out[count:] = fill
