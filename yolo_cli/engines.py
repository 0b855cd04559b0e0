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
    "gpu_present",
    "keras_gpus",
    "open_engine",
    "open_parts",
]

EngineKind = Literal["auto", "onnx", "keras"]
Part = tuple[str, Sequence[int]]
"""Part of a network with several inputs: an input, and the positions of the heads that need only it."""
Heads = list[NDArray[np.float32]]


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
        UsageError: if a GPU is requested but this ONNX Runtime does not support one.
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
        import yolo_cli.model  # noqa: F401, I001 - first: its layers must be known before a file names them
        import keras

        if device == "gpu" and not keras_gpus():
            raise UsageError("--device gpu: Keras sees no GPU; try --device cpu")
        self._scope: Any = keras.device("cpu") if device == "cpu" else None
        try:
            model = keras.saving.load_model(path, compile=False)
        except Exception as fault:
            raise DataError(f"{path}: cannot be loaded by Keras ({_first_line(fault)})") from None
        # Compiling with XLA takes longer than most runs last and gains nothing on a CPU; but JAX without
        # it compiles each operation separately, which takes even longer.
        model.compile(jit_compile=keras.backend.backend() == "jax")
        self._model = model
        self._lock = threading.Lock()

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        with self._lock, self._scope or nullcontext():
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
        import keras

        [start] = [start for start in self._model.inputs if start.name == name]
        part = copy.copy(self)
        part._model = keras.Model(start, [self._model.outputs[place] for place in heads])
        part._model.compile(jit_compile=keras.backend.backend() == "jax")
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
    """The engine to use; "auto" is Keras if a GPU is present, else ONNX Runtime.

    Raises:
        DataError: if the model has no file for the requested engine.
    """
    if kind == "auto":
        gpu = device == "gpu" or (device == "auto" and gpu_present())
        kind = "keras" if has_keras and (gpu or not has_onnx) else "onnx"
    if not (has_onnx if kind == "onnx" else has_keras):
        raise DataError(f"--engine {kind}: the model has no .{kind} file")
    return kind


def gpu_present() -> bool:
    """Whether this machine has an NVIDIA GPU; asking a framework would take seconds."""
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidia0").exists()


def keras_gpus() -> int:
    """Number of GPUs that Keras's backend sees."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return int(torch.cuda.device_count())
    if keras.backend.backend() == "jax":
        import jax  # Keras asks JAX for GPUs only, which raises if there is none

        return sum(device.platform == "gpu" for device in jax.local_devices())
    return len(keras.distribution.list_devices("gpu"))


def _providers(device: Device) -> list[str]:
    """ONNX Runtime's execution providers, in order of preference."""
    available = import_onnxruntime().get_available_providers()
    if device == "gpu" and "CUDAExecutionProvider" not in available:
        raise UsageError(
            "--device gpu: this ONNX Runtime has no GPU support; try --engine keras or --device cpu"
        )
    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"][device == "cpu" :]
    return [provider for provider in wanted if provider in available]


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:160]
