"""Run one network: ONNX Runtime, or Keras where only that can use the GPU.

An engine takes RGB pixels, uint8 (B, H, W, 3), and returns the raw heads, each float32
(B, rows, columns, channels). Importing this module imports neither runtime.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, UsageError
from yolo_cli.graphs import between, ending_at, import_onnxruntime, multiply_accumulates, open_session
from yolo_cli.hardware import (
    Device,
    check_device,
    check_gpu,
    choose_backend,
    gpu_number,
    gpu_visible,
    missing_for_gpu,
    uses_cuda,
)

__all__ = [
    "Engine",
    "EngineKind",
    "KerasEngine",
    "OnnxEngine",
    "check_keras_device",
    "choose_engine",
    "compiles",
    "keras_device",
    "keras_gpus",
    "onnx_uses_cuda",
    "open_engine",
    "open_parts",
    "unused_gpu",
]

EngineKind = Literal["auto", "onnx", "keras"]
Part = tuple[str, Sequence[int]]
"""Part of a network with several inputs: an input, and the positions of the heads that need only it."""
Heads = list[NDArray[np.float32]]

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class Engine(Protocol):
    """Runs one network. Thread-safe."""

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels).

        The second part of a split network takes float32 features in place of pixels.
        """
        ...

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """Number of multiply-accumulates for a batch of this shape."""
        ...


class OnnxEngine:
    """A network in ONNX Runtime. Thread-safe; threads run concurrently.

    Args:
        path: the file.
        device: "cpu", "gpu" or "auto".
        layer: end at this layer and return its output instead of the heads: float32 (B, channels, rows,
            columns), as ONNX has it; None runs the whole network.
        part: only the part between this input and the heads at these positions; None runs all.

    Raises:
        DataError: if the file is not an ONNX model, or has no such layer or part.
        UsageError: if a GPU is requested that this ONNX Runtime does not support or cannot start.
    """

    def __init__(
        self, path: Path, device: Device = "auto", layer: str | None = None, part: Part | None = None
    ) -> None:
        self._source: Path | bytes = path
        try:
            if layer is not None:
                self._source = ending_at(layer, path)
            if part is not None:
                self._source = between(*part, path)
            self._session = _start(self._source, device)
        except UsageError:
            raise
        except Exception as fault:
            raise DataError(
                f"{path}: is not an ONNX model that can run here ({_first_line(fault)})"
            ) from None
        if device.startswith("gpu") and CUDA not in self._session.get_providers():
            raise UsageError(
                f"--device {device}: ONNX Runtime could not start CUDA; install the CUDA that it needs"
            )
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        return list(self._session.run(None, {self._input: batch}))

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """Number of multiply-accumulates for a batch of this shape, counted from the graph."""
        return multiply_accumulates(self._source, batch)


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
        import yolo_cli.model  # noqa: F401 - its layers must be known before a file names them
        from yolo_cli.framework import keras

        check_keras_device(device)
        _grow_on_demand()
        self._device = device
        try:
            with keras_device(device):
                model = keras.saving.load_model(path, compile=False)
        except Exception as fault:
            raise DataError(f"{path}: cannot be loaded by Keras ({_first_line(fault)})") from None
        model.compile(jit_compile=compiles())
        self._model = model
        self._lock = threading.Lock()

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        with self._lock, keras_device(self._device):
            heads = self._model.predict_on_batch(batch)
        return list(heads) if isinstance(heads, list | tuple) else [heads]

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


def open_engine(path: Path, device: Device = "auto") -> Engine:
    """Open a ``.keras`` or ``.onnx`` file in its engine."""
    return KerasEngine(path, device) if path.suffix == ".keras" else OnnxEngine(path, device)


def open_parts(path: Path, device: Device, parts: Sequence[Part]) -> list[Engine]:
    """An engine for each of ``parts`` of one network; with ONNX, the whole network is not opened.

    Raises:
        DataError: if the network has no such part.
    """
    if path.suffix == ".keras":
        whole = KerasEngine(path, device)
        return [whole.part(*part) for part in parts]
    return [OnnxEngine(path, device, part=part) for part in parts]


def choose_engine(
    kind: EngineKind, device: Device, has_onnx: bool, has_keras: bool
) -> Literal["onnx", "keras"]:
    """The engine to use; "auto" is the first that can use the GPU, else ONNX Runtime.

    Raises:
        DataError: if the model has no file for the requested engine.
        UsageError: if the engine or the device is unknown.
    """
    check_device(device)
    if kind not in get_args(EngineKind):
        raise UsageError(f"--engine is {kind!r}, but must be one of {', '.join(get_args(EngineKind))}")
    if kind == "auto":
        on_gpu = has_keras and has_onnx and _keras_is_for_gpu(device)
        kind = "keras" if on_gpu or not has_onnx else "onnx"
    if not (has_onnx if kind == "onnx" else has_keras):
        raise DataError(f"--engine {kind}: the model has no .{kind} file")
    return kind


def compiles() -> bool:
    """Whether networks are compiled as a whole on this backend, as ``jit_compile`` of Keras asks.

    JAX without it compiles each operation by itself and runs one after the other. XLA under TensorFlow takes
    longer to compile than most runs last, and is not faster on a CPU.
    """
    from yolo_cli.framework import keras

    return bool(keras.backend.backend() == "jax")


def _keras_is_for_gpu(device: Device) -> bool:
    """Whether a GPU is requested that ONNX Runtime cannot use, but Keras can; "auto" requires NVIDIA."""
    return _wants_gpu(device) and not onnx_uses_cuda() and (device != "auto" or _keras_uses_cuda())


def _wants_gpu(device: Device) -> bool:
    return gpu_visible() if device == "auto" else device.startswith("gpu")


def unused_gpu(kind: EngineKind, device: Device) -> str | None:
    """One line on an NVIDIA GPU that the engine cannot use, and what to install; None if there is none."""
    advice = None if device == "cpu" else missing_for_gpu()
    if advice is None or (kind != "keras" and onnx_uses_cuda()):
        return None
    if kind == "onnx":
        return "ONNX Runtime cannot use the NVIDIA GPU; pip install onnxruntime-gpu, or try --engine keras"
    return None if _keras_uses_cuda() else f"nothing here can use the NVIDIA GPU yet; {advice}"


def onnx_uses_cuda() -> bool:
    """Whether this ONNX Runtime is built for NVIDIA GPUs."""
    return CUDA in import_onnxruntime().get_available_providers()


def _keras_uses_cuda() -> bool:
    with suppress(UsageError):
        return uses_cuda(choose_backend())
    return False


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


def _start(source: Path | bytes, device: Device) -> Any:
    """A session on a device, or on the processor if CUDA does not start."""
    providers = _providers(device)
    try:
        return open_session(source, providers)
    except Exception:
        if providers == [CPU]:
            raise
        return open_session(source, [CPU])  # raises, too, if it is the model


def _providers(device: Device) -> list[Any]:
    """ONNX Runtime's execution providers, in order of preference."""
    if _wants_gpu(device) and onnx_uses_cuda():
        return [(CUDA, {"device_id": gpu_number(device) or 0}), CPU]
    if device.startswith("gpu"):
        raise UsageError(
            f"--device {device}: this ONNX Runtime has no GPU support; try --engine keras or --device cpu"
        )
    return [CPU]


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:160]
