"""Data-parallel training on several GPUs, of one machine or of several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from yolo_cli.engines import keras_device, keras_gpus
from yolo_cli.framework import keras
from yolo_cli.hardware import Device, gpu_number
from yolo_cli.training.yolo.machines import Machines

__all__ = ["placed", "shared_step", "sharing"]


def sharing(machines: Machines, device: Device) -> int:
    """How many devices share a step: one if it is the processor, or one GPU by its number."""
    if machines.count > 1:
        return len(keras.distribution.list_devices())  # of all machines
    one = device == "cpu" or gpu_number(device) is not None
    if one or keras.backend.backend() not in ("jax", "tensorflow"):
        return 1
    return max(1, keras_gpus())


def placed(machines: Machines, device: Device) -> AbstractContextManager[Any]:
    """A context in which a run computes on ``device``, if that is a single one.

    It covers the whole run: evaluation and the final figures, too, would otherwise use the first GPU.
    """
    return keras_device(device) if sharing(machines, device) < 2 else nullcontext()


def shared_step(machines: Machines, device: Device) -> AbstractContextManager[Any]:
    """A context in which a model that is built and trained splits its batches over several devices.

    On JAX these are the devices of all machines (`keras.distribution.DataParallel`), on TensorFlow those of
    one machine (mirrored strategy). PyTorch uses one device.
    """
    if sharing(machines, device) < 2:
        return nullcontext()
    return _data_parallel() if keras.backend.backend() == "jax" else _mirrored()


@contextmanager
def _data_parallel() -> Iterator[None]:
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def _mirrored() -> Any:
    import tensorflow as tf

    return tf.distribute.MirroredStrategy().scope()
