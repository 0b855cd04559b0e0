"""What every detector must keep, whatever its method: `assert_is_detector`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors import Cost, Detector, Times, Trace
from yolo_cli.images import Image

__all__ = ["assert_is_detector", "sample_images"]


def sample_images() -> list[Image]:
    """Landscape, portrait, grey and one pixel: what breaks a detector that mixes up its axes."""
    random = np.random.default_rng(0)
    shapes = ((60, 90, 3), (90, 60, 3), (48, 48, 3), (1, 1, 3))
    return [Image(random.integers(0, 256, shape, np.uint8), f"{shape}") for shape in shapes]


def assert_is_detector(
    detector: Detector, images: Sequence[Image] | None = None, *, cost: bool = True
) -> None:
    """Fail unless ``detector`` keeps the protocol on ``images``, or on images of noise.

    One `Detections` an image in their order; boxes inside the image with an area; confidences in [0, 1],
    falling; class ids that have a name; the same detections again, alone, among others, timed and traced; a
    trace that fits together; a cost, unless the engine cannot count it (``cost=False``); another config
    without changing this one; no argument changed.
    """
    images = sample_images() if images is None else images
    _assert_describes_itself(detector)
    names = detector.class_names
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
    timed, times = detector.detect_timed(images)
    _assert_times(times)
    for image, found, again in zip(images, together, timed, strict=True):
        _assert_same(found, again, f"{image.name}: another answer timed than not")
    assert detector.detect_timed([])[0] == [], "no images must give no results, timed or not"
    for image, found in zip(images[:2], together, strict=False):
        trace = detector.trace(image)
        _assert_same(found, trace.detections, f"{image.name}: another answer traced than not")
        _assert_trace(trace, image)
    if cost:
        _assert_cost(detector, images[0])
    _assert_other_config(detector, images[0])


def _assert_describes_itself(detector: Detector) -> None:
    names = detector.class_names
    assert isinstance(names, tuple), "class_names must be a tuple"
    assert all(isinstance(name, str) for name in names), "class names must be texts"
    assert detector.card.class_names == names, "the class names must be those of the card"
    assert isinstance(detector.config, DetectConfig), "config must be a DetectConfig"
    height, width = detector.input_size
    assert min(height, width) >= 1, "input_size must be a height and a width"


def _assert_times(times: Times) -> None:
    spent = (times.prepare_ms, times.infer_ms, times.post_ms)
    assert all(np.isfinite(part) and part >= 0 for part in spent), "times must be finite and at least 0"


def _assert_trace(trace: Trace, image: Image) -> None:
    _assert_times(trace.times)
    outputs = [part for part in (trace.grid, trace.proposed, trace.tiled) if part is not None]
    assert len(outputs) == 1, "a trace needs a grid, regions or tiles, and only one"
    chosen, count = trace.selection, len(trace.selection.candidates)
    assert chosen.boxes.shape == (count, 4), f"{image.name}: not one box a candidate"
    assert set(chosen.returned.tolist()) <= set(chosen.kept.tolist()) <= set(range(count)), (
        f"{image.name}: returned, kept and candidates must each be part of the next"
    )
    class_id = chosen.candidates.class_id[chosen.returned]
    assert np.array_equal(class_id, trace.detections.class_id), f"{image.name}: other boxes are returned"
    slot = chosen.candidates.slot
    assert ((slot >= 0) & (slot < trace.evaluated)).all(), f"{image.name}: a candidate comes from nowhere"
    if trace.proposed is not None:
        assert trace.proposed.regions.shape == (trace.evaluated, 4), f"{image.name}: regions must be (N, 4)"
        assert len(trace.proposed.origins(slot)) == count, f"{image.name}: an origin is missing"


def _assert_cost(detector: Detector, image: Image) -> None:
    cost = detector.cost(image)
    assert isinstance(cost, Cost), "cost must be a Cost"
    assert min(cost.whole, cost.each) >= 0 < cost.whole + cost.each, "a network costs something"


def _assert_other_config(detector: Detector, image: Image) -> None:
    before = detector.config
    other = detector.with_config(replace(before, conf=1.0))
    assert len(other.detect([image])[0]) == 0, "nothing is above a confidence of 1"
    assert detector.config == before, "with_config must leave the detector as it is"
    assert other.card == detector.card, "with_config must keep the model"


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
