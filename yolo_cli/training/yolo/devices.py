"""Data-parallel training on several GPUs, of one machine or of several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from yolo_cli.engines import keras_device, keras_gpus
from yolo_cli.hardware import Device, gpu_number
from yolo_cli.training.yolo.machines import Machines

__all__ = ["shared_step", "sharing"]


def sharing(machines: Machines, device: Device) -> int:
    """How many devices share a step: one if it is the processor, or one GPU by its number."""
    if machines.count > 1:
        return len(keras.distribution.list_devices())  # of all machines
    one = device == "cpu" or gpu_number(device) is not None
    if one or keras.backend.backend() not in ("jax", "tensorflow"):
        return 1
    return max(1, keras_gpus())


@contextmanager
def shared_step(machines: Machines, device: Device) -> Iterator[None]:
    """In this block a model that is built and trained uses ``device``; all GPUs if it names none of them.

    On JAX, batches are split over the devices of all machines (`keras.distribution.DataParallel`), on
    TensorFlow over those of one machine (mirrored strategy). PyTorch uses one device.
    """
    if sharing(machines, device) < 2:
        with keras_device(device):
            yield
    elif keras.backend.backend() == "jax":
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)
    else:
        with _mirrored():
            yield


def _mirrored() -> Any:
    import tensorflow as tf

    return tf.distribute.MirroredStrategy().scope()
