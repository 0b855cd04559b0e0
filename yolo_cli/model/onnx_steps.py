"""The steps of another program's ONNX file, with the values of its convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, unreadable
from yolo_cli.limits import MAX_MODEL, read_file
from yolo_cli.model.steps import PASSES, Step, Values, leaky, with_values

__all__ = ["read_onnx_steps"]

KINDS = {"Concat": "concat", "Add": "add"}
KINDS |= dict.fromkeys(("MaxPool", "Slice", "Split", "Resize", "Upsample", "Pad", "Identity", "Cast"), PASSES)
KINDS |= dict.fromkeys(("Reshape", "Transpose", "Sigmoid", "Squeeze", "Unsqueeze"), PASSES)


def read_onnx_steps(path: Path) -> tuple[list[Step], tuple[int, ...]]:
    """The steps of an ONNX file, in order, and the size of its input.

    Returns:
        The steps; and height and width of the input in pixels, or nothing if it is dynamic.

    Raises:
        DataError: if the file cannot be read, is not an ONNX file, or has values in other files.
    """
    import onnx

    try:
        graph = onnx.load_model_from_string(read_file(path, most=MAX_MODEL, kind="model")).graph
        constants = {tensor.name: _array(tensor) for tensor in graph.initializer}
        steps = [_step(node, constants) for node in graph.node]
        size = [int(side.dim_value) for side in graph.input[0].type.tensor_type.shape.dim[-2:]]
    except DataError:
        raise
    except OSError as fault:
        raise unreadable(path, fault) from None
    except Exception as fault:  # damaged bytes can fail anywhere
        reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:120]
        raise DataError(f"{path}: is not an ONNX file that can be imported ({reason})") from None
    return steps, tuple(size) if all(size) else ()


def _array(tensor: Any) -> NDArray[Any]:
    from onnx import numpy_helper

    if tensor.external_data:
        raise ValueError("its values are in another file")
    return np.asarray(numpy_helper.to_array(tensor))


def _step(node: Any, constants: Mapping[str, NDArray[Any]]) -> Step:
    attributes = {attribute.name: attribute for attribute in node.attribute}
    if node.op_type == "Conv":
        step = Step(node.name, "", tuple(node.input[:1]), tuple(node.output))
        kernel, bias = (constants[name].astype(np.float32) for name in node.input[1:3])
        strides = attributes["strides"].ints if "strides" in attributes else [1]
        return with_values(step, Values(kernel, bias), strides[0])
    kind = KINDS.get(node.op_type, node.op_type)
    if kind == "LeakyRelu":
        kind = leaky(attributes["alpha"].f if "alpha" in attributes else 0.01)
    return Step(node.name, kind, tuple(node.input), tuple(node.output))
