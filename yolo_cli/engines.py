"""Run one network: ONNX Runtime on a CPU, Keras where a GPU is present.

An engine takes RGB pixels, uint8 (B, H, W, 3), and returns the raw heads, each float32
(B, rows, columns, channels). Importing this module imports neither runtime.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import Device
from yolo_cli.errors import DataError, UsageError
from yolo_cli.graphs import between, ending_at, import_onnxruntime, multiply_accumulates, open_session

__all__ = [
    "Device",
    "Engine",
    "EngineKind",
    "KerasEngine",
    "OnnxEngine",
    "choose_engine",
    "compiles",
    "gpu_present",
    "keras_gpus",
    "open_engine",
    "open_parts",
]

EngineKind = Literal["auto", "onnx", "keras"]
Part = tuple[str, Sequence[int]]
"""Of a network with several inputs: the name of one, and the positions of the heads that need only it."""
Heads = list[NDArray[np.float32]]


class Engine(Protocol):
    """Runs one network. Several threads may share it."""

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels).

        The second half of a network that was cut in two takes features, float32, in place of pixels.
        """
        ...

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """How many multiply-accumulates a run on such a batch needs."""
        ...


class OnnxEngine:
    """A network in ONNX Runtime. Several threads may run it at once.

    Args:
        path: the file.
        device: where it runs.
        layer: end at this layer and return its output instead of the heads: float32 (B, channels, rows,
            columns), as ONNX has it; None runs the whole network.
        part: only the part between the input of this name and the heads at these positions; None takes all.

    Raises:
        DataError: if the file is not an ONNX model, or has no such layer or part.
        UsageError: if a GPU is asked for, and this ONNX Runtime does not support one.
    """

    def __init__(
        self, path: Path, device: Device = "auto", layer: str | None = None, part: Part | None = None
    ) -> None:
        providers = _providers(device)
        self._source: Path | bytes = path
        try:
            if layer is not None:
                self._source = ending_at(layer, path)
            if part is not None:
                self._source = between(*part, path)
            self._session = open_session(self._source, providers)
        except Exception as fault:
            raise DataError(
                f"{path}: is not an ONNX model that can run here ({_first_line(fault)})"
            ) from None
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        return list(self._session.run(None, {self._input: batch}))

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """How many multiply-accumulates a run on such a batch needs, counted from the graph."""
        return multiply_accumulates(self._source, batch)


class KerasEngine:
    """A network in Keras, on whatever backend ``KERAS_BACKEND`` names; TensorFlow if none is named.

    Several threads may share one: they run one after the other, as not every backend allows more.

    Raises:
        DataError: if the file is not a Keras model.
        UsageError: if a GPU is asked for and Keras sees none.
    """

    def __init__(self, path: Path, device: Device = "auto") -> None:
        import yolo_cli.model  # noqa: F401, I001 - first: its layers must be known before a file names them
        import keras

        if device == "gpu" and not keras_gpus():
            raise UsageError("--device gpu: Keras sees no GPU; try --device cpu")
        self._scope: Any = keras.device("cpu") if device == "cpu" else None
        try:
            model = keras.saving.load_model(path, compile=False)
        except Exception as fault:
            raise DataError(f"{path}: cannot be loaded by Keras ({_first_line(fault)})") from None
        model.compile(jit_compile=compiles())
        self._model = model
        self._lock = threading.Lock()

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        with self._lock, self._scope or nullcontext():
            heads = self._model.predict_on_batch(batch)
        return list(heads) if isinstance(heads, list | tuple) else [heads]

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """Not known: it is counted from ONNX graphs.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"--engine keras: arithmetic for {batch.shape} is counted from .onnx files; use onnx"
        )

    def part(self, name: str, heads: Sequence[int]) -> KerasEngine:
        """Of a network with several inputs the part between the one called ``name`` and some heads."""
        import keras

        [start] = [start for start in self._model.inputs if start.name == name]
        part = copy.copy(self)
        part._model = keras.Model(start, [self._model.outputs[place] for place in heads])
        part._model.compile(jit_compile=compiles())
        return part


def open_engine(path: Path, device: Device = "auto") -> Engine:
    """The network of a ``.keras`` or ``.onnx`` file, in the engine for it."""
    return KerasEngine(path, device) if path.suffix == ".keras" else OnnxEngine(path, device)


def open_parts(path: Path, device: Device, parts: Sequence[Part]) -> list[Engine]:
    """Some ``parts`` of the network of one file, each as an engine; the whole is not opened for ONNX.

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
    """Which engine runs: what was asked for, else Keras where a GPU is present and ONNX Runtime elsewhere.

    Raises:
        DataError: if the model has no file for the engine that was asked for.
    """
    if kind == "auto":
        gpu = device == "gpu" or (device == "auto" and gpu_present())
        kind = "keras" if has_keras and (gpu or not has_onnx) else "onnx"
    if not (has_onnx if kind == "onnx" else has_keras):
        raise DataError(f"--engine {kind}: the model has no .{kind} file")
    return kind


def compiles() -> bool:
    """Whether networks are compiled as a whole on this backend, as ``jit_compile`` of Keras asks.

    JAX without it compiles each operation by itself and runs one after the other. XLA under TensorFlow takes
    longer to compile than most runs last, and is not faster on a CPU.
    """
    import keras

    return bool(keras.backend.backend() == "jax")


def gpu_present() -> bool:
    """Whether this machine shows an NVIDIA GPU; asking a framework would cost seconds."""
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidia0").exists()


def keras_gpus() -> int:
    """How many GPUs the backend of Keras sees."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return int(torch.cuda.device_count())
    if keras.backend.backend() == "jax":
        import jax  # Keras asks it for GPUs alone, which is a fault where there is none

        return sum(device.platform == "gpu" for device in jax.local_devices())
    return len(keras.distribution.list_devices("gpu"))


def _providers(device: Device) -> list[str]:
    """What ONNX Runtime may run on, the best first."""
    available = import_onnxruntime().get_available_providers()
    if device == "gpu" and "CUDAExecutionProvider" not in available:
        raise UsageError(
            "--device gpu: this ONNX Runtime has no GPU support; try --engine keras or --device cpu"
        )
    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"][device == "cpu" :]
    return [provider for provider in wanted if provider in available]


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:160]
