"""OpenVINO's intermediate representation: the ONNX graph of a plan, read and saved by OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from yolo_cli.exporting.onnx_file import build_onnx
from yolo_cli.exporting.plan import Plan
from yolo_cli.images import Image
from yolo_cli.runtimes import import_openvino

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_openvino"]


def write_openvino(
    network: Any, plan: Plan, metadata: Mapping[str, str], out: Path, _images: Sequence[Image]
) -> None:
    """Write an ``.xml`` file with a ``.bin`` beside it; for the arguments see `build_onnx`.

    The metadata is in the section ``yolo_cli`` of the runtime information.
    """
    import io

    openvino = import_openvino()
    graph = build_onnx(network, plan, {})
    model = openvino.Core().read_model(io.BytesIO(graph.SerializeToString()))
    for name, value in metadata.items():
        model.set_rt_info(value, ["yolo_cli", name])
    for number, operation in enumerate(model.get_ordered_ops()):
        if operation.get_type_name() != "Parameter":  # OpenVINO's own names count all graphs of the process
            operation.set_friendly_name(f"{operation.get_type_name()}_{number}")
    openvino.save_model(model, str(out), compress_to_fp16=plan.form.number == "half")
