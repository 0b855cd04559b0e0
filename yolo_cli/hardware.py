"""The backend of Keras, the NVIDIA GPUs, and the packages that are missing to use them.

Only files are looked at, which takes about a millisecond; no framework is imported, so users without a GPU
lose no time. Files do not prove that a GPU works: `yolo_cli.engines` asks the framework.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from math import ceil
from pathlib import Path

from yolo_cli.errors import UsageError

__all__ = [
    "BACKENDS",
    "Device",
    "check_device",
    "check_gpu",
    "choose_backend",
    "cores",
    "gpu_number",
    "gpu_visible",
    "installed",
    "memory",
    "missing_for_gpu",
    "peak_memory",
    "set_backend",
    "streams",
    "threads",
    "use_only",
    "uses_cuda",
    "visible_gpus",
]

Device = str
""""auto", "cpu", "gpu", or one GPU by its number, such as "gpu:1"."""

BACKENDS = ("tensorflow", "jax", "torch", "openvino")
DEVICE_FOLDER = Path("/dev")
WSL_DRIVER = Path("/usr/lib/wsl/lib/libcuda.so.1")

MOST_STREAMS = 8

_CHOSEN = "YOLO_CLI_DEVICE"  # the device of `use_only`, for this process and those that inherit its GPUs


def cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """The number of CPU cores that affinity and the container's quota let this process use."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        microseconds, period = quota.read_text("ascii").split()
        return max(1, min(found, ceil(int(microseconds) / int(period))))
    except (OSError, ValueError):  # no container, or no limit
        return found


def threads() -> int:
    """The number of threads that a network runs in, by ``YOLO_CLI_THREADS``; 0 leaves it to its runtime."""
    given = os.environ.get("YOLO_CLI_THREADS", "")
    return int(given) if given.isdecimal() else 0


def streams() -> tuple[int, int]:
    """How many runs of a network at a time use this machine best, and the threads of each.

    Threads of one run wait for each other at each layer; runs of their own never wait. Each run has
    memory of its own, so there are at most `MOST_STREAMS`.
    """
    total = threads() or cores()
    count = min(total, MOST_STREAMS)
    return count, total // count


def check_device(device: Device) -> Device:
    """Return the device if it is well-formed.

    Raises:
        UsageError: if it is not.
    """
    if re.fullmatch(r"auto|cpu|gpu(:\d{1,3})?", device) is None:
        raise UsageError(f"--device {device}: is not a device; use auto, cpu, gpu, or one GPU such as gpu:1")
    return device


def check_gpu(device: Device, count: int, framework: str) -> None:
    """Raise UsageError if the device is a GPU that is not among the ``count`` visible to a framework."""
    if not device.startswith("gpu") or (gpu_number(device) or 0) < count:
        return
    if count == 0:
        advice = missing_for_gpu() or "try --device cpu"
        raise UsageError(f"--device {device}: {framework} sees no GPU; {advice}")
    names = ", ".join(f"gpu:{number}" for number in range(count))
    raise UsageError(f"--device {device}: there is no such GPU; choose from {names}")


def gpu_number(device: Device) -> int | None:
    """The index of the GPU among those visible to this process; None if the device does not name one."""
    if not device.startswith("gpu:"):
        return None
    return 0 if os.environ.get(_CHOSEN) == device else int(device[4:])


def use_only(device: Device) -> None:
    """Hide all other devices from frameworks that are imported later, so that they take no memory there.

    This holds for the whole process and its children, so only the command line does it.

    Raises:
        UsageError: if there are NVIDIA GPUs, but not this one.
    """
    if device == "cpu":
        os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "KERAS_TORCH_DEVICE": "cpu"}
    number = gpu_number(device)
    if number is None or os.environ.get(_CHOSEN) == device or not gpu_visible():
        return
    gpus = visible_gpus()
    if gpus:  # WSL does not say how many there are
        check_gpu(device, len(gpus), "CUDA")
    if "CUDA_VISIBLE_DEVICES" not in os.environ:
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # the numbers that nvidia-smi shows
    os.environ |= {"CUDA_VISIBLE_DEVICES": gpus[number] if gpus else str(number), _CHOSEN: device}


def gpu_visible() -> bool:
    """Whether the system has an NVIDIA GPU, which ``CUDA_VISIBLE_DEVICES`` does not hide.

    On WSL ``/dev/dxg`` is there for GPUs of any maker.
    """
    nodes = ("nvidia0", "nvidiactl", "dxg")
    return any((DEVICE_FOLDER / node).exists() for node in nodes) and _listed() != []


