"""The ONNX graph of a plan: the network between the operations of `yolo_cli.exporting.path`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from yolo_cli.exporting.onnx_ops import OnnxOps, Symbol
from yolo_cli.exporting.onnx_quantising import quantised
from yolo_cli.exporting.onnx_upsampling import join_upsampling
from yolo_cli.exporting.path import image_to_boxes
from yolo_cli.exporting.plan import Plan
from yolo_cli.images import Image
from yolo_cli.weights import ModelFiles, check_pair
from yolo_cli.weights.save import export_onnx, halve_kernels

__all__ = ["build_onnx", "network_of", "write_onnx"]

_SHAPES: dict[str, list[str | int]] = {
    "num_detections": [],
    "boxes": ["boxes", 4],
    "scores": ["boxes"],
    "class_ids": ["boxes"],
}


def network_of(files: ModelFiles) -> Any:
    """The network of a model as an ONNX graph, from its ``.onnx`` file, or made from its ``.keras`` file.

    Raises:
        UserError: if its two files do not match, or packages are missing that make it.
    """
    import onnx

    check_pair(files)
    if files.onnx:
        network = onnx.load(str(files.onnx), load_external_data=False)
    else:
        with tempfile.TemporaryDirectory() as folder:
            network = onnx.load(str(export_onnx(files, Path(folder) / "network.onnx")))
    join_upsampling(network.graph)
    return _in_float32(network)


def _in_float32(network: Any) -> Any:
    """The graph with kernels that are stored as float16, and cast when it runs, stored as float32.

    Not every program reads float16: OpenCV 4.6 does not.
    """
    from onnx import TensorProto, numpy_helper

    arrays = {array.name: array for array in network.graph.initializer}
    for node in list(network.graph.node):
        array = arrays.get(node.input[0]) if node.op_type == "Cast" else None
        if array is not None and array.data_type == TensorProto.FLOAT16:
            values = numpy_helper.to_array(array).astype(np.float32)
            array.CopyFrom(numpy_helper.from_array(values, node.output[0]))
            network.graph.node.remove(node)
    return network


def write_onnx(
    network: Any, plan: Plan, metadata: Mapping[str, str], out: Path, images: Sequence[Image]
) -> None:
    """Write an ``.onnx`` file; see `build_onnx`, and ``images`` are to calibrate int8 on."""
    if plan.form.number == "half":
        halve_kernels(network)
    if plan.form.number == "int8":
        network = quantised(network, plan, images)
    out.write_bytes(build_onnx(network, plan, metadata).SerializeToString(deterministic=True))


def build_onnx(network: Any, plan: Plan, metadata: Mapping[str, str]) -> Any:
    """An ONNX model of the path from image to boxes.

    Args:
        network: the model's ONNX graph, which takes pixels (B, H, W, 3) and returns raw heads.
        plan: what is part of the graph.
        metadata: written into the file.
    """
    import onnx

    ops = OnnxOps()
    kind = "uint8" if plan.form.preprocess else "float32"
    found = image_to_boxes(Symbol(ops, "images", kind), lambda pixels: ops.call(network, pixels), plan, ops)
    given = _info("images", kind, _input_shape(plan))
    outputs = [_output(ops, name, symbol, plan) for name, symbol in found.items()]
    constants = [onnx.numpy_helper.from_array(value, name) for name, value in ops.constants.items()]
    graph = onnx.helper.make_graph(ops.nodes, "yolo", [given], outputs, constants)
    model = onnx.helper.make_model(graph, opset_imports=network.opset_import, ir_version=network.ir_version)
    model.producer_name = "yolo-cli"
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    return model


def _info(name: str, dtype: str, shape: list[str | int]) -> Any:
    from onnx import helper

    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, shape)


def _input_shape(plan: Plan) -> list[str | int]:
    batch = plan.form.batch or "batch"
    if plan.form.preprocess:
        return [batch, "height", "width", 3]
    return [batch, 3, *(("height", "width") if plan.form.dynamic else plan.input_size)]


def _output(ops: OnnxOps, name: str, symbol: Symbol, plan: Plan) -> Any:
    """An output of the graph that has the name ``name``."""
    from onnx import helper

    ops.nodes.append(helper.make_node("Identity", [symbol.name], [name], f"output_{name}"))
    boxes = plan.detector.config.max_det if plan.form.nms else "boxes" if plan.form.dynamic else plan.slots
    rest = [boxes if side == "boxes" else side for side in _SHAPES[name]]
    if name == "scores" and not plan.form.nms:
        rest.append(len(plan.card.class_names))
    return _info(name, symbol.dtype, [plan.form.batch or "batch", *rest])
