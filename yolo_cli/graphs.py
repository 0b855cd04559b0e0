"""ONNX files: open one in ONNX Runtime, read its metadata, extract a part, count its arithmetic."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.hardware import threads
from yolo_cli.limits import MAX_MODEL, open_file
from yolo_cli.runtimes import import_onnxruntime, returning_memory

__all__ = [
    "between",
    "ending_at",
    "multiply_accumulates",
    "open_session",
    "part_of",
    "read_metadata",
    "without_weights",
]

# Field numbers of ModelProto and StringStringEntryProto in onnx.proto, and the kinds of values on the wire.
GRAPH, METADATA_PROPS, FUNCTIONS, KEY, VALUE = 7, 14, 25, 1, 2
_WEIGHTS = (GRAPH, 5, 9)  # ModelProto.graph, GraphProto.initializer, TensorProto.raw_data
VARINT, DELIMITED = 0, 2


def open_session(
    model: Path | bytes, providers: Sequence[Any], most: int | None = None, each: int | None = None
) -> Any:
    """An ONNX Runtime session of a file, or of its bytes, on the first of ``providers`` that can run it.

    If that does not start, it is an error; on its own, ONNX Runtime would say so on stdout and go on.

    Args:
        model: the file, or its bytes.
        providers: of ONNX Runtime, in order of preference.
        most: bytes of memory that it may take on the CPU; None sets no limit.
        each: the threads of each run; None as `threads` says.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads() if each is None else each
    options.log_severity_level = 4  # its errors are exceptions, too; a user can do nothing about its warnings
    if most is not None:
        # The allocator is the process's; each session takes the one registered last.
        kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
        memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
        onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(most, 0, -1, -1))
        options.add_session_config_entry("session.use_env_allocators", "1")
    source = model if isinstance(model, bytes) else str(model)
    with returning_memory():
        return onnxruntime.InferenceSession(source, options, providers=providers, enable_fallback=0)


def check_graph(path: Path) -> None:
    """Raise ONNX Runtime's error if it cannot read an ONNX file; nothing is computed, nothing optimized."""
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"], enable_fallback=0)


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of an ONNX file, read without parsing the network or importing a package.

    Raises:
        OSError: if the file cannot be read.
        DataError: if it defines operators of its own, of which a few may expand to billions.
        ValueError: if it is not an ONNX file, or is cut off.
    """
    found: dict[int, list[bytes]] = {}
    with open_file(path, str(path), MAX_MODEL, "model") as file:
        size = path.stat().st_size
        for number, length in _fields(file, size):
            if number == METADATA_PROPS:
                found.setdefault(number, []).append(file.read(length))
            elif number == FUNCTIONS:
                raise DataError(f"{path}: holds functions, which may call each other without end")
            else:
                found[number] = []
                file.seek(length, os.SEEK_CUR)
    if GRAPH not in found:
        raise ValueError("it holds no network")
    return dict(_entry(data) for data in found.get(METADATA_PROPS, []))


def without_weights(source: Path | bytes) -> Iterator[bytes]:
    """The fields of an ONNX file, a piece at a time, without the raw data of its weights and numbers.

    That is a hundredth of the file: nodes, names, and where weights are that the file does not hold.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not an ONNX file, is cut off, or has fields that ONNX does not.
    """
    with (
        io.BytesIO(source)
        if isinstance(source, bytes)
        else open_file(source, str(source), MAX_MODEL, "model")
    ) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        yield from _fields_but(_WEIGHTS, file, size)


def _fields_but(path: Sequence[int], file: BinaryIO, end: int) -> Iterator[bytes]:
    """The fields of a message that ends at ``end``, but those at ``path``: a field's number at each level."""
    for number, length in _fields(file, end):
        after = file.tell() + length
        if number != path[0]:
            yield file.read(length)
        elif path[1:]:
            yield from _fields_but(path[1:], file, after)
        file.seek(after)


def _entry(data: bytes) -> tuple[str, str]:
    """Key and value of one entry of the metadata."""
    file = io.BytesIO(data)
    values = {number: file.read(length).decode() for number, length in _fields(file, len(data))}
    return values.get(KEY, ""), values.get(VALUE, "")


