"""A SavedModel, and a TFLite file made from one."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from yolo_cli.errors import DataError, UsageError
from yolo_cli.exporting.path import image_to_boxes
from yolo_cli.exporting.plan import Plan
from yolo_cli.exporting.tensorflow_ops import TensorFlowOps
from yolo_cli.framework import keras, silence
from yolo_cli.images import Image
from yolo_cli.model.keras_file import load_keras
from yolo_cli.weights import ModelFiles

__all__ = ["write_saved_model", "write_tflite"]


def write_saved_model(
    files: ModelFiles, plan: Plan, metadata: Mapping[str, str], out: Path, _images: Sequence[Image] = ()
) -> None:
    """Write the folder of a SavedModel with the signature ``serving_default``.

    The metadata is in its file ``assets.extra/metadata.json``.

    Raises:
        UserError: if the model has no ``.keras`` file, or Keras does not run on TensorFlow.
    """
    if files.keras is None:
        raise DataError(f"{files.first}: has no .keras file beside it, which TensorFlow's formats need")
    if keras.backend.backend() != "tensorflow":
        raise UsageError("TensorFlow's formats need Keras on TensorFlow; leave out KERAS_BACKEND")
    module = tf.Module()
    module.serve = _function(load_keras(files.keras), plan)
    with silence():
        tf.saved_model.save(module, str(out), signatures={"serving_default": module.serve})
    extra = out / "assets.extra"
    extra.mkdir()
    (extra / "metadata.json").write_text(_json(metadata), encoding="utf-8")


def _function(model: Any, plan: Plan) -> Any:
    """The path from image to boxes as a TensorFlow function whose weights are constants.

    As variables, TFLite would not initialise them.
    """
    batch = plan.form.batch
    if plan.form.preprocess:
        given = tf.TensorSpec([batch, None, None, 3], tf.uint8, name="images")
    else:
        given = tf.TensorSpec([batch, 3, *plan.input_size], tf.float32, name="images")

    def network(pixels: Any) -> Any:
        heads = model(tf.reshape(tf.cast(pixels, tf.uint8), [-1, *plan.input_size, 3]))
        return heads if isinstance(heads, list | tuple) else [heads]

    @tf.function(input_signature=[given])  # type: ignore[untyped-decorator]
    def serve(images: Any) -> dict[str, Any]:
        return image_to_boxes(images, network, plan, TensorFlowOps())

    function = serve.get_concrete_function()
    names = sorted(function.structured_outputs)  # the order of the outputs, too
    constant = convert_variables_to_constants_v2(function)
    return tf.function(
        lambda images: dict(zip(names, constant(images), strict=True)), input_signature=[given]
    )


def write_tflite(
    files: ModelFiles, plan: Plan, metadata: Mapping[str, str], out: Path, _images: Sequence[Image]
) -> None:
    """Write a ``.tflite`` file; the metadata is in a file ``metadata.json`` of the zip archive at its end.

    Of int8, only weights are stored so; activations are quantised as they come, without calibration. With it,
    the converter would compute boxes in int8, too.

    Raises:
        UserError: as `write_saved_model`.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model"
        write_saved_model(files, plan, {}, saved)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
        if plan.form.number != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if plan.form.number == "half":
            converter.target_spec.supported_types = [tf.float16]
        with silence():
            data = converter.convert()
    out.write_bytes(data)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(zipfile.ZipInfo("metadata.json"), _json(metadata))  # with a fixed date


def _json(metadata: Mapping[str, str]) -> str:
    return json.dumps(dict(metadata), indent=1, ensure_ascii=False)
