"""The contract holds for a plain fake, and each way of breaking it is caught."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.contract import assert_is_detector
from yolo_cli.detections import Detections
from yolo_cli.images import Image


def sound(image: Image) -> Detections:
    """The whole image twice, as two classes."""
    box = [0, 0, image.width, image.height]
    return Detections(np.float32([box, box]), np.float32([0.9, 0.4]), np.array([1, 0]))


class Fake:
    """A detector that says ``answer`` of each image."""

    class_names: tuple[str, ...] = ("cat", "dog")

    def __init__(self, answer: Callable[[Image], Detections] = sound) -> None:
        self.answer = answer

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        return [self.answer(image) for image in images]


def test_a_sound_detector_passes():
    assert_is_detector(Fake())


def test_finding_nothing_is_sound():
    assert_is_detector(Fake(lambda image: Detections()))


def changed(**parts: object) -> Callable[[Image], Detections]:
    """An answer with other boxes, confidences or class ids than the sound ones."""

    def answer(image: Image) -> Detections:
        found = sound(image)
        values = {"xyxy": found.xyxy, "confidence": found.confidence, "class_id": found.class_id}
        return Detections(**{**values, **{k: f(values[k], image) for k, f in parts.items()}})

    return answer


def scribble(image: Image) -> Detections:
    image.rgb[0, 0] += 1
    return sound(image)


BROKEN = {
    "axes swapped": changed(xyxy=lambda b, i: np.float32([[0, 0, i.height, i.width]] * 2)),
    "outside": changed(xyxy=lambda b, i: b + 1),
    "negative": changed(xyxy=lambda b, i: b - 1),
    "no area": changed(xyxy=lambda b, i: b * np.float32([1, 1, 0, 1])),
    "not finite": changed(xyxy=lambda b, i: b * np.float32(np.nan)),
    "confidence above 1": changed(confidence=lambda c, i: c * 2),
    "confidence below 0": changed(confidence=lambda c, i: c - 0.5),
    "least confident first": changed(confidence=lambda c, i: c[::-1].copy()),
    "class without a name": changed(class_id=lambda c, i: c + 1),
    "changes the image": scribble,
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_answer_is_caught(how):
    with pytest.raises(AssertionError):
        assert_is_detector(Fake(BROKEN[how]))


class Forgetful(Fake):
    def detect(self, images):
        return super().detect(images)[:-1]


class Reversed(Fake):
    def detect(self, images):
        return super().detect(images)[::-1]


class Remembering(Fake):
    """Says something else when asked again."""

    calls = 0

    def detect(self, images):
        self.calls += 1
        return [found[: self.calls % 2 + 1] for found in super().detect(images)]


class OneForAll(Fake):
    def detect(self, images):
        return super().detect(images) or [Detections()]


class Lists(Fake):
    def detect(self, images):
        return iter(super().detect(images))


class Nameless(Fake):
    class_names = ["cat", "dog"]  # type: ignore[assignment]  # noqa: RUF012


@pytest.mark.parametrize("broken", [Forgetful, Reversed, Remembering, OneForAll, Lists, Nameless])
def test_a_broken_detector_is_caught(broken):
    with pytest.raises(AssertionError):
        assert_is_detector(broken())
