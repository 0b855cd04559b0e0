"""A network in an ONNX file, compiled by OpenVINO and kept in the cache. Importing this does not import it.

A network that the cache knows is not read: what was compiled of it is opened, which takes half the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from yolo_cli.cache import file_version, keep_newest, once, programs_folder
from yolo_cli.engines.onnx_limits import check_content, check_network, check_signature
from yolo_cli.engines.protocol import Part
from yolo_cli.engines.vetting import check_before_openvino
from yolo_cli.errors import DataError
from yolo_cli.graphs import part_of
from yolo_cli.limits import MAX_MODEL, read_file
from yolo_cli.runtimes import import_openvino

__all__ = ["OpenVinoNetwork", "openvino_core"]


class OpenVinoNetwork:
    """A network that OpenVINO can compile. Not thread-safe.

    Args:
        path: the ``.onnx`` file.
        layer: as in `OnnxEngine`.
        part: as in `OnnxEngine`.

    Attributes:
        source: the file, or the bytes of a part of it.

    Raises:
        UserError: if the file may not run here.
        Exception: if it is not an ONNX file.
    """

    def __init__(self, path: Path, layer: str | None = None, part: Part | None = None) -> None:
        self._path, self._version = path, file_version(path)
        self.source = part_of(path, layer, part)
        self._read: Any = None
        whole = isinstance(self.source, Path)
        self._known: dict[str, Any] = once("networks", [path], self._examine) if whole else self._examine()

    def _examine(self) -> dict[str, Any]:
        """Digest, bytes and channels of the network, once it was read and found fit to run."""
        stored = check_content(self.source, str(self._path))
        check_before_openvino(self._path)
        digest, self._read = _digest(self.source), _converted(self.source)
        ends = (self._read.inputs, self._read.outputs)
        given, found = ([end.get_element_type().get_type_name() for end in side] for side in ends)
        check_signature(given, found, str(self._path))
        channels = [_last(output.get_partial_shape()) for output in self._read.outputs]
        return {"sha256": digest, "stored": stored, "channels": channels}

    @property
    def channels(self) -> list[int | None]:
        """The channels of each head, where the file says them."""
        return list(self._known["channels"])

    @property
    def is_unchanged(self) -> bool:
        """Whether it can still be compiled: it was read, or its file is the one that was opened."""
        try:
            return self._read is not None or file_version(self._path) == self._version
        except OSError:  # it is gone
            return False

    def compiled(self, options: Mapping[str, str], shape: tuple[int, ...] | None, given: int) -> Any:
        """The compiled network; from the cache if it is there.

        Args:
            options: OpenVINO's.
            shape: of the batches; None is any.
            given: bytes of a batch.

        Raises:
            DataError: if it needs too much memory, or its file was replaced meanwhile.
        """
        # Of the options, these make a difference to what is compiled.
        kind = "-".join(filter(None, (options["INFERENCE_PRECISION_HINT"], options.get("NUM_STREAMS"))))
        folder, size = programs_folder(f"openvino-{kind}"), "x".join(map(str, shape or ["any"]))
        file = folder / f"{self._known['sha256']}-{size}.blob" if folder else None
        with suppress(OSError, DataError, RuntimeError):  # not there; damaged, or of another OpenVINO or CPU
            if file:
                return openvino_core().import_model(read_file(file, most=MAX_MODEL), "CPU", dict(options))
        done = openvino_core().compile_model(self._fitted(shape, given), "CPU", dict(options))
        if file:
            done.export_model(stream := BytesIO())
            keep_newest(file, stream.getvalue())
        return done

    def _fitted(self, shape: tuple[int, ...] | None, given: int) -> Any:
        """The network for batches of a shape, or of any."""
        if self._read is None and _digest(self.source) != self._known["sha256"]:
            raise DataError(f"{self._path}: was replaced while it was in use; start again")
        self._read = self._read or _converted(self.source)
        if shape is None:
            return self._read
        network = self._read.clone()
        network.reshape(list(shape))
        check_network(network, given, self._known["stored"], str(self._path))
        return network


@cache
def openvino_core() -> Any:
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


def _converted(source: Path | bytes) -> Any:
    """A network as OpenVINO has it."""
    reader = _onnx_reader()
    return reader.convert(reader.load(BytesIO(source) if isinstance(source, bytes) else str(source)))


def _digest(source: Path | bytes) -> str:
    """The SHA-256 of a file, or of its bytes."""
    from hashlib import sha256  # 3 ms, and rarely needed

    return sha256(source if isinstance(source, bytes) else read_file(source, most=MAX_MODEL)).hexdigest()


def _last(shape: Any) -> int | None:
    """The last side of a shape, if it is known."""
    side = shape[-1] if shape.rank.is_static and len(shape) else None
    return side.get_length() if side is not None and side.is_static else None
