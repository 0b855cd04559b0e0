"""Small ONNX models that work, and ways to spoil them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

CARD: Mapping[str, Any] = {
    "format": 1,
    "name": "tiny",
    "class_names": ["a"],
    "heads": [{"kind": "yolo", "anchors": [[10, 10], [20, 20], [30, 30]], "stride": 32, "class_count": 1}],
    "input_size": [64, 64],
    "resize": "stretch",
}
CHANNELS = 18  # 3 anchors · (5 + 1 class)


def card(**changes: Any) -> dict[str, Any]:
    return {**CARD, **changes}


def tiny_model(
    path: Path,
    values: Mapping[str, Any] | str = CARD,
    *,
    middle: Sequence[Any] = (),
    constants: Mapping[str, Any] | None = None,
    change: Callable[[Any], object] = lambda _: None,
) -> Path:
    """Write a model of a stride-32 head; ``middle`` maps "features" (1, 3, h, w) to "more" of the same shape.

    Args:
        path: of the file.
        values: its card, or the text in its place.
        middle: nodes between the pooled image and the head.
        constants: arrays that they use.
        change: changes the protobuf message before it is written.
    """
    from onnx import TensorProto, helper, numpy_helper, save

    nodes = [
        helper.make_node("Cast", ["rgb"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("MaxPool", ["planes"], ["features"], kernel_shape=[32, 32], strides=[32, 32]),
        *(middle or [helper.make_node("Identity", ["features"], ["more"])]),
        helper.make_node("Conv", ["more", "kernel"], ["raw"]),
        helper.make_node("Transpose", ["raw"], ["head"], perm=[0, 2, 3, 1]),
    ]
    kernel = np.zeros((CHANNELS, 3, 1, 1), np.float32)
    arrays = {"kernel": kernel, **(constants or {})}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("rgb", TensorProto.UINT8, [None, None, None, 3])],
        [helper.make_tensor_value_info("head", TensorProto.FLOAT, [None, None, None, CHANNELS])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    text = values if isinstance(values, str) else json.dumps(values)
    helper.set_model_props(model, {"yolo_cli": text})
    change(model)
    save(model, str(path))
    return path
