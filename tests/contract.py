"""What every detector must keep, whatever its method: `assert_is_detector`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from yolo_cli.detections import Detections
from yolo_cli.detectors import Detector
from yolo_cli.images import Image

__all__ = ["assert_is_detector", "sample_images"]


def sample_images() -> list[Image]:
    """Landscape, portrait, grey and one pixel: what breaks a detector that mixes up its axes."""
    random = np.random.default_rng(0)
    shapes = ((60, 90, 3), (90, 60, 3), (48, 48, 3), (1, 1, 3))
    return [Image(random.integers(0, 256, shape, np.uint8), f"{shape}") for shape in shapes]


def assert_is_detector(detector: Detector, images: Sequence[Image] | None = None) -> None:
    """Fail unless ``detector`` keeps the protocol on ``images``, or on images of noise.

    One `Detections` an image in their order; boxes inside the image with an area; confidences in [0, 1],
    falling; class ids that have a name; the same answer again, alone or among others; no argument changed.
    """
    images = sample_images() if images is None else images
    names = detector.class_names
    assert isinstance(names, tuple), "class_names must be a tuple"
    assert all(isinstance(name, str) for name in names), "class names must be texts"
    before = [image.rgb.copy() for image in images]
    together = detector.detect(images)
    assert isinstance(together, list), "detect must return a list"
    assert len(together) == len(images), "there must be one result an image"
    for image, found in zip(images, together, strict=True):
        _assert_sound(found, image, len(names))
    for image, pixels in zip(images, before, strict=True):
        assert np.array_equal(image.rgb, pixels), f"{image.name}: the image was changed"
    for image, found in zip(images, together, strict=True):
        [alone] = detector.detect([image])
        _assert_same(found, alone, f"{image.name}: another answer alone than among others")
    assert detector.detect([]) == [], "no images must give no results"


def _assert_sound(found: Detections, image: Image, classes: int) -> None:
    assert isinstance(found, Detections), f"{image.name}: a result must be Detections"
    low, high = found.xyxy[:, :2], found.xyxy[:, 2:]
    assert np.isfinite(found.xyxy).all(), f"{image.name}: a box is not finite"
    assert (high > low).all(), f"{image.name}: a box has no area"
    assert (low >= 0).all(), f"{image.name}: a box begins outside the image"
    assert (high <= (image.width, image.height)).all(), f"{image.name}: a box ends outside the image"
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all(), (
        f"{image.name}: confidence not in [0, 1]"
    )
    assert (np.diff(found.confidence) <= 0).all(), f"{image.name}: the most confident do not come first"
    assert ((found.class_id >= 0) & (found.class_id < classes)).all(), f"{image.name}: a class has no name"


def _assert_same(a: Detections, b: Detections, message: str) -> None:
    """Up to what the size of a batch does to the last bits of a network."""
    assert np.array_equal(a.class_id, b.class_id), message
    assert np.allclose(a.xyxy, b.xyxy, atol=0.01), message
    assert np.allclose(a.confidence, b.confidence, atol=1e-4), message
