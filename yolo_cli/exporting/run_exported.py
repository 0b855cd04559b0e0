"""Run an exported model in its own run-time: a script for a process that has nothing else of ours.

It imports NumPy, the standard library and the run-time that the file is for, as users' programs do:
``python run_exported.py MODEL FOLDER``. For each ``FOLDER/NUMBER.npy``, one input (1, …), it writes the
outputs by name to ``FOLDER/NUMBER.npz``; ``FOLDER/run.json`` has run-time, milliseconds, packages, metadata.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Outputs = dict[str, Any]
Model = Callable[[Any], Outputs]
Opened = tuple[str, dict[str, str], Model]  # the run-time, the file's metadata, and the model


def open_onnx(path: Path) -> Opened:
    """In ONNX Runtime, on the processor."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(images: Any) -> Outputs:
        return dict(zip(names, session.run(names, {"images": images}), strict=True))

    return f"onnxruntime {onnxruntime.__version__}", session.get_modelmeta().custom_metadata_map, run


def open_openvino(path: Path) -> Opened:
    """In OpenVINO, on the processor, in float32 as far as the file has it."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # OpenVINO then does without
    import openvino

    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    read = core.read_model(str(path))
    names = [output.any_name for output in read.outputs]
    model = core.compile_model(str(path), "CPU", hints)

    def run(images: Any) -> Outputs:
        found = model([images])
        return {name: np.array(found[name]) for name in names}

    return f"openvino {openvino.__version__}", read.get_rt_info(["yolo_cli"]).value, run


def open_tflite(path: Path) -> Opened:
    """In LiteRT."""
    import ai_edge_litert
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=os.cpu_count())
    runner = interpreter.get_signature_runner()
    with zipfile.ZipFile(path) as archive:
        metadata = json.loads(archive.read("metadata.json"))
    return (
        f"ai-edge-litert {ai_edge_litert.__version__}",
        metadata,
        lambda images: dict(runner(images=images)),
    )


def open_saved_model(path: Path) -> Opened:
    """In TensorFlow."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    model = tf.saved_model.load(str(path))
    serve = model.signatures["serving_default"]

    def run(images: Any) -> Outputs:
        return {name: value.numpy() for name, value in serve(images=tf.constant(images)).items()}

    metadata = json.loads((path / "assets.extra" / "metadata.json").read_text(encoding="utf-8"))
    return f"tensorflow {tf.__version__}", metadata, run


OPENERS = {".onnx": open_onnx, ".xml": open_openvino, ".tflite": open_tflite, "": open_saved_model}


def main(model: Path, folder: Path) -> None:
    """Run the model on every input of the folder; the first one also warms it up."""
    runtime, metadata, run = OPENERS[model.suffix](model)
    inputs = sorted(folder.glob("*.npy"))
    run(np.load(inputs[0]))
    spent = []
    for path in inputs:
        images = np.load(path)
        start = time.perf_counter()
        outputs = run(images)
        spent.append(1000 * (time.perf_counter() - start))
        np.savez(path.with_suffix(".npz"), **outputs)
    packages = sorted({name.partition(".")[0] for name in sys.modules})
    record = {"runtime": runtime, "milliseconds": spent, "packages": packages, "metadata": metadata}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
