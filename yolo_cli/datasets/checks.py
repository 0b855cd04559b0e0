"""Checks of one sample's boxes against its image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.inspection import Inspection
from yolo_cli.datasets.sample import Dataset, Sample
from yolo_cli.datasets.sizes import ImageHeader, image_header
from yolo_cli.detections import GroundTruth
from yolo_cli.errors import DataError

__all__ = ["Fault", "faults_of", "in_pixels", "size_faults", "size_findings", "turned"]

OVERHANG = 1.0  # pixels; VOC's numbering from 1 and rounded fractions may differ by this much
SAME_BOX = 0.9  # IoU; typical of an object annotated twice, and very rare for two objects
SAME_PLACE = 0.99  # IoU; boxes of two classes this similar are one box with two labels
_BLOCK = 512  # boxes that are compared with all earlier ones at once
MOST_COMPARED = 5_000  # different boxes of one image
TINY = 3.0  # pixels at the network's size; less than half a cell of the finest grid


class Fault(NamedTuple):
    """One fault of a sample: the rule's code, the box index (None: the whole image), and a description."""

    code: str
    box: int | None
    what: str


def faults_of(sample: Sample, inspection: Inspection, imgsz: int) -> list[Fault]:
    """All faults of a sample whose image has been inspected.

    Args:
        sample: an image and its boxes.
        inspection: of that image.
        imgsz: the longer side of the network's input in pixels, which limits the box size.
    """
    if inspection.header is None:
        return [Fault(inspection.code, None, inspection.fault)]
    height, width = size = inspection.header.upright
    xyxy = in_pixels(sample, size)  # (N, 4)
    faults = list(size_faults(sample, inspection.header, xyxy))
    if not {"Y103", "Y104"} & {fault.code for fault in faults}:
        faults += _outside(xyxy, size)
    return [*faults, *_doubles(xyxy, sample.labels), *_tiny(xyxy, imgsz / max(width, height))]


def size_findings(dataset: Dataset) -> list[Finding]:
    """Labels for another size of their image, or for the image before its EXIF rotation (Y103, Y104).

    Only the images' headers are read; an image that cannot be read has no finding here.
    """
    found = []
    for sample in dataset.samples:
        try:
            header = image_header(sample.path)
        except DataError:
            continue
        faults = size_faults(sample, header, in_pixels(sample, header.upright))
        found += [Finding(it.code, sample.name, it.what) for it in faults if it.code in ("Y103", "Y104")]
    return found


def turned(xyxy: NDArray[np.floating], header: ImageHeader) -> NDArray[np.float64]:
    """Boxes (N, 4) in pixels of the image as stored → in pixels of the upright image, (N, 4).

    The eight orientations are those of EXIF 2.3, tag 274. Flips come first, then the swap of the axes.
    """
    x1, y1, x2, y2 = np.asarray(xyxy, float).T  # (N,) each
    width, height, turn = header.width, header.height, header.orientation
    if turn in (2, 3, 7, 8):
        x1, x2 = width - x2, width - x1
    if turn in (3, 4, 6, 7):
        y1, y2 = height - y2, height - y1
    if turn >= 5:
        x1, y1, x2, y2 = y1, x1, y2, x2
    return np.stack([x1, y1, x2, y2], axis=1)  # (N, 4)


def turned_points(points: NDArray[np.floating], header: ImageHeader) -> NDArray[np.float64]:
    """Key points (…, 3) of the image as stored, in pixels of the upright image; unlabelled ones unchanged."""
    x, y, visibility = np.moveaxis(np.asarray(points, float), -1, 0)  # (…) each
    corners = np.stack([x, y, x, y], axis=-1).reshape(-1, 4)  # a box without width and height
    xy = turned(corners, header)[:, :2].reshape(*x.shape, 2)
    moved = np.concatenate([xy, visibility[..., None]], axis=-1)
    return np.where(visibility[..., None] > 0, moved, points)


def _says_no_size(sample: Sample) -> bool:
    """Whether a label file declares an impossible image size, such as 0 x 0."""
    return sample.declared_size is not None and min(sample.declared_size) <= 0


def in_pixels(sample: Sample, size: tuple[int, int]) -> NDArray[np.float64]:
    """The boxes (N, 4) in pixels of a sample whose image has this height and width."""
    height, width = size
    scale = (width, height, width, height) if sample.fractions else (1, 1, 1, 1)
    return np.asarray(sample.labels.xyxy * np.array(scale, float))


def size_faults(sample: Sample, header: ImageHeader, xyxy: NDArray[np.float64]) -> Iterator[Fault]:
    """Mismatches of size or orientation between the label file and the image."""
    stored, upright, declared = (header.height, header.width), header.upright, sample.declared_size
    sideways = stored != upright
    if _says_no_size(sample):
        yield Fault("Y106", None, "the label gives the image no size; that of the image is taken")
        declared = None
    if declared is not None and declared != upright:
        if not (sideways and declared == stored):
            sizes = f"{declared[1]}x{declared[0]}, the image is {upright[1]}x{upright[0]}"
            yield Fault("Y103", None, f"the label says {sizes}")
        elif len(xyxy):
            yield Fault("Y104", None, _turn_words(header, "the label gives the size before that"))
    elif sideways and len(_beyond(xyxy, upright)) and not len(_beyond(xyxy, stored)):
        yield Fault("Y104", None, _turn_words(header, "the boxes fit only the image before that"))
    elif len(xyxy) and header.orientation > 1 and not (sideways and declared is not None):
        yield Fault("Y105", None, _turn_words(header, "the boxes are taken to be drawn after that"))


