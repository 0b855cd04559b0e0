"""Run an ONNX file in OpenVINO, on the CPU. Importing this module does not import it."""

from __future__ import annotations

import threading
from copy import copy
from functools import cache
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from yolo_cli.cache import programs_folder
from yolo_cli.engines.choosing import RunPrecision
from yolo_cli.engines.onnx_limits import check_content, check_network, check_signature
from yolo_cli.engines.protocol import Heads, Part, failing, first_line
from yolo_cli.engines.vetting import check_before_openvino
from yolo_cli.errors import DataError, UsageError, UserError
from yolo_cli.graphs import multiply_accumulates, part_of
from yolo_cli.hardware import streams, threads
from yolo_cli.runtimes import import_openvino

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
        self._core = _core()
        if precision == "bfloat16" and "BF16" not in _capabilities(self._core):
            raise UsageError(
                "--precision bfloat16: this CPU does not compute in it (without AVX512-BF16 or AMX); "
                "use float32"
            )
        self._options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": _HINTS[precision]}
        if threads():
            self._options["INFERENCE_NUM_THREADS"] = str(threads())
        try:
            self._source, self._name = part_of(path, layer, part), str(path)
            self._stored = check_content(self._source, self._name)
            check_before_openvino(path)
            self._network = self._read()
            self._check_signature()
        except UserError:
            raise
        except Exception as fault:
            raise DataError(f"{path}: is not an ONNX model that can run here ({first_line(fault)})") from None
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
        """See `StreamedEngine`."""
        count, each = streams()
        if count == 1:
            return self, 1
        with self._lock:
            if self._streams is None:
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
        return multiply_accumulates(self._source, batch)

    def _read(self) -> Any:
        reader, source = _onnx_reader(), self._source
        return reader.convert(reader.load(BytesIO(source) if isinstance(source, bytes) else str(source)))

    def _check_signature(self) -> None:
        ends = (self._network.inputs, self._network.outputs)
        given, found = ([end.get_element_type().get_type_name() for end in side] for side in ends)
        check_signature(given, found, self._name)

    @property
    def channels(self) -> list[int | None]:
        """The channels of each head, where the file says them."""
        shapes = [output.get_partial_shape() for output in self._network.outputs]
        lasts = [shape[-1] if shape.rank.is_static and len(shape) else None for shape in shapes]
        return [last.get_length() if last is not None and last.is_static else None for last in lasts]

    def _requests(self, shape: tuple[int, ...], given: int) -> SimpleQueue[Any]:
        """What runs a batch of this shape and of ``given`` bytes, and is free."""
        if self._fixed is None:
            network = self._network.clone()
            network.reshape(list(shape))
            check_network(network, given, self._stored, self._name)
            self._fixed = shape, self._compile(network)
        if self._fixed[0] == shape:
            return self._fixed[1]
        self._flexible = self._flexible or self._compile(self._network)
        return self._flexible

    def _compile(self, network: Any) -> SimpleQueue[Any]:
        # Files in the cache are named by the network alone, as if its options made no difference.
        how = f"{self._options['INFERENCE_PRECISION_HINT']}{f'-{self._runs}' if self._runs > 1 else ''}"
        folder = programs_folder(f"openvino-{how}")
        kept = {"CACHE_DIR": str(folder)} if folder else {}
        compiled = self._core.compile_model(network, "CPU", self._options | kept)
        free = SimpleQueue[Any]()
        for _ in range(self._runs):
            free.put(compiled.create_infer_request())
        return free


@cache
def _core() -> Any:
    """OpenVINO's runtime, one for the life of the process.

    Its CPU plugin gives the thread that loads it another stack for signals, and frees that with itself. If
    that happens in another thread, the next Ctrl-C in the first one is a segmentation fault.
    """
    return import_openvino().Core()


@cache
def _onnx_reader() -> Any:
    """OpenVINO's reader of ONNX files, for the life of the process.

    Its runtime would try a file that this one refuses as one of TensorFlow's, of Paddle's, and so on.
    """
    import_openvino()
    from openvino.frontend import FrontEndManager

    return FrontEndManager().load_by_framework("onnx")


def _capabilities(core: Any) -> list[str]:
    found: list[str] = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return found
