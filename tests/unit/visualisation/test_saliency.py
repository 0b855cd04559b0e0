"""A detector that looks at one place: the saliency is there, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.visualisation.saliency import random_masks, show_saliency

BOX = [10, 10, 70, 50]
EYE = (slice(20, 26), slice(50, 56))  # rows, columns


@dataclass(frozen=True)
class OneEyed:
    """Finds a cat in `BOX` as surely as `EYE` is bright."""

    config: DetectConfig = field(default_factory=DetectConfig)
    class_names: tuple[str, ...] = ("dog", "cat")

    def detect(self, images):
        return [self._found(float(image.rgb[EYE].mean() / 255)) for image in images]

    def _found(self, brightness):
        if brightness < self.config.conf:
            return Detections()
        return Detections(np.float32([BOX]), np.float32([brightness]), np.array([1]))

    def with_config(self, config):
        return replace(self, config=config)


IMAGE = Image(np.full((60, 90, 3), 250, np.uint8), "white.png")


def test_the_place_that_the_detector_looks_at():
    shown = show_saliency(OneEyed(), IMAGE, masks=200)
    y, x = np.unravel_index(shown.values.argmax(), shown.values.shape)
    assert (abs(y - 23) <= 6, abs(x - 53) <= 9) == (True, True)  # a cell of a mask is 6 x 9 pixels
    assert shown.values[23, 53] > 1.3 * np.median(shown.values)
    assert shown.inside > 0.7
    assert shown.to_text().startswith("white.png: cat 0.980, 200 masks; most salient at ")
    assert shown.plot().shape[2] == 3


def test_equal_seeds_are_equal():
    first, again, other = (show_saliency(OneEyed(), IMAGE, masks=9, seed=seed).values for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_half_of_the_pixels_are_seen():
    masks = np.stack(list(random_masks((60, 90), 300, np.random.default_rng(0))))
    assert masks.shape == (300, 60, 90)
    assert masks.mean() == pytest.approx(0.5, abs=0.02)
    assert np.abs(masks.mean(0) - 0.5).max() < 0.15  # no place is left out


def test_nothing_to_explain():
    with pytest.raises(UsageError, match="nothing was found in the image"):
        show_saliency(OneEyed(DetectConfig(conf=0.99)), IMAGE)
    with pytest.raises(UsageError, match="nothing was found at the point"):
        show_saliency(OneEyed(), IMAGE, (2, 2))
    with pytest.raises(UsageError, match="outside"):
        show_saliency(OneEyed(), IMAGE, (90, 2))


def test_the_object_at_the_point():
    assert show_saliency(OneEyed(), IMAGE, (12, 12), masks=2).xyxy == (10, 10, 70, 50)
