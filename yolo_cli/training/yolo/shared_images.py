"""The decoded images of a data set in memory that all processes share, so that each is decoded about once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from yolo_cli.augment import Labelled
from yolo_cli.detections import GroundTruth
from yolo_cli.training.yolo.data import KEPT_BYTES, Images
from yolo_cli.training.yolo.memory import Layout, attach

__all__ = ["SharedImages", "images_layout"]


def images_layout(images: Images) -> Layout:
    """The layout for images of the maximum size; pages that are never written take no memory."""
    count = len(images)
    return {
        "kept": (np.uint8, (count,)),
        "full": (np.uint8, (1,)),
        "sizes": (np.int32, (count, 4)),  # height and width as kept, and those of the file
        "pixels": (np.uint8, (count, images.longest**2 * 3)),
    }


class SharedImages(Images):
    """`Images` whose pixels are in shared memory.

    Workers write images and tell the parent, and only the parent marks them as kept: after a message from one
    process to another, the second sees everything that the first wrote before. Two workers may write the same
    image at the same time, since they write the same bytes.

    Args:
        images: reads them.
        descriptor: of memory for `images_layout`.
        limit: images are kept until they have this many bytes together.
    """

    def __init__(self, images: Images, descriptor: int, limit: int = KEPT_BYTES) -> None:
        super().__init__(images.samples, images.side)
        del self._cache  # it refers back to this object, and so would keep the memory
        arrays = attach(descriptor, images_layout(images))
        self._kept, self._full, self._sizes, self._pixels = arrays.values()
        self._limit, self._bytes = limit, 0
        self._boxes: dict[int, GroundTruth] = {}
        self._written: list[int] = []

    def __getitem__(self, index: int) -> Labelled:
        """Image and boxes of one sample, from memory if it is kept."""
        if self._kept[index]:
            height, width, *size = self._sizes[index].tolist()
            rgb = self._pixels[index, : height * width * 3].reshape(height, width, 3)
        else:
            rgb, size = self.read(index)
            self._write(index, rgb, size)
        if index not in self._boxes:
            self._boxes[index] = self.boxes(index, size, rgb.shape[:2])
        return rgb, self._boxes[index]

    def _write(self, index: int, rgb: NDArray[np.uint8], size: Sequence[int]) -> None:
        if not self._full[0]:
            self._sizes[index] = (*rgb.shape[:2], *size)
            self._pixels[index, : rgb.size] = rgb.ravel()
            self._written.append(index)

    def take_written(self) -> list[int]:
        """In a worker: the images written since the last call."""
        written, self._written = self._written, []
        return written

    def keep(self, written: Iterable[int]) -> None:
        """In the parent: mark images that workers have written, so that all processes use them."""
        for index in written:
            if not self._kept[index]:
                self._kept[index] = 1
                self._bytes += 3 * prod(self._sizes[index, :2].tolist())
        self._full[0] = self._bytes >= self._limit