def visible_gpus() -> list[str]:
    """The number or UUID of each GPU that this process may use; empty if unknown."""
    listed = _listed()
    if listed is not None:
        return listed
    return [str(number) for number in range(len(list(DEVICE_FOLDER.glob("nvidia[0-9]*"))))]


def _listed() -> list[str] | None:
    """The GPUs in ``CUDA_VISIBLE_DEVICES``, up to the first that is not one; None if not set."""
    value = os.environ.get("CUDA_VISIBLE_DEVICES")
    if value is None:
        return None
    names = [name.strip() for name in value.split(",")]
    wrong = (at for at, name in enumerate(names) if not re.match(r"\d+$|GPU-|MIG-", name))
    return names[: next(wrong, len(names))]


def set_backend() -> None:
    """Set the backend of Keras as `choose_backend` does, unless Keras is imported already.

    Raises:
        UsageError: as there.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = choose_backend()


def choose_backend() -> str:
    """The backend of Keras: ``KERAS_BACKEND`` if set, else JAX if it can use a GPU, else TensorFlow.

    Without TensorFlow, it is one that is installed. ``keras.json`` is ignored, as Keras writes it by itself.

    Raises:
        UsageError: if ``KERAS_BACKEND`` names a backend that is unknown or not installed, or there is none.
    """
    name = os.environ.get("KERAS_BACKEND")
    if name:
        if name in BACKENDS and installed(name):
            return name
        raise UsageError(
            f"KERAS_BACKEND={name}: no such backend is installed; install it, or name another "
            f"({', '.join(BACKENDS)})"
        )
    if gpu_visible() and uses_cuda("jax"):
        return "jax"
    here = [backend for backend in BACKENDS[:3] if installed(backend)]
    if not here:
        raise UsageError("Keras has no backend: pip install tensorflow, or for an NVIDIA GPU 'jax[cuda12]'")
    if here[0] != "tensorflow" and gpu_visible():
        here.sort(key=lambda backend: not uses_cuda(backend))
    return here[0]


def installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # a broken package
        return False


def uses_cuda(backend: str) -> bool:
    """Whether a backend of Keras is installed with its packages for NVIDIA GPUs, driver apart."""
    if not installed(backend):
        return False
    if backend == "jax":
        allowed = re.search("^$|cuda|gpu", os.environ.get("JAX_PLATFORMS", "")) is not None
        return allowed and _has("jax_plugins", "xla_cuda*")
    if backend == "torch":
        return _has("torch", "lib/libtorch_cuda.so", "lib/torch_cuda.dll")
    return backend == "tensorflow" and (_has("nvidia", "cudnn") or _system_has_cudnn())


def _system_has_cudnn() -> bool:
    from ctypes.util import find_library  # may start a compiler, so it is asked last

    return find_library("cudnn") is not None


def _has(package: str, *patterns: str) -> bool:
    """Whether one of the folders of an installed package has a file of one of these names."""
    spec = find_spec(package) if installed(package) else None
    places: Sequence[str] = (spec and spec.submodule_search_locations) or ()
    return any(True for place in places for pattern in patterns for _ in Path(place).glob(pattern))


def missing_for_gpu(backend: str | None = None) -> str | None:
    """Advice, as part of a sentence, on how to use the NVIDIA GPU; None if there is no GPU.

    Args:
        backend: a backend that sees no GPU; by default that of `choose_backend`.
    """
    sure = any((DEVICE_FOLDER / node).exists() for node in ("nvidia0", "nvidiactl")) or WSL_DRIVER.exists()
    if not sure or not gpu_visible():
        return None
    backend = backend or choose_backend()
    if uses_cuda(backend):
        return "check with nvidia-smi that its driver is 525 or later"
    if uses_cuda("jax"):
        return "set KERAS_BACKEND=jax"
    return "install PyTorch with CUDA" if backend == "torch" else "pip install 'jax[cuda12]'"


def peak_memory() -> float | None:
    """Peak resident memory of this process in MiB; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # macOS counts bytes, Linux KiB


def memory() -> tuple[int | None, int | None]:
    """Total and available memory in bytes, as Linux reports them; None elsewhere."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123 - no file of the user's
            lines = dict(line.split(":", 1) for line in file)
        whole, free = (1024 * int(lines[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return None, None
    return whole, free
