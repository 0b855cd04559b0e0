"""Several GPUs of one machine share each step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from yolo_cli.config import Device
from yolo_cli.engines import keras_gpus
from yolo_cli.errors import UsageError

__all__ = ["check_device", "shared_step"]


def check_device(device: Device) -> None:
    """Raise UsageError if a GPU is asked for, and there is none."""
    if device == "gpu" and not keras_gpus():
        raise UsageError("--device gpu: Keras sees no GPU; try --device cpu")


@contextmanager
def shared_step() -> Iterator[None]:
    """In this block a model that is built and trained uses all GPUs; one GPU or none changes nothing.

    On JAX, pictures of a step are spread over devices (`keras.distribution.DataParallel`), and over machines,
    too, where `keras.distribution.initialize` was called before. On TensorFlow a mirrored strategy does it.
    PyTorch uses one device.
    """
    count, backend = keras_gpus(), keras.backend.backend()
    if count < 2 or backend not in ("jax", "tensorflow"):
        yield
    elif backend == "jax":
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
