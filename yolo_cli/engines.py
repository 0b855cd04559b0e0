"""Run one network: ONNX Runtime on a CPU, Keras where a GPU is present.

An engine takes RGB pixels, uint8 (B, H, W, 3), and returns the raw heads, each float32
(B, rows, columns, channels). Importing this module imports neither runtime.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import Device
from yolo_cli.errors import DataError, UsageError
from yolo_cli.graphs import between, ending_at, multiply_accumulates

__all__ = [
    "Device",
    "Engine",
    "EngineKind",
    "KerasEngine",
    "OnnxEngine",
    "choose_engine",
    "gpu_present",
    "keras_gpus",
]

EngineKind = Literal["auto", "onnx", "keras"]
Heads = list[NDArray[np.float32]]


class Engine(Protocol):
    """Something that runs one network."""

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels).

        The second half of a network that was cut in two takes features, float32, in place of pixels.
        """
        ...

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """How many multiplications with an addition a run on such a batch needs."""
        ...


class OnnxEngine:
    """A network in ONNX Runtime.

    Args:
        path: the file.
        device: where it shall run.
        layer: end at this layer, and give its output in place of the heads: float32 (B, channels, rows,
            columns), as ONNX has it; None runs the whole network.
        part: take only what lies between the input of this name and the heads at these places; None takes
            all.

    Attributes:
        metadata: the texts that the file carries.

    Raises:
        DataError: if the file is no ONNX model, or has no such layer.
        UsageError: if a GPU is asked for, and this ONNX Runtime has none.
    """

    def __init__(
        self,
        path: Path,
        device: Device = "auto",
        layer: str | None = None,
        part: tuple[str, Sequence[int]] | None = None,
    ) -> None:
        import onnxruntime

        available = onnxruntime.get_available_providers()
        if device == "gpu" and "CUDAExecutionProvider" not in available:
            raise UsageError(
                "--device gpu: this ONNX Runtime has no GPU support; try --engine keras or --device cpu"
            )
        wanted = (
            ["CPUExecutionProvider"] if device == "cpu" else ["CUDAExecutionProvider", "CPUExecutionProvider"]
        )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # its warnings tell a user nothing that could be fixed
        providers = [provider for provider in wanted if provider in available]
        self._path, self._device = path, device
        self._source: Path | bytes = path
        try:
            if layer is not None:
                self._source = ending_at(layer, path)
            if part is not None:
                self._source = between(*part, path)
            model = self._source if isinstance(self._source, bytes) else str(path)
            self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        except Exception as fault:
            raise DataError(
                f"{path}: is not an ONNX model that can run here ({_first_line(fault)})"
            ) from None
        self._input = self._session.get_inputs()[0].name
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        return list(self._session.run(None, {self._input: batch}))

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """How many multiplications with an addition a run on such a batch needs, counted from the graph."""
        return multiply_accumulates(self._source, batch)

    def part(self, given: str, heads: Sequence[int]) -> OnnxEngine:
        """Of a network with several inputs what lies between the one called ``given`` and some heads.

        Raises:
            DataError: if it has no such input or heads, or the heads need more than this input.
        """
        return OnnxEngine(self._path, self._device, part=(given, heads))


class KerasEngine:
    """A network in Keras, on whatever backend ``KERAS_BACKEND`` names; TensorFlow if none is named.

    Raises:
        DataError: if the file is no Keras model.
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
        # XLA takes longer to compile than most runs last, and is no faster on a CPU; but JAX without it
        # compiles each operation by itself, which takes longer still.
        model.compile(jit_compile=keras.backend.backend() == "jax")
        self._model = model

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        if self._scope is None:
            heads = self._model.predict_on_batch(batch)
        else:
            with self._scope:
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

    def part(self, given: str, heads: Sequence[int]) -> KerasEngine:
        """Of a network with several inputs what lies between the one called ``given`` and some heads."""
        import keras

        [start] = [start for start in self._model.inputs if start.name == given]
        part = copy.copy(self)
        part._model = keras.Model(start, [self._model.outputs[place] for place in heads])
        part._model.compile(jit_compile=keras.backend.backend() == "jax")
        return part


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


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:160]
