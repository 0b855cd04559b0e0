"""Run an ONNX file in ONNX Runtime. Importing this module does not import it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from yolo_cli.cache import file_version
from yolo_cli.engines.choosing import COREML, CPU, gpu_provider, wants_gpu
from yolo_cli.engines.onnx_limits import OPENED_FOR, check_content, check_signature
from yolo_cli.engines.protocol import Heads, Part, failing, first_line
from yolo_cli.errors import DataError, UsageError, UserError
from yolo_cli.graphs import multiply_accumulates, open_session, part_of
from yolo_cli.hardware import Device, gpu_number, streams
from yolo_cli.limits import network_bytes

__all__ = ["OnnxEngine"]


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
        self._runs = 1
        self._threads: int | None = None
        self._streams: Self | None = None
        try:
            self._version = file_version(path)
            self._source = part_of(path, layer, part)
            self._opened_for = OPENED_FOR
            self._stored = check_content(self._source, str(path))
            self._session: Any = self._open(device)
        except UserError:
            raise
        except Exception as fault:
            raise DataError(f"{path}: is not an ONNX model that can run here ({first_line(fault)})") from None
        if device.startswith("gpu") and self._session.get_providers() == [CPU]:
            name = str(gpu_provider(device)).removesuffix("ExecutionProvider")
            raise UsageError(
                f"--device {device}: ONNX Runtime could not start {name}; install the {name} that it needs"
            )
        # What describes its ends keeps a session in memory.
        given, found = self._session.get_inputs(), self._session.get_outputs()
        self._name, self._device, self._lock = str(path), device, threading.Lock()
        check_signature([each.type for each in given], [each.type for each in found], self._name)
        self._input, self._shapes = given[0].name, [each.shape for each in found]

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        with failing(self._name):
            session = self._session or self._session_again()
            try:
                return list(session.run(None, {self._input: batch}))
            except Exception:
                if batch.nbytes <= self._opened_for:
                    raise
            with self._lock:  # a batch larger than it was opened for may have more memory
                self._opened_for = batch.nbytes
                self._session = session = self._open(self._device)
            return list(session.run(None, {self._input: batch}))

    def _session_again(self) -> Any:
        """A session for one run at a time, after `in_streams` gave it up; theirs if the file changed."""
        with self._lock:
            if self._session is None and self._streams is not None and not self._is_unchanged():
                return self._streams._session
            self._session = self._session or self._open(self._device)
            return self._session

    def in_streams(self) -> tuple[Self, int]:
        """See `StreamedEngine`; on a GPU, and where the file has been replaced since, the engine itself."""
        count, each = streams()
        with self._lock:
            if self._streams is None:
                if count == 1 or self._session.get_providers() != [CPU] or not self._is_unchanged():
                    return self, 1
                self._session = None  # so that the network is in memory once
                self._streams = self._opened_again(count, each)
            return self._streams, count

    def _is_unchanged(self) -> bool:
        """Whether the file is the one that was opened."""
        try:
            return file_version(Path(self._name)) == self._version
        except OSError:  # it is gone
            return False

    def _opened_again(self, count: int, each: int) -> Self:
        """The same network for ``count`` runs at a time, of ``each`` threads."""
        twin = copy(self)
        twin._runs, twin._threads, twin._lock = count, each, threading.Lock()
        twin._session = twin._open(self._device)
        return twin

    @property
    def channels(self) -> list[int | None]:
        """The channels of each head, where the file says them."""
        return [_channels(shape) for shape in self._shapes]

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """Number of multiply-accumulates for a batch of this shape, counted from the graph."""
        return multiply_accumulates(self._source, batch)

    def _open(self, device: Device) -> Any:
        """A session on a device, or on the processor if CUDA does not start."""
        providers, most = _providers(device), network_bytes(self._runs * self._opened_for, self._stored)
        try:
            limit = most if providers == [CPU] else None
            return open_session(self._source, providers, limit, self._threads)
        except Exception:
            if providers == [CPU]:
                raise
            return open_session(self._source, [CPU], most)  # raises, too, if it is the model


def _channels(shape: Sequence[Any]) -> int | None:
    """The last side of a shape, if it is known."""
    return shape[-1] if shape and isinstance(shape[-1], int) else None


def _providers(device: Device) -> list[Any]:
    """ONNX Runtime's execution providers, in order of preference."""
    if wants_gpu(device) and (provider := gpu_provider(device)):
        number = {} if provider == COREML else {"device_id": gpu_number(device) or 0}
        return [(provider, number), CPU]
    if device.startswith("gpu"):
        raise UsageError(
            f"--device {device}: this ONNX Runtime has no GPU support; try --engine keras or --device cpu"
        )
    return [CPU]
