"""Defaults that depend on the data and the machine."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

from yolo_cli.config import TrainConfig
from yolo_cli.hardware import memory

__all__ = ["Phase", "batch_for", "epochs_for", "free_memory", "learning_rate_for", "phases"]

# A batch needs enough images for stable batch statistics, an epoch enough steps.
BATCHES = (32, 16, 8)
STEPS_AN_EPOCH = 24

USUAL_EPOCHS = 50  # for 80 to 200 images
SMALL_SET, LARGE_SET = 80, 200
FEWEST_EPOCHS, MOST_EPOCHS = 12, 300
USUAL_INPUT = 300_000  # pixels: a little more than 512 × 512; a larger input has fewer epochs

NEW_RATE, KNOWN_RATE = 1e-3, 2e-4
WELL_KNOWN = 0.5  # mAP50 from which a model needs only small steps

BYTES_A_VALUE = 16  # copies of each activation: the value, its gradient, and data kept for the backward pass


@dataclass(frozen=True, slots=True)
class Phase:
    """Epochs in which the same layers are trained.

    Attributes:
        start, stop: first epoch, and the one after the last, from 0.
        frozen: whether only new layers are trained.
    """

    start: int
    stop: int
    frozen: bool


def phases(config: TrainConfig, epochs: int) -> list[Phase]:
    """The phases of a run: only new layers for ``config.freeze`` epochs, then all layers.

    >>> phases(TrainConfig(freeze=2), 10)
    [Phase(start=0, stop=2, frozen=True), Phase(start=2, stop=10, frozen=False)]
    """
    freeze = min(config.freeze, epochs)
    both = [Phase(0, freeze, True), Phase(freeze, epochs, False)]
    return [phase for phase in both if phase.stop > phase.start]


def epochs_for(images: int, pixels: int = USUAL_INPUT) -> int:
    """Default number of epochs for a number of images, and an input of so many pixels.

    A step takes as long as the input has pixels. A network that gets many, for the sake of small objects,
    learns in fewer epochs, so part of that time is saved: twice the pixels have 0.71 times the epochs.

    >>> epochs_for(8), epochs_for(96), epochs_for(450), epochs_for(2000), epochs_for(20000)
    (300, 50, 33, 16, 12)
    >>> epochs_for(96, 672 * 896), epochs_for(450, 672 * 896)
    (35, 24)
    """
    usual = min(MOST_EPOCHS, USUAL_EPOCHS * SMALL_SET // images) if images < SMALL_SET else USUAL_EPOCHS
    fewer = min(1.0, sqrt(LARGE_SET / images)) * min(1.0, sqrt(USUAL_INPUT / pixels))
    return max(FEWEST_EPOCHS, round(usual * fewer))


def learning_rate_for(map50: float) -> float:
    """The peak learning rate for a model with this mAP50 before training.

    Large steps destroy what the model has learned; new classes need them.

    >>> [round(learning_rate_for(known), 5) for known in (0, 0.25, 0.5, 0.7)]
    [0.001, 0.00045, 0.0002, 0.0002]
    """
    known = min(1.0, map50 / WELL_KNOWN)
    return float(NEW_RATE ** (1 - known) * KNOWN_RATE**known)


def batch_for(images: int, bytes_an_image: float, free_bytes: float) -> int:
    """Default batch size: as large as possible with enough steps per epoch, and half of the memory free.

    >>> batch_for(205, 2e8, 16e9), batch_for(450, 2e8, 16e9), batch_for(450, 2e8, 4e9)
    (8, 16, 8)
    """
    batch = next((size for size in BATCHES if images // size >= STEPS_AN_EPOCH), BATCHES[-1])
    while batch > 1 and batch * bytes_an_image > free_bytes / 2:
        batch //= 2
    return batch


def bytes_an_image(model: Any, size: tuple[int, int]) -> float:
    """Estimated memory of a training step per image of this height and width."""
    from yolo_cli.framework import keras

    outputs = [layer.output for layer in model.layers if not isinstance(layer.output, list)]
    everything = keras.Model(model.input, outputs)
    given = everything.compute_output_spec(keras.KerasTensor((1, *size, 3), dtype="uint8"))
    return float(BYTES_A_VALUE * sum(prod(tensor.shape) for tensor in given))


def free_memory() -> float:
    """Free memory in bytes, as reported by Linux; 8 GiB elsewhere."""
    return float(memory()[1] or 8 * 2**30)
