"""What happens around an epoch."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
import pytest

from yolo_cli.config import TrainConfig
from yolo_cli.training.checkpoint import State
from yolo_cli.training.yolo.callbacks import FreezeStatisticsCallback
from yolo_cli.training.yolo.journey import Journey
from yolo_cli.training.yolo.schedule import Schedule


def means_after_each_epoch(fraction: float) -> list[float]:
    """The moving mean of ones, twos, threes, fours: an epoch of one step each.

    It begins with 0, and its momentum is 0.5: 0.5, 0.25 + 1 = 1.25, 0.625 + 1.5 = 2.125, 1.0625 + 2 = 3.0625.
    """
    layer = keras.layers.BatchNormalization(momentum=0.5)
    model = keras.Sequential([keras.Input((1,)), layer])
    schedule = Schedule(TrainConfig(close_mosaic=fraction), 1.0, 4, 1)
    callback = FreezeStatisticsCallback(Journey(schedule, State(), time.monotonic()))
    callback.set_model(model)
    found: list[Any] = []
    for epoch in range(4):
        callback.on_epoch_begin(epoch)
        model(np.full((8, 1), epoch + 1.0, np.float32), training=True)
        callback.on_epoch_end(epoch)
        found.append(float(layer.moving_mean.value[0]))
    return found


def test_statistics_are_frozen_once_mosaic_is_closed() -> None:
    # Before its only step each epoch is at 0, 1/4, 1/2, 3/4 of the run: in the last two mosaic is closed.
    assert means_after_each_epoch(0.5) == pytest.approx([0.5, 1.25, 1.25, 1.25])
    assert means_after_each_epoch(0.3) == pytest.approx([0.5, 1.25, 2.125, 2.125])


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_nothing_is_frozen_where_all_epochs_are_alike(fraction: float) -> None:
    assert means_after_each_epoch(fraction) == pytest.approx([0.5, 1.25, 2.125, 3.0625])