def _fields(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Number and length of each field of a protobuf message, with the file at the field's first byte.

    The caller must seek to the field's end. https://protobuf.dev/programming-guides/encoding
    """
    while file.tell() < size:
        number, kind = divmod(_varint(file), 8)
        if kind not in (VARINT, DELIMITED) or number == 0:
            raise ValueError("it is not an ONNX file")
        value = _varint(file)
        if kind == DELIMITED:
            if file.tell() + value > size:
                raise ValueError("it is cut off")
            yield number, value


def _varint(file: BinaryIO) -> int:
    """A varint: seven bits per byte, lowest first; the eighth bit marks that another byte follows."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("it is cut off")
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise ValueError("it is not an ONNX file")


def part_of(
    path: Path, layer: str | None = None, part: tuple[str, Sequence[int]] | None = None
) -> Path | bytes:
    """What an engine runs of an ONNX file: all of it, up to a layer, or between an input and some heads.

    Raises:
        ValueError: if there is no such layer or part.
    """
    if layer is not None:
        return ending_at(layer, path)
    return path if part is None else between(*part, path)


def ending_at(layer: str, path: Path) -> bytes:
    """The subgraph of an ONNX file that computes the output of one layer, as the bytes of a file.

    Raises:
        ValueError: if there is no such layer.
    """
    import onnx
    from onnx.utils import Extractor

    model = onnx.load(str(path), load_external_data=False)
    # Keras writes the name of a layer into those of its outputs, and may number it.
    outputs = [out for node in model.graph.node for out in node.output]
    named = [out for out in outputs if {layer, f"{layer}_1"} & set(out.split("/"))]
    if not named:
        raise ValueError(f"it has no layer {layer}")
    wanted = onnx.helper.make_tensor_value_info(named[-1], onnx.TensorProto.FLOAT, [None] * 4)
    model.graph.value_info.append(wanted)
    part = Extractor(model).extract_model([model.graph.input[0].name], [wanted.name])
    data: bytes = part.SerializeToString()
    return data


def between(given: str, heads: Sequence[int], path: Path) -> bytes:
    """The subgraph of an ONNX file between one input and some of its outputs, as the bytes of a file.

    Args:
        given: the input's name.
        heads: positions of the outputs, from 0.
        path: the file.

    Raises:
        ValueError: if there is no such input or output, or the outputs also depend on another input.
    """
    import onnx
    from onnx.utils import Extractor

    model = onnx.load(str(path), load_external_data=False)
    inputs = [one.name for one in model.graph.input]
    if given not in inputs or not all(place < len(model.graph.output) for place in heads):
        raise ValueError(f"it has no input {given}, or too few outputs")
    part = Extractor(model).extract_model([given], [model.graph.output[place].name for place in heads])
    used = {name for node in part.graph.node for name in node.input}
    if used & (set(inputs) - {given}):
        raise ValueError(f"its outputs need more than the input {given}")
    data: bytes = part.SerializeToString()
    return data


def multiply_accumulates(source: Path | bytes, batch: NDArray[Any]) -> int:
    """Number of multiply-accumulates of a network for ``batch``.

    As usual, only convolutions and matrix products count; normalisation, activations and pooling would add
    about 1 %. Padding counts, as in published figures.

    Args:
        source: an ONNX file, or its bytes.
        batch: an input; only its shape and type matter.
    """
    import onnx

    model = (
        onnx.load_from_string(source)
        if isinstance(source, bytes)
        else onnx.load(str(source), load_external_data=False)
    )
    kernels = _kernel_shapes(model)
    nodes = [node for node in model.graph.node if node.op_type in ("Conv", "MatMul", "Gemm")]
    shapes = _output_shapes(model, [node.output[0] for node in nodes], batch)
    return sum(
        math.prod(shapes[node.output[0]]) * _per_output(node.op_type, kernels[node.input[1]])
        for node in nodes
    )


def _per_output(kind: str, kernel: tuple[int, ...]) -> int:
    """Multiplications per output value; kernels are (out, in / groups, h, w) or (in, out)."""
    return math.prod(kernel[1:]) if kind == "Conv" else kernel[0]


def _kernel_shapes(model: Any) -> dict[str, tuple[int, ...]]:
    """The shape of every stored array, also under the name that it has after a cast."""
    shapes = {array.name: tuple(array.dims) for array in model.graph.initializer}
    casts = [node for node in model.graph.node if node.op_type == "Cast" and node.input[0] in shapes]
    return shapes | {node.output[0]: shapes[node.input[0]] for node in casts}


def _output_shapes(model: Any, names: list[str], batch: NDArray[Any]) -> dict[str, tuple[int, ...]]:
    """The shapes that the arrays ``names`` have when the network runs on ``batch``."""
    import onnx

    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = open_session(model.SerializeToString(), ["CPUExecutionProvider"])
    found = session.run(names, {session.get_inputs()[0].name: np.zeros_like(batch)})
    return {name: array.shape for name, array in zip(names, found, strict=True)}
