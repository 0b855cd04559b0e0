"""A SavedModel, and a TFLite file made from one."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
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
    keras_file = _keras_file(files)
    if keras.backend.backend() != "tensorflow":
        raise UsageError("TensorFlow's formats need Keras on TensorFlow; leave out KERAS_BACKEND")
    module = tf.Module()
    module.serve = _function(load_keras(keras_file), plan)
    with silence():
        tf.saved_model.save(module, str(out), signatures={"serving_default": module.serve})
    extra = out / "assets.extra"
    extra.mkdir()
    (extra / "metadata.json").write_text(_json(metadata), encoding="utf-8")


def _keras_file(files: ModelFiles) -> Path:
    if files.keras is None:
        raise DataError(f"{files.first}: has no .keras file beside it, which TensorFlow's formats need")
    return files.keras


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
    files: ModelFiles, plan: Plan, metadata: Mapping[str, str], out: Path, images: Sequence[Image]
) -> None:
    """Write a ``.tflite`` file; the metadata is in a file ``metadata.json`` of the zip archive at its end.

    Args:
        files: the model.
        plan: what is part of the graph.
        metadata: see `metadata_of`.
        out: the file.
        images: to calibrate int8 on.

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
            data = _quantised(converter, _keras_file(files), plan, images) if images else converter.convert()
    out.write_bytes(data)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(zipfile.ZipInfo("metadata.json"), _json(metadata))  # with a fixed date


def _quantised(converter: Any, keras_file: Path, plan: Plan, images: Sequence[Image]) -> bytes:
    """The network in int8; what is around it, and the convolutions that compute raw heads, in float32.

    TensorFlow's debugger of quantisation is its only tool that leaves chosen operations alone. They are told
    by the names of their outputs, which end up in the file that was calibrated.
    """
    converter.representative_dataset = lambda: _inputs(plan, images)
    options = tf.lite.experimental.QuantizationDebugOptions()
    debugger = tf.lite.experimental.QuantizationDebugger(converter=converter, debug_options=options)
    calibrated = tf.lite.Interpreter(model_content=debugger.calibrated_model)
    names = [tensor["name"] for tensor in calibrated.get_tensor_details()]
    options.denylisted_nodes = list(_in_float(names, load_keras(keras_file), plan))
    return bytes(debugger.get_nondebug_quantized_model())


def _inputs(plan: Plan, images: Sequence[Image]) -> Iterator[list[NDArray[Any]]]:
    """Inputs to calibrate on. All have one size, as TensorFlow wants: the graph leaves it as it is."""
    for image in images:
        given = plan.input_of(image)
        yield [plan.detector.letterbox(image).apply(image.rgb)[None] if given.dtype == np.uint8 else given]


def _in_float(names: Sequence[str], model: Any, plan: Plan) -> Iterator[str]:
    """Those of the ``names`` of a file's tensors whose operations stay in float32.

    The name of a tensor of the network has that of the model, and of one or more of its layers, as a folder:
    ``model_1/conv_000_1/convolution``.
    """
    layers = [layer.name for layer in model.layers if _is_convolution(layer)]
    kept = "|".join(map(re.escape, plan.in_float(layers, _last_convolutions(model))))
    network = re.compile(rf"(^|;){re.escape(model.name)}(_\d+)?/")
    exempt = re.compile(rf"/({kept})(_\d+)?/")
    return (name for name in names if not network.search(name) or exempt.search(name))


def _is_convolution(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)


def _last_convolutions(model: Any) -> list[str]:
    """Names of the convolutions from which no other one leads to an output."""
    found, todo = [], list(model.outputs)
    while todo:
        layer = todo.pop()._keras_history.operation
        if _is_convolution(layer):
            found.append(layer.name)
        elif not isinstance(layer, keras.layers.InputLayer):
            todo += keras.tree.flatten(layer.input)
    return found


def _json(metadata: Mapping[str, str]) -> str:
    return json.dumps(dict(metadata), indent=1, ensure_ascii=False)