def _turn_words(header: ImageHeader, then: str) -> str:
    """The description of an image's EXIF orientation and its consequence."""
    how = "mirrors" if header.orientation in (2, 4) else "turns"
    return f"EXIF {how} the image (orientation {header.orientation}), and {then}"


def _beyond(xyxy: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.intp]:
    """Indices (K,) of the boxes (N, 4) that extend more than a pixel beyond a frame."""
    low = (xyxy[:, :2] < -OVERHANG).any(axis=1)  # (N,)
    high = (xyxy[:, 2:] > np.array(size[::-1]) + OVERHANG).any(axis=1)  # (N,)
    return np.flatnonzero(low | high)


def _outside(xyxy: NDArray[np.float64], size: tuple[int, int]) -> Iterator[Fault]:
    """Boxes completely or partly outside the image."""
    height, width = size
    for i in _beyond(xyxy, size):
        x1, y1, x2, y2 = xyxy[i]
        edges = f"left {x1:.6g}, top {y1:.6g}, right {x2:.6g}, bottom {y2:.6g} of {width}x{height}"
        if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            yield Fault("Y303", int(i), f"the box is completely outside the image: {edges}")
        else:
            yield Fault("Y304", int(i), f"the box sticks out of the image: {edges}")


def _doubles(xyxy: NDArray[np.float64], labels: GroundTruth) -> Iterator[Fault]:
    """Duplicate boxes: each is reported once, with the first earlier box that it repeats.

    Boxes that are equal need no comparison: they repeat what the first of them repeats, or that one. The time
    for the others grows with the square of their number, and is bounded by `MOST_COMPARED`.
    """
    rows = np.column_stack([xyxy, labels.class_id, labels.crowd])  # (N, 6)
    _, first, kind = np.unique(rows, axis=0, return_index=True, return_inverse=True)  # (K,), (N,)
    origin = first[kind.ravel()]  # (N,), the first box that each equals
    distinct = np.sort(first)[:MOST_COMPARED]  # (D,)
    found = dict(_repeats(xyxy[distinct], labels[distinct]))
    for i, one in enumerate(origin.tolist()):
        at = int(np.searchsorted(distinct, one))
        known = [found.get((code, at)) for code in ("Y305", "Y306")] if at < len(distinct) else [None, None]
        for code, partner in zip(("Y305", "Y306"), known, strict=True):
            if partner is not None:
                yield _double(code, i, int(distinct[partner[0]]), partner[1])
        if known[0] is None and one != i and not labels.crowd[i]:
            yield _double("Y305", i, one, 1.0)
    if len(first) > MOST_COMPARED:
        words = f"only the first {MOST_COMPARED:,} of {len(first):,} different boxes were compared"
        yield Fault("Y309", None, words)


def _double(code: str, i: int, j: int, overlap: float) -> Fault:
    what = "repeats" if code == "Y305" else "has another class than"
    return Fault(code, i, f"the box {what} the image's box {j + 1} (IoU {overlap:.2f})")


def _repeats(
    xyxy: NDArray[np.float64], labels: GroundTruth
) -> Iterator[tuple[tuple[str, int], tuple[int, float]]]:
    """Code and index of each duplicate among boxes (D, 4), with the index and IoU of what it repeats."""
    for start in range(0, len(xyxy), _BLOCK):  # in blocks, so that memory is bounded
        stop = min(start + _BLOCK, len(xyxy))
        overlap = np.tril(box_iou(xyxy[start:stop], xyxy[:stop]), start - 1)  # (B, stop); with earlier boxes
        class_id, crowd = labels.class_id[:stop], labels.crowd[:stop]  # (stop,) each
        same = class_id[start:, None] == class_id  # (B, stop)
        single = ~(crowd[start:, None] | crowd)  # (B, stop)
        for code, found in (
            ("Y305", same & single & (overlap >= SAME_BOX)),
            ("Y306", ~same & single & (overlap >= SAME_PLACE)),
        ):
            for i in np.flatnonzero(found.any(axis=1)).tolist():
                j = int(np.argmax(found[i]))
                yield (code, start + i), (j, float(overlap[i, j]))


def _tiny(xyxy: NDArray[np.float64], scale: float) -> Iterator[Fault]:
    """Boxes that are too small at the network's size."""
    sides = (xyxy[:, 2:] - xyxy[:, :2]) * scale  # (N, 2)
    for i in np.flatnonzero(sides.min(axis=1, initial=np.inf) < TINY):
        w, h = sides[i]
        yield Fault("Y307", int(i), f"the box is {w:.1f} x {h:.1f} pixels at the network's size")
