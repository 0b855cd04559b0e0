"""Int8 for ONNX, by ONNX Runtime's own tool: the network in int8, calibrated on images."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.exporting.plan import Plan
from yolo_cli.images import Image
from yolo_cli.runtimes import import_onnxruntime

__all__ = ["quantised"]

_QUANTISED = ["Conv", "Add", "Concat", "LeakyRelu", "MaxPool", "Mul", "Resize", "Sigmoid"]


def quantised(network: Any, plan: Plan, images: Sequence[Image]) -> Any:
    """The network with int8 weights, a scale for each channel, and activations; some stay in float32.

    Args:
        network: the model's ONNX graph, in float32.
        plan: how images are fitted into its input.
        images: to observe the range of activations on.
    """
    import onnx

    import_onnxruntime()  # before its quantisation, with its telemetry off
    from onnxruntime import quantization
    from onnxruntime.quantization.preprocess import quant_pre_process

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        """The inputs of the network, one by one."""

        def __init__(self) -> None:
            self.inputs = _inputs(network.graph.input[0].name, plan, images)

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            return next(self.inputs, None)

    with tempfile.TemporaryDirectory() as name:
        given, plain, done = (Path(name) / f"{stage}.onnx" for stage in ("given", "plain", "done"))
        onnx.save(network, str(given))
        quant_pre_process(str(given), str(plain), skip_symbolic_shape=True)
        graph = onnx.load(str(plain))
        for number, node in enumerate(graph.graph.node):
            node.name = f"{node.op_type}_{number}"
        onnx.save(graph, str(plain))
        quantization.quantize_static(
            str(plain),
            str(done),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=_QUANTISED,
            nodes_to_exclude=_in_float(graph.graph, plan),
            per_channel=True,
        )
        return onnx.load(str(done))


def _inputs(name: str, plan: Plan, images: Sequence[Image]) -> Iterator[dict[str, NDArray[np.uint8]]]:
    for image in images:
        yield {name: plan.detector.letterbox(image).apply(image.rgb)[None]}


def _in_float(graph: Any, plan: Plan) -> list[str]:
    names = [node.name for node in graph.node if node.op_type == "Conv"]
    return plan.in_float(names, _last_convolutions(graph))


def _last_convolutions(graph: Any) -> list[str]:
    """Names of the convolutions from which no other one leads to an output."""
    makers = {out: node for node in graph.node for out in node.output}
    found, todo = [], [output.name for output in graph.output]
    while todo:
        node = makers.get(todo.pop())
        if node is not None and node.op_type == "Conv":
            found.append(node.name)
        elif node is not None:
            todo.extend(node.input)
    return found
