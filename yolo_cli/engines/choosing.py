"""Which engine runs a model on a device, and why.

To find out, nothing is imported but ONNX Runtime, and that only where there is a GPU.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, get_args

from yolo_cli.errors import DataError, UsageError, check_choice
from yolo_cli.hardware import (
    Device,
    check_device,
    choose_backend,
    gpu_visible,
    installed,
    missing_for_gpu,
    uses_cuda,
)
from yolo_cli.runtimes import import_onnxruntime

__all__ = [
    "COREML",
    "CPU",
    "CUDA",
    "DIRECTML",
    "INSTALL_OPENVINO",
    "Choice",
    "EngineKind",
    "EngineName",
    "RunPrecision",
    "choose_engine",
    "gpu_provider",
    "onnx_uses_cuda",
    "unused_gpu",
    "wants_gpu",
]

EngineName = Literal["onnx", "openvino", "keras"]
EngineKind = Literal["auto", "onnx", "openvino", "keras"]
RunPrecision = Literal["float32", "bfloat16"]

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
DIRECTML, COREML = "DmlExecutionProvider", "CoreMLExecutionProvider"
INSTALL_OPENVINO = "pip install 'yolo-cli[openvino]'"


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine that runs a model, and why, as the end of a sentence."""

    engine: EngineName
    reason: str

    @property
    def sentence(self) -> str:
        """Both, for a person."""
        return f"engine {self.engine}: {self.reason}"


def choose_engine(
    kind: EngineKind,
    device: Device,
    has_onnx: bool,
    has_keras: bool,
    precision: RunPrecision = "float32",
) -> Choice:
    """The engine to use.

    "auto" is the first that is there of: ONNX Runtime with CUDA, Keras on a GPU, OpenVINO, ONNX Runtime.

    Raises:
        DataError: if the model has no file for the requested engine.
        UsageError: if the engine, the device or the precision is unknown, or they do not go together.
    """
    check_device(device)
    check_choice("engine", kind, get_args(EngineKind))
    check_choice("precision", precision, get_args(RunPrecision))
    if kind != "auto":
        chosen = Choice(kind, "it was asked for")
    elif precision != "float32":
        chosen = Choice("openvino", f"only it computes in {precision}")
    elif has_onnx:
        chosen = _automatic(device, has_keras)
    else:
        chosen = Choice("keras", "the model has no .onnx file")
    _check_fits(chosen.engine, device, precision)
    needed, there = (".keras", has_keras) if chosen.engine == "keras" else (".onnx", has_onnx)
    if not there:
        raise DataError(f"--engine {chosen.engine}: the model has no {needed} file")
    return chosen


def _automatic(device: Device, has_keras: bool) -> Choice:
    """The engine for a model that has an ``.onnx`` file."""
    if wants_gpu(device) and (provider := gpu_provider(device)):
        how = "" if provider == CUDA else f" by {provider.removesuffix('ExecutionProvider')}"
        return Choice("onnx", f"it can use the GPU{how}")
    if has_keras and _keras_is_for_gpu(device):
        return Choice("keras", "only Keras can use the GPU")
    if device.startswith("gpu"):
        return Choice("onnx", "the model has no .keras file")
    if installed("openvino"):
        return Choice("openvino", "it is the fastest on a CPU")
    return Choice("onnx", "OpenVINO is not installed")


def _check_fits(engine: EngineName, device: Device, precision: RunPrecision) -> None:
    """Raise UsageError if an engine is not installed, or does not do what is asked of it."""
    if precision != "float32" and engine != "openvino":
        raise UsageError(f"--precision {precision}: only --engine openvino computes in it")
    if engine != "openvino":
        return
    if not installed("openvino"):
        asked = "--engine openvino" if precision == "float32" else f"--precision {precision}"
        raise UsageError(f"{asked}: OpenVINO is not installed; {INSTALL_OPENVINO}")
    if device.startswith("gpu"):
        raise UsageError(
            f"--device {device}: OpenVINO runs on the CPU here; try --engine onnx or --engine keras"
        )


def _keras_is_for_gpu(device: Device) -> bool:
    """Whether a GPU is requested that ONNX Runtime cannot use, but Keras can; "auto" requires NVIDIA."""
    return wants_gpu(device) and not gpu_provider(device) and (device != "auto" or _keras_uses_cuda())


def wants_gpu(device: Device) -> bool:
    """Whether a network is to run on a GPU if it can."""
    return gpu_visible() if device == "auto" else device.startswith("gpu")


def unused_gpu(kind: EngineKind, device: Device) -> str | None:
    """One line on an NVIDIA GPU that the engine cannot use, and what to install; None if there is none."""
    advice = None if device == "cpu" else missing_for_gpu()
    if advice is None or (kind in ("auto", "onnx") and onnx_uses_cuda()):
        return None
    if kind == "openvino":
        return "OpenVINO does not use the NVIDIA GPU; try --engine auto"
    if kind == "onnx":
        return "ONNX Runtime cannot use the NVIDIA GPU; pip install onnxruntime-gpu, or try --engine keras"
    return None if _keras_uses_cuda() else f"nothing here can use the NVIDIA GPU yet; {advice}"


def gpu_provider(device: Device) -> str | None:
    """ONNX Runtime's execution provider for the GPU that ``device`` means; None if this one has none for it.

    That is CUDA, or where a GPU is asked for, DirectML (Windows) or CoreML (macOS), too. TensorRT is not one
    of them: a runtime that is built for it names it where TensorRT is missing, and it compiles for minutes.
    """
    available = import_onnxruntime().get_available_providers()
    known = (CUDA,) if device == "auto" else (CUDA, DIRECTML, COREML)
    return next((name for name in known if name in available), None)


def onnx_uses_cuda() -> bool:
    """Whether this ONNX Runtime is built for NVIDIA GPUs."""
    return gpu_provider("auto") is not None


def _keras_uses_cuda() -> bool:
    with suppress(UsageError):
        return uses_cuda(choose_backend())
    return False
