"""ONNX Runtime, OpenVINO and Ray: the only module that imports them, with their telemetry off.

All send it unless told otherwise before the first import: ONNX Runtime since 1.32, OpenVINO with each import
and each converted model.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from yolo_cli.errors import UsageError

__all__ = ["import_onnxruntime", "import_openvino", "import_ray", "returning_memory", "switch_telemetry_off"]


def switch_telemetry_off() -> None:
    """Must come before the first import of either runtime; a user's own setting is left alone."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # OpenVINO then does without


def import_onnxruntime() -> Any:
    """The package ``onnxruntime``."""
    switch_telemetry_off()
    if "onnxruntime" in sys.modules:
        return sys.modules["onnxruntime"]
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)  # its errors are exceptions, too
    return onnxruntime


def import_openvino() -> Any:
    """The package ``openvino``.

    Its converter of other frameworks' models is left out, which would take a third of the time; a later
    ``import openvino.tools.ovc`` finds it.
    """
    switch_telemetry_off()
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    converter = "openvino.tools.ovc"
    sys.modules[converter] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        with suppress(KeyError):
            del sys.modules[converter]
    return openvino


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt


@contextmanager
def returning_memory() -> Iterator[None]:
    """After this block, memory that was freed goes back to the system; on Linux with glibc.

    A runtime copies a network several times while it opens it. What it frees would stay with the process, in
    pieces that images do not fit into. To give it back piece by piece takes longer than all at the end.
    Afterwards glibc has the thresholds to which it adapts by itself.
    """
    try:
        yield
    finally:
        libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
        if hasattr(libc, "malloc_trim"):  # glibc's
            libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
            libc.mallopt(_M_TRIM_THRESHOLD, 64 << 20)
            libc.malloc_trim(0)


def import_ray() -> Any:
    """The package ``ray``, with its usage statistics off.

    Raises:
        UsageError: if it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # must come before the import
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its faults are exceptions, too
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what Ray 3 will do; else it warns
    try:
        import ray
    except ImportError:
        raise UsageError("--ray: Ray is not installed; run: pip install 'yolo-cli[ray]'") from None
    return ray
