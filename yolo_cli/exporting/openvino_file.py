"""OpenVINO's intermediate representation: the ONNX graph of a plan, read and saved by OpenVINO."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_cli.exporting.onnx_file import build_onnx
from yolo_cli.exporting.plan import Plan
from yolo_cli.images import Image
from yolo_cli.runtimes import import_openvino

__all__ = ["write_openvino"]


def write_openvino(
    network: Any, plan: Plan, metadata: Mapping[str, str], out: Path, images: Sequence[Image]
) -> None:
    """Write an ``.xml`` file with a ``.bin`` beside it.

    The metadata is in the section ``yolo_cli`` of the runtime information.

    Args:
        network: see `build_onnx`.
        plan: what is part of the graph.
        metadata: see `metadata_of`.
        out: the ``.xml`` file.
        images: to calibrate int8 on.
    """
    openvino = import_openvino()
    graph = build_onnx(network, plan, {})
    model = openvino.Core().read_model(io.BytesIO(graph.SerializeToString()))
    if plan.form.number == "int8":
        model = _quantised(model, plan, images)
    for name, value in metadata.items():
        model.set_rt_info(value, ["yolo_cli", name])
    for number, operation in enumerate(model.get_ordered_ops()):
        if operation.get_type_name() != "Parameter":  # OpenVINO's own names count all graphs of the process
            operation.set_friendly_name(f"{operation.get_type_name()}_{number}")
    openvino.save_model(model, str(out), compress_to_fp16=plan.form.number == "half")


def _quantised(model: Any, plan: Plan, images: Sequence[Image]) -> Any:
    """The network of the graph in int8, by NNCF; what is around it stays in float32.

    NNCF also corrects biases for the mean error.
    """
    import nncf

    logging.getLogger("nncf").setLevel(logging.ERROR)
    inputs = nncf.Dataset(list(images), plan.input_of)
    around = [
        op.get_friendly_name() for op in model.get_ops() if not op.get_friendly_name().startswith("network/")
    ]
    ordered = [
        op.get_friendly_name() for op in model.get_ordered_ops() if op.get_type_name() == "Convolution"
    ]
    kept = plan.in_float(ordered, _last_convolutions(model))
    ignored = nncf.IgnoredScope(names=[*around, *kept], validate=False)
    return nncf.quantize(model, inputs, subset_size=len(images), ignored_scope=ignored)


def _last_convolutions(model: Any) -> list[str]:
    """Names of the convolutions from which no other one leads to an output."""
    found, todo = [], [node.input_value(0).get_node() for node in model.get_results()]
    seen = set()
    while todo:
        node = todo.pop()
        name = node.get_friendly_name()
        if name in seen:
            continue
        seen.add(name)
        if node.get_type_name() == "Convolution":
            found.append(name)
        else:
            todo.extend(value.get_node() for value in node.input_values())
    return found
