"""Several GPUs share each step, of one machine or of several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from yolo_cli.config import Device
from yolo_cli.engines import keras_gpus
from yolo_cli.errors import UsageError
from yolo_cli.training.yolo.machines import Machines

__all__ = ["check_device", "shared_step", "sharing"]


def check_device(device: Device) -> None:
    """Raise UsageError if a GPU is asked for, and there is none."""
    if device == "gpu" and not keras_gpus():
        raise UsageError("--device gpu: Keras sees no GPU; try --device cpu")


def sharing(machines: Machines) -> int:
    """How many devices share a step."""
    if machines.count > 1:
        return len(keras.distribution.list_devices())  # those of all machines
    return max(1, keras_gpus()) if keras.backend.backend() in ("jax", "tensorflow") else 1


@contextmanager
def shared_step(machines: Machines) -> Iterator[None]:
    """In this block a model that is built and trained uses all GPUs; one GPU or none changes nothing.

    On JAX, images of a step are spread over the devices of all machines
    (`keras.distribution.DataParallel`). On TensorFlow a mirrored strategy does it for one machine. PyTorch
    uses one device.
    """
    if sharing(machines) < 2:
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
