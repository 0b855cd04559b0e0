"""Run one network: in ONNX Runtime, in OpenVINO, or in Keras where only that can use the GPU.

An engine takes RGB pixels, uint8 (B, H, W, 3), and returns the raw heads, each float32
(B, rows, columns, channels). Importing this package imports none of the runtimes.
"""

from yolo_cli.engines.choosing import (
    INSTALL_OPENVINO,
    Choice,
    EngineKind,
    EngineName,
    RunPrecision,
    choose_engine,
    onnx_uses_cuda,
    unused_gpu,
)
from yolo_cli.engines.on_keras import KerasEngine, check_keras_device, compiles, keras_device, keras_gpus
from yolo_cli.engines.on_onnxruntime import OnnxEngine
from yolo_cli.engines.on_openvino import OpenVinoEngine
from yolo_cli.engines.opening import Runtime
from yolo_cli.engines.protocol import Engine, FileEngine, Part, StreamedEngine

__all__ = [
    "INSTALL_OPENVINO",
    "Choice",
    "Engine",
    "EngineKind",
    "EngineName",
    "FileEngine",
    "KerasEngine",
    "OnnxEngine",
    "OpenVinoEngine",
    "Part",
    "RunPrecision",
    "Runtime",
    "StreamedEngine",
    "check_keras_device",
    "choose_engine",
    "compiles",
    "keras_device",
    "keras_gpus",
    "onnx_uses_cuda",
    "unused_gpu",
]
