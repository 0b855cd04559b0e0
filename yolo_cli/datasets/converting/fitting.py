"""Labels that were made for another size of their image, or before its EXIF rotation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.checks import in_pixels, size_faults, turned, turned_points
from yolo_cli.datasets.extras import Extra
from yolo_cli.datasets.sizes import ImageHeader, image_header
from yolo_cli.datasets.writing import Entry
from yolo_cli.errors import DataError

__all__ = ["fitted"]


def fitted(entry: Entry) -> tuple[Entry, bool]:
    """An image whose boxes fit it, and whether they had to be turned with it, as ``lint --fix`` turns them.

    Raises:
        DataError: if the label gives another size than the image has: its boxes would be elsewhere.
    """
    sample = entry.sample
    header = image_header(sample.path)
    faults = {it.code: it.what for it in size_faults(sample, header, in_pixels(sample, header.upright))}
    if "Y103" in faults:
        raise DataError(f"Y103 {sample.name}: {faults['Y103']}")
    if "Y104" not in faults:
        return entry, False
    boxes = entry.boxes.moved(turned(entry.boxes.xyxy, header))
    return replace(entry, boxes=boxes, extras=tuple(_turned(extra, header) for extra in entry.extras)), True


def _turned(extra: Extra, header: ImageHeader) -> Extra:
    """An extra in pixels of the image as stored, in pixels of the upright image; without its mask."""
    polygons = tuple(
        tuple(_points(np.reshape(polygon, (-1, 2)), header).ravel().tolist()) for polygon in extra.polygons
    )
    points = tuple(map(tuple, turned_points(np.reshape(extra.keypoints, (-1, 3)), header).tolist()))
    return replace(extra, polygons=polygons, keypoints=points, mask=None)


def _points(xy: NDArray[np.float64], header: ImageHeader) -> NDArray[np.float64]:
    """Points (N, 2), turned as boxes without width and height: (N, 2)."""
    return turned(np.hstack([xy, xy]), header)[:, :2]
