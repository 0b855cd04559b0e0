"""What an augmentation may be set to."""

from __future__ import annotations

from dataclasses import fields

import pytest

from yolo_cli.config import AugmentConfig
from yolo_cli.errors import UsageError


@pytest.mark.parametrize("name", [field.name for field in fields(AugmentConfig)])
def test_below_0_and_far_above_are_refused(name):
    for value in (-0.1, 9, float("nan")):
        with pytest.raises(UsageError, match=rf"augmentation {name} is .*, but must be between 0 and"):
            AugmentConfig(**{name: value})


def test_limits_themselves_are_allowed():
    AugmentConfig(scale=4, aspect=0, shift=0.5, hue=0.5, mosaic=1, mixup=1, min_visible=1)
    with pytest.raises(UsageError, match=r"shift is 0\.6, but must be between 0 and 0\.5"):
        AugmentConfig(shift=0.6)
