"""Write a plan in its format."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from yolo_cli.errors import UsageError
from yolo_cli.exporting.metadata import metadata_of
from yolo_cli.exporting.onnx_file import network_of, write_onnx
from yolo_cli.exporting.openvino_file import write_openvino
from yolo_cli.exporting.plan import Format, Plan
from yolo_cli.images import Image
from yolo_cli.weights import ModelFiles

__all__ = ["SUFFIXES", "check_packages", "write_export"]

SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml", "tflite": ".tflite", "saved-model": ""}

_NEEDED = {
    "onnx": ("onnx",),
    "openvino": ("onnx", "openvino"),
    "tflite": ("tensorflow", "ai_edge_litert"),
    "saved-model": ("tensorflow",),
}


def check_packages(plan: Plan) -> None:
    """Raise UsageError if packages are missing that write and prove this format."""
    form = plan.form
    needed = _NEEDED[form.format]
    if form.number == "int8" and form.format == "openvino":
        needed = (*needed, "nncf")
    if missing := [name.replace("_", "-") for name in needed if find_spec(name) is None]:
        raise UsageError(
            f"--format {form.format}: needs {' and '.join(missing)}: pip install 'yolo-cli[export]'"
        )


def write_export(plan: Plan, files: ModelFiles, out: Path, images: Sequence[Image] = ()) -> None:
    """Write a file, or a SavedModel's folder.

    Args:
        plan: the model and how it is exported.
        files: its files.
        out: the path, with its suffix.
        images: to calibrate int8 on.

    Raises:
        DataError: if the model has no file that this format is made from.
    """
    metadata = metadata_of(plan, files)
    if plan.form.format in ("onnx", "openvino"):
        network = network_of(files)
        write = write_onnx if plan.form.format == "onnx" else write_openvino
        write(network, plan, metadata, out, images)
        return
    from yolo_cli.exporting.tensorflow_files import write_saved_model, write_tflite

    (write_tflite if plan.form.format == "tflite" else write_saved_model)(files, plan, metadata, out, images)
