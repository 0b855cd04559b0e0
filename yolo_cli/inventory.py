"""Devices with their memory, installed engines, and missing packages.

No framework is imported, as that takes seconds: GPUs are those that the driver reports, and packages are
known by their metadata. Only NVIDIA GPUs are listed.
"""

from __future__ import annotations

import csv
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from yolo_cli.engines import INSTALL_OPENVINO, EngineName, choose_engine, onnx_uses_cuda
from yolo_cli.hardware import (
    BACKENDS,
    choose_backend,
    gpu_visible,
    installed,
    memory,
    missing_for_gpu,
    uses_cuda,
    visible_gpus,
)
from yolo_cli.runtimes import import_onnxruntime
from yolo_cli.text import Jsonable

__all__ = ["ComputeDevice", "InstalledEngine", "Inventory", "devices", "processor"]

DRIVER = Path("/proc/driver/nvidia")
MIB = 2**20
_FIELDS = "index,uuid,name,memory.total,memory.free,driver_version"


@dataclass(frozen=True, slots=True)
class ComputeDevice:
    """A processor or a GPU.

    Attributes:
        name: as ``--device`` takes it: "cpu", "gpu:0".
        model: product name; empty if unknown.
        memory: total bytes; None if unknown.
        free: available bytes; None if unknown.
        driver: version of a GPU's driver; empty if unknown.
    """

    name: str
    model: str = ""
    memory: int | None = None
    free: int | None = None
    driver: str = ""


@dataclass(frozen=True, slots=True)
class InstalledEngine:
    """An engine that is installed, or could be.

    Attributes:
        name: as ``--engine`` takes it.
        package: the package that computes; for Keras, its backend.
        version: of the package; None if it is not installed.
        runs_on: "cpu", and "gpu" if it has the packages for the NVIDIA GPU.
        install: how to install what is missing; None if nothing is.
    """

    name: EngineName
    package: str
    version: str | None
    runs_on: tuple[str, ...]
    install: str | None = None


@dataclass(frozen=True, slots=True)
class Inventory(Jsonable):
    """Devices and engines, and the choices made by default.

    Attributes:
        backend: of Keras, which trains.
        engine: chosen by ``--engine auto`` for a model with both files.
        reason: of that choice.
        devices: the processor, then the GPUs visible to this process.
        engines: the installed ones, and common ones that are not installed.
        advice: how to use an NVIDIA GPU that the backend cannot use yet; None if nothing is missing.
    """

    backend: str
    engine: EngineName
    reason: str
    devices: tuple[ComputeDevice, ...]
    engines: tuple[InstalledEngine, ...]
    advice: str | None

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data; sizes are bytes."""
        return asdict(self)


def devices() -> Inventory:
    """List the devices and engines of this computer, in less than a second; no framework is imported.

    Raises:
        UsageError: if ``KERAS_BACKEND`` names a backend that is not installed.

    >>> from yolo_cli import devices
    >>> devices().devices[0].name
    'cpu'
    """
    detects_only = not any(installed(name) for name in BACKENDS) and "KERAS_BACKEND" not in os.environ
    backend = "none" if detects_only else choose_backend()
    chosen = choose_engine("auto", "auto", has_onnx=True, has_keras=True)
    return Inventory(
        backend=backend,
        engine=chosen.engine,
        reason=chosen.reason,
        devices=(processor(), *_gpus()),
        engines=(_onnx(), _openvino(), *_backends()),
        advice=None if uses_cuda(backend) else missing_for_gpu(backend),
    )


def processor() -> ComputeDevice:
    """The processor, with its model, usable cores and memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    name = platform.processor() or platform.machine()
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
        name = next(line for line in lines if line.startswith("model name")).partition(":")[2].strip()
    return ComputeDevice("cpu", f"{name}, {cores} core{'s' * (cores != 1)}", *memory())


def _gpus() -> Iterator[ComputeDevice]:
    """The NVIDIA GPUs in the order in which CUDA numbers them."""
    if not gpu_visible():
        return
    found = dict(_asked_of_driver()) or dict(_listed_by_driver())
    for number, name in enumerate(visible_gpus() or [key for key in found if key.isdecimal()]):
        known = next((gpu for key, gpu in found.items() if key == name or _is_start(name, key)), None)
        yield replace(known or ComputeDevice("", name), name=f"gpu:{number}")


def _is_start(name: str, uuid: str) -> bool:
    """Whether a name is an abbreviated UUID, as CUDA takes them."""
    return not name.isdecimal() and uuid.startswith(name)


def _asked_of_driver() -> Iterator[tuple[str, ComputeDevice]]:
    """The GPUs that ``nvidia-smi`` lists, each by its number and by its UUID."""
    program = shutil.which("nvidia-smi") or shutil.which("nvidia-smi", path="/usr/lib/wsl/lib")
    if program is None:
        return
    command = [program, f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return
    for row in csv.reader(done.stdout.splitlines(), skipinitialspace=True):
        if len(row) == _FIELDS.count(",") + 1:
            index, uuid, model, whole, free, driver = row
            gpu = ComputeDevice("", model, _mebibytes(whole), _mebibytes(free), driver)
            yield from ((index, gpu), (uuid, gpu))


def _mebibytes(text: str) -> int | None:
    return int(text) * MIB if text.isdecimal() else None  # "[N/A]" where memory is shared with the CPU


def _listed_by_driver() -> Iterator[tuple[str, ComputeDevice]]:
    """The GPUs that the driver of Linux lists below ``/proc``, without their memory."""
    for number, file in enumerate(sorted(DRIVER.glob("gpus/*/information"))):
        lines = dict(line.partition(":")[::2] for line in file.read_text(encoding="ascii").splitlines())
        gpu = ComputeDevice("", lines.get("Model", "").strip())
        yield from ((str(number), gpu), (lines.get("GPU UUID", "").strip(), gpu))


def _onnx() -> InstalledEngine:
    runtime, on_gpu = import_onnxruntime(), gpu_visible() and onnx_uses_cuda()
    missing = (
        None if on_gpu or not missing_for_gpu() else "pip install onnxruntime-gpu in place of onnxruntime"
    )
    return InstalledEngine("onnx", runtime.__name__, runtime.__version__, _runs_on(on_gpu), missing)


def _openvino() -> InstalledEngine:
    if not installed("openvino"):
        return InstalledEngine("openvino", "openvino", None, (), INSTALL_OPENVINO)
    return InstalledEngine("openvino", "openvino", _version("openvino") or "unknown", ("cpu",))


def _backends() -> Iterator[InstalledEngine]:
    """The backends of Keras; OpenVINO only if it is there, as it cannot train."""
    for name in ("tensorflow", "jax", "torch", "openvino"):
        if not installed(name):
            if name != "openvino":
                yield InstalledEngine("keras", name, None, (), _how_to_install(name))
            continue
        on_gpu = gpu_visible() and uses_cuda(name)
        missing = None if on_gpu or not missing_for_gpu() or name == "openvino" else _how_to_install(name)
        yield InstalledEngine("keras", name, _version(name) or "unknown", _runs_on(on_gpu), missing)


def _how_to_install(backend: str) -> str:
    cuda = {"jax": "'jax[cuda12]'", "tensorflow": "'tensorflow[and-cuda]'"}
    return f"pip install {cuda.get(backend, backend) if missing_for_gpu() else backend}"


def _runs_on(gpu: bool) -> tuple[str, ...]:
    return ("cpu", "gpu") if gpu else ("cpu",)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
