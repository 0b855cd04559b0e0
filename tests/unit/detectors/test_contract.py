"""The contract holds for a plain fake, and each way of breaking it is caught."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.contract import assert_is_detector
from yolo_cli.codec import Candidates
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors import Cost, Times, Trace
from yolo_cli.detectors.regions import proposal_origins
from yolo_cli.detectors.trace import RegionOutput, RegionScores, Selection
from yolo_cli.images import Image
from yolo_cli.weights import ModelCard


def sound(image: Image) -> Detections:
    """The whole image twice, as two classes."""
    box = [0, 0, image.width, image.height]
    return Detections(np.float32([box, box]), np.float32([0.9, 0.4]), np.array([1, 0]))


class Fake:
    """A detector that predicts ``answer`` for each image, as if from one region each."""

    card = ModelCard("fake", ("cat", "dog"), (), (64, 64), "stretch")
    class_names: tuple[str, ...] = ("cat", "dog")
    input_size = (64, 64)

    def __init__(
        self, answer: Callable[[Image], Detections] = sound, config: DetectConfig | None = None
    ) -> None:
        self.answer, self.config = answer, config or DetectConfig()

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        found = [self.answer(image) for image in images]
        return found if self.config.conf < 1 else [one[:0] for one in found]

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        return self.detect(images), Times(0.0, 1.0, 0.0)

    def trace(self, image: Image) -> Trace:
        [found] = self.detect([image])
        order = np.arange(len(found))
        candidates = Candidates(found.xyxy, found.confidence, found.class_id, order)
        scores = RegionScores(np.zeros((len(found), 2)), found.xyxy[:, None])
        return Trace(
            Times(0.0, 1.0, 0.0),
            Selection(candidates, found.xyxy, order, order, found),
            proposed=RegionOutput(found.xyxy, scores, proposal_origins),
        )

    def cost(self, _image: Image) -> Cost:
        return Cost(1, 0)

    def with_config(self, config: DetectConfig) -> Fake:
        return type(self)(self.answer, config)


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


class OtherNames(Fake):
    class_names = ("cat", "cow")


class Timeless(Fake):
    def detect_timed(self, images):
        return self.detect(images), Times(0.0, float("nan"), 0.0)


class OtherwiseTimed(Fake):
    def detect_timed(self, images):
        return [found[:1] for found in self.detect(images)], Times(0.0, 1.0, 0.0)


class OtherwiseTraced(Fake):
    def trace(self, image):
        return Fake(lambda image: sound(image)[:1]).trace(image)


class Untraced(Fake):
    def trace(self, image):
        return replace(super().trace(image), proposed=None)


class Unselected(Fake):
    """Returns what suppression removed."""

    def trace(self, image):
        trace = super().trace(image)
        return replace(trace, selection=replace(trace.selection, kept=trace.selection.kept[:1]))


class FromNowhere(Fake):
    """Its candidates come from regions that do not exist."""

    def trace(self, image):
        trace = super().trace(image)
        candidates = replace(trace.selection.candidates, slot=trace.selection.candidates.slot + 1)
        return replace(trace, selection=replace(trace.selection, candidates=candidates))


class Free(Fake):
    def cost(self, _image):
        return Cost(0, 0)


class Stubborn(Fake):
    def with_config(self, _config):
        return self


class Changing(Fake):
    def with_config(self, config):
        self.config = config
        return self


@pytest.mark.parametrize(
    "broken",
    [
        *(Forgetful, Reversed, Remembering, OneForAll, Lists, Nameless, OtherNames, Timeless, OtherwiseTimed),
        *(OtherwiseTraced, Untraced, Unselected, FromNowhere, Free, Stubborn, Changing),
    ],
)
def test_a_broken_detector_is_caught(broken):
    with pytest.raises(AssertionError):
        assert_is_detector(broken())
