"""ONNX graphs as graphs: cut one off after a layer, count what one computes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["between", "ending_at", "multiply_accumulates"]


def ending_at(layer: str, path: Path) -> bytes:
    """The part of an ONNX file that the output of one layer needs, as a file of its own.

    Raises:
        ValueError: if there is no such layer.
    """
    import onnx
    from onnx.utils import Extractor

    model = onnx.load(str(path))
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
    """What lies between one input of an ONNX file and some of its outputs, as a file of its own.

    Args:
        given: the input's name.
        heads: places of the outputs, from 0.
        path: the file.

    Raises:
        ValueError: if there is no such input or output, or the outputs need another input, too.
    """
    import onnx
    from onnx.utils import Extractor

    model = onnx.load(str(path))
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
    """How many multiplications with an addition a network needs for ``batch``.

    Convolutions and matrix products are counted, as is usual; normalisation, activations and pooling, a
    hundredth of that, are not. Borders count as everything else, as in published figures.

    Args:
        source: an ONNX file, or its bytes.
        batch: an input of the shape in question; what stands in it does not matter.
    """
    import onnx

    model = onnx.load_from_string(source) if isinstance(source, bytes) else onnx.load(str(source))
    kernels = _kernel_shapes(model)
    nodes = [node for node in model.graph.node if node.op_type in ("Conv", "MatMul", "Gemm")]
    shapes = _output_shapes(model, [node.output[0] for node in nodes], batch)
    return sum(
        math.prod(shapes[node.output[0]]) * _per_output(node.op_type, kernels[node.input[1]])
        for node in nodes
    )


def _per_output(kind: str, kernel: tuple[int, ...]) -> int:
    """Multiplications for one number of the output: kernels are (out, in / groups, h, w) or (in, out)."""
    return math.prod(kernel[1:]) if kind == "Conv" else kernel[0]


def _kernel_shapes(model: Any) -> dict[str, tuple[int, ...]]:
    """The shape of every stored array, also under the name that it has after a cast."""
    shapes = {array.name: tuple(array.dims) for array in model.graph.initializer}
    casts = [node for node in model.graph.node if node.op_type == "Cast" and node.input[0] in shapes]
    return shapes | {node.output[0]: shapes[node.input[0]] for node in casts}


def _output_shapes(model: Any, names: list[str], batch: NDArray[Any]) -> dict[str, tuple[int, ...]]:
    """The shapes that the arrays ``names`` have when the network runs on ``batch``."""
    import onnx
    import onnxruntime

    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    found = session.run(names, {session.get_inputs()[0].name: np.zeros_like(batch)})
    return {name: array.shape for name, array in zip(names, found, strict=True)}
