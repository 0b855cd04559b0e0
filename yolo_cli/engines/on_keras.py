"""Run a network in Keras, and ask Keras which devices it sees. Importing this module does not import it."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from yolo_cli.engines.protocol import Heads, failing
from yolo_cli.errors import UsageError
from yolo_cli.hardware import Device, check_gpu, gpu_number, missing_for_gpu

__all__ = ["KerasEngine", "check_keras_device", "compiles", "keras_device", "keras_gpus"]


class KerasEngine:
    """A network in Keras, on whatever backend ``KERAS_BACKEND`` names; TensorFlow if none is named.

    Thread-safe: calls are serialised, since not every backend allows concurrent ones.

    Raises:
        DataError: if the file is not a Keras model.
        UsageError: if a GPU is requested but Keras sees none.
    """

    def __init__(self, path: Path, device: Device = "auto") -> None:
        # JAX reads this where it starts, and would take three quarters of the GPU's memory at once.
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        from yolo_cli.model.keras_file import load_keras

        check_keras_device(device)
        _grow_on_demand()
        self._device = device
        with keras_device(device):
            model = load_keras(path)
        model.compile(jit_compile=compiles())
        self._model, self._name = model, str(path)
        self._lock = threading.Lock()

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        with self._lock, keras_device(self._device), failing(self._name):
            heads = self._model.predict_on_batch(batch)
        return list(heads) if isinstance(heads, list | tuple) else [heads]

    @property
    def channels(self) -> list[int | None]:
        """The channels of each head, where the file says them."""
        return [output.shape[-1] for output in self._model.outputs]

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """Not available: it is counted from ONNX graphs.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"--engine keras: arithmetic for {batch.shape} is counted from .onnx files; use onnx"
        )

    def part(self, name: str, heads: Sequence[int]) -> KerasEngine:
        """The part of a network between the input ``name`` and some heads."""
        from yolo_cli.framework import keras

        [start] = [start for start in self._model.inputs if start.name == name]
        part = copy.copy(self)
        part._model = keras.Model(start, [self._model.outputs[place] for place in heads])
        part._model.compile(jit_compile=compiles())
        return part


def compiles() -> bool:
    """Whether networks are compiled as a whole on this backend, as ``jit_compile`` of Keras asks.

    JAX without it compiles each operation by itself and runs one after the other. XLA under TensorFlow takes
    longer to compile than most runs last, and is not faster on a CPU.
    """
    from yolo_cli.framework import keras

    return bool(keras.backend.backend() == "jax")


def check_keras_device(device: Device, say: Callable[[str], object] | None = None) -> None:
    """Raise UsageError if a GPU is requested that Keras does not see.

    Args:
        device: the requested device.
        say: called, for "auto", with what to install for an NVIDIA GPU that Keras does not see.
    """
    from yolo_cli.framework import keras

    if device.startswith("gpu"):
        check_gpu(device, keras_gpus(), "Keras")
    name = keras.backend.backend()
    advice = missing_for_gpu(name) if device == "auto" and say else None
    if advice and say and not keras_gpus():
        say(f"{name} cannot use the NVIDIA GPU here, and computes on the CPU; {advice}")


def keras_device(device: Device) -> AbstractContextManager[Any]:
    """A context in which Keras computes on this device; "auto" and "gpu" leave it to the backend."""
    from yolo_cli.framework import keras

    number = gpu_number(device)
    if device != "cpu" and number is None:
        return nullcontext()
    scope: AbstractContextManager[Any] = keras.device("cpu" if number is None else f"gpu:{number}")
    return scope


def _grow_on_demand() -> None:
    """Let TensorFlow grow GPU memory on demand, unless the program has configured it already."""
    from yolo_cli.framework import keras

    if keras.backend.backend() != "tensorflow":
        return
    from tensorflow import config

    gpus = config.list_physical_devices("GPU")
    if any(config.experimental.get_memory_growth(gpu) is not None for gpu in gpus):
        return
    with suppress(RuntimeError, ValueError):  # it runs already, or has a limit
        for gpu in gpus:
            config.experimental.set_memory_growth(gpu, True)


def keras_gpus() -> int:
    """Number of GPUs that Keras's backend sees."""
    from yolo_cli.framework import keras

    if keras.backend.backend() == "torch":
        import torch

        return int(torch.cuda.device_count())
    if keras.backend.backend() == "jax":
        import jax  # Keras asks JAX for GPUs only, which raises if there is none

        return sum(device.platform == "gpu" for device in jax.local_devices())
    return len(keras.distribution.list_devices("gpu"))
