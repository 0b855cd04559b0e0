"""Run an ONNX file in OpenVINO, on the CPU. Importing this module does not import it."""

from __future__ import annotations

import threading
from copy import copy
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from yolo_cli.engines.choosing import RunPrecision
from yolo_cli.engines.openvino_network import OpenVinoNetwork, openvino_core
from yolo_cli.engines.protocol import Heads, Part, failing, first_line
from yolo_cli.errors import DataError, UsageError, UserError
from yolo_cli.graphs import multiply_accumulates
from yolo_cli.hardware import streams, threads

__all__ = ["OpenVinoEngine"]

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVinoEngine:
    """A network in OpenVINO, compiled for one image at a time. Thread-safe: calls wait for each other.

    It is compiled for the shape of its first batch, which is faster than any shape, and once more for any
    shape when another comes. Compiled networks are kept in the cache (`yolo_cli.cache`).

    Args:
        path: the ``.onnx`` file.
        precision: what it computes in; heads are float32 always.
        layer: as in `OnnxEngine`.
        part: as in `OnnxEngine`.

    Raises:
        DataError: if the file is not an ONNX model, or has no such layer or part.
        UsageError: if the CPU does not compute in that precision.
    """

    def __init__(
        self,
        path: Path,
        precision: RunPrecision = "float32",
        layer: str | None = None,
        part: Part | None = None,
    ) -> None:
        if precision == "bfloat16" and "BF16" not in _capabilities(openvino_core()):
            raise UsageError(
                "--precision bfloat16: this CPU does not compute in it (without AVX512-BF16 or AMX); "
                "use float32"
            )
        self._options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": _HINTS[precision]}
        if threads():
            self._options["INFERENCE_NUM_THREADS"] = str(threads())
        try:
            self._network = OpenVinoNetwork(path, layer, part)
        except UserError:
            raise
        except Exception as fault:
            raise DataError(f"{path}: is not an ONNX model that can run here ({first_line(fault)})") from None
        self._name = str(path)
        self._runs = 1
        self._streams: Self | None = None
        self._forget()

    def _forget(self) -> None:
        """Nothing is compiled yet."""
        self._fixed: tuple[tuple[int, ...], SimpleQueue[Any]] | None = None
        self._flexible: SimpleQueue[Any] | None = None
        self._lock = threading.Lock()

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        with failing(self._name):
            with self._lock:
                requests = self._requests(batch.shape, batch.nbytes)
            request = requests.get()
            try:
                heads = request.infer([np.ascontiguousarray(batch)], share_inputs=True, share_outputs=True)
                return [np.array(head) for head in heads.values()]  # the next call overwrites what is shared
            finally:
                requests.put(request)

    def in_streams(self) -> tuple[Self, int]:
        """See `StreamedEngine`; where the file has been replaced since, the engine itself."""
        count, each = streams()
        if count == 1:
            return self, 1
        with self._lock:
            if self._streams is None:
                if not self._network.is_unchanged:
                    return self, 1
                self._fixed = self._flexible = None  # so that the network is in memory once
                self._streams = self._compiled_again(count, each)
            return self._streams, count

    def _compiled_again(self, count: int, each: int) -> Self:
        """The same network for ``count`` runs at a time, of ``each`` threads."""
        twin = copy(self)
        threads_of_all = {"NUM_STREAMS": str(count), "INFERENCE_NUM_THREADS": str(count * each)}
        twin._options = self._options | {"PERFORMANCE_HINT": "THROUGHPUT"} | threads_of_all
        twin._runs = count
        twin._forget()
        return twin

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """Number of multiply-accumulates for a batch of this shape, counted from the graph."""
        return multiply_accumulates(self._network.source, batch)

    @property
    def channels(self) -> list[int | None]:
        """The channels of each head, where the file says them."""
        return self._network.channels

    def _requests(self, shape: tuple[int, ...], given: int) -> SimpleQueue[Any]:
        """What runs a batch of this shape and of ``given`` bytes, and is free."""
        if self._fixed is None:
            self._fixed = shape, self._open(shape, given)
        if self._fixed[0] == shape:
            return self._fixed[1]
        self._flexible = self._flexible or self._open(None, given)
        return self._flexible

    def _open(self, shape: tuple[int, ...] | None, given: int) -> SimpleQueue[Any]:
        """As many requests as may run at a time, for batches of one shape, or of any."""
        compiled, free = self._network.compiled(self._options, shape, given), SimpleQueue[Any]()
        for _ in range(self._runs):
            free.put(compiled.create_infer_request())
        return free


def _capabilities(core: Any) -> list[str]:
    found: list[str] = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return found
