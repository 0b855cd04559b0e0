"""What is written: images with their boxes in pixels, and their names in the new data set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, count, groupby
from pathlib import Path, PurePosixPath

import numpy as np

from yolo_cli.datasets.extras import Extra, Point
from yolo_cli.datasets.sample import Sample
from yolo_cli.datasets.splits import split_called
from yolo_cli.datasets.writing.exactly import exact
from yolo_cli.detections import GroundTruth
from yolo_cli.images import Image, crop, encode_image, read_image
from yolo_cli.limits import MAX_IMAGE, read_file

__all__ = ["Content", "Entry", "entry_of", "named", "spanning_polygon", "xywh"]

_LONGEST = 180  # bytes of a stem: below 255 even with a number, a suffix and the mark of an unfinished file
_SPAN = 0.01  # pixels: COCO's files round outlines and boxes to hundredths
_UNSAFE = frozenset('\\/:*?"<>|')
_CONTAINERS = frozenset(("..", "images", "jpegimages", "data", "labels", "annotations"))
_LOSSLESS = (".png", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One image of the new data set.

    Attributes:
        sample: where it comes from.
        size: height and width in pixels, of the window if there is one.
        boxes: in pixels of the upright image, float64.
        extras: one per box, in pixels.
        window: the part of the image to write, x1, y1, x2, y2 in whole pixels; None is all of it.
        file: path in the new data set, with slashes.
        image_id: unique within the split.
    """

    sample: Sample
    size: tuple[int, int]
    boxes: GroundTruth
    extras: tuple[Extra, ...]
    window: tuple[int, int, int, int] | None = None
    file: str = ""
    image_id: int = 0

    @property
    def split(self) -> str:
        """The split of the image."""
        return self.sample.split

    @property
    def stem(self) -> str:
        """The name of the file without folders and suffix."""
        return PurePosixPath(self.file).stem

    @property
    def suffix(self) -> str:
        """The suffix of the file to write: that of the source; a window is written as PNG or JPEG."""
        own = self.sample.path.suffix
        if self.window is None:
            return own
        return ".png" if own.lower() in _LOSSLESS else ".jpg"

    def data(self) -> bytes:
        """The bytes of the image file."""
        if self.window is None:
            return read_file(self.sample.path, most=MAX_IMAGE, kind="image")
        return encode_image(crop(_decoded(self.sample.path), self.window), self.suffix, self.sample.name)

    def rows(self) -> Iterator[tuple[int, list[float], Extra]]:
        """Class id, edges and extra of each box."""
        return zip(self.boxes.class_id.tolist(), self.boxes.xyxy.tolist(), self.extras, strict=True)


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """The new data set.

    Attributes:
        class_names: the name of each class id.
        category_ids: COCO's category id of each class id.
        entries: the images, by split.
        keypoint_names, flip_idx, skeleton: as in `Dataset`.
    """

    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    entries: tuple[Entry, ...]
    keypoint_names: tuple[str, ...] = ()
    flip_idx: tuple[int, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()

    @property
    def by_split(self) -> dict[str, list[Entry]]:
        """The images of each split."""
        return {split: list(group) for split, group in groupby(self.entries, lambda entry: entry.split)}

    def labelled_points(self, extra: Extra) -> list[tuple[str, Point]]:
        """The key points of a box that somebody marked, with their names, else numbers."""
        names = dict(enumerate(self.keypoint_names))
        return [(names.get(i, str(i)), point) for i, point in enumerate(extra.keypoints) if point[2]]

    @property
    def keypoint_count(self) -> int:
        """The number of key points, if every box that has some has as many; else 0."""
        counts = {len(extra.keypoints) for entry in self.entries for extra in entry.extras} - {0}
        return counts.pop() if len(counts) == 1 else 0


def entry_of(sample: Sample) -> Entry:
    """A sample with its boxes and extras in pixels.

    Raises:
        DataError: if the image is missing or not an image.
    """
    size = sample.size
    extras = sample.extras or (Extra(),) * len(sample.labels)
    if sample.fractions:
        extras = tuple(_in_pixels(extra, size) for extra in extras)
    return Entry(sample, size, sample.ground_truth, extras)


def _in_pixels(extra: Extra, size: tuple[int, int]) -> Extra:
    """An extra in fractions, in pixels."""
    height, width = size
    polygons = tuple(
        tuple((np.reshape(polygon, (-1, 2)) * (width, height)).ravel().tolist()) for polygon in extra.polygons
    )
    points = tuple((x * width, y * height, seen) for x, y, seen in extra.keypoints)
    return replace(extra, polygons=polygons, keypoints=points)


def named(entries: Sequence[Entry], place: Callable[[str], str]) -> tuple[Entry, ...]:
    """Give every image a file name and an id.

    A name is the image's own. If several have it, those of its folders go before (``cam1_0001.jpg``), and
    then a number behind. Characters that not every file system and text file can hold become ``_``.

    Args:
        entries: the images, by split.
        place: the folder of the images of a split; names may repeat in several folders.
    """
    keys = [(place(entry.split), _safe(_stem(entry)).casefold()) for entry in entries]
    often = Counter(keys)
    taken: set[tuple[str, str]] = set()
    ids: set[tuple[str, int]] = set()
    found = []
    for entry, key in zip(entries, keys, strict=True):
        stem = _safe(_stem(entry) if often[key] == 1 else "_".join([*_folders(entry), _stem(entry)]))
        names = chain([stem], (f"{stem}_{number}" for number in count(2)))
        stem = next(name for name in names if (key[0], name.casefold()) not in taken)
        taken.add((key[0], stem.casefold()))
        file = str(PurePosixPath(key[0], stem + entry.suffix))
        found.append(replace(entry, file=file, image_id=_id(entry, ids)))
    return tuple(found)


def _stem(entry: Entry) -> str:
    """The name of the source without its suffix; that of a window has its corner."""
    window = entry.window
    return entry.sample.path.stem + (f"_{window[0]}_{window[1]}" if window else "")


def _folders(entry: Entry) -> list[str]:
    """The folders of an image in its data set that say more than that they hold the images of a split."""
    parts = PurePosixPath(entry.sample.name).parts[:-1]
    return [part for part in parts if part.lower() not in _CONTAINERS and not split_called(part)]


def _safe(stem: str) -> str:
    """A stem that files, lists, XML and URLs can hold, of at most 180 bytes in UTF-8."""
    plain = stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\ufffd", "_")
    clean = "".join("_" if char in _UNSAFE or not char.isprintable() else char for char in plain).strip()
    shown = re.sub(r"^[#.]", "_", clean)  # a comment in lists, a hidden file
    return shown.encode()[:_LONGEST].decode(errors="ignore") or "image"


def _id(entry: Entry, taken: set[tuple[str, int]]) -> int:
    """The image's own id, or the number that it is called, if it is free; else the next number."""
    own = str(entry.sample.image_id)
    wanted = [int(own)] if own.isascii() and own.isdigit() and len(own) < 16 else []
    fresh = len(taken) + 1
    image_id = next(i for i in chain(wanted, count(fresh)) if (entry.split, i) not in taken)
    taken.add((entry.split, image_id))
    return image_id


def xywh(entry: Entry, index: int) -> list[float]:
    """Left, top, width and height of a box; the last two are those of its file, if it has them."""
    (x1, y1, x2, y2), wh = entry.boxes.xyxy[index].tolist(), entry.boxes.wh
    if wh is not None:
        return [x1, y1, *wh[index].tolist()]
    [width] = exact((x2,), (x2 - x1,), lambda width: (x1 + width,))
    [height] = exact((y2,), (y2 - y1,), lambda height: (y1 + height,))
    return [x1, y1, width, height]


def spanning_polygon(edges: Sequence[float], extra: Extra) -> tuple[float, ...] | None:
    """The only polygon of a box, if it has the same edges to 0.01 pixels; else None."""
    if len(extra.polygons) != 1:
        return None
    xs, ys = extra.polygons[0][::2], extra.polygons[0][1::2]
    bounds = (min(xs), min(ys), max(xs), max(ys))
    apart = max(abs(a - b) for a, b in zip(bounds, edges, strict=True))
    return extra.polygons[0] if apart <= _SPAN else None


@lru_cache(maxsize=1)
def _decoded(path: Path) -> Image:
    """An image; its windows follow each other."""
    return read_image(path)
