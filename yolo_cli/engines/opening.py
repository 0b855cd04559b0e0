"""Open the file of a model in the engine that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yolo_cli.engines.choosing import EngineName, RunPrecision
from yolo_cli.engines.on_keras import KerasEngine
from yolo_cli.engines.on_onnxruntime import OnnxEngine
from yolo_cli.engines.on_openvino import OpenVinoEngine
from yolo_cli.engines.protocol import FileEngine, Part
from yolo_cli.hardware import Device

__all__ = ["Runtime"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What networks run in and on.

    Attributes:
        device: "cpu", "gpu", one GPU such as "gpu:1", or "auto".
        engine: what runs ``.onnx`` files; ``.keras`` files run in Keras.
        precision: what it computes in; other than float32 in OpenVINO only.
    """

    device: Device = "auto"
    engine: EngineName = "onnx"
    precision: RunPrecision = "float32"

    def open(self, path: Path, layer: str | None = None, part: Part | None = None) -> FileEngine:
        """The network in a ``.keras`` or ``.onnx`` file.

        Args:
            path: the file.
            layer: of an ``.onnx`` file, end at this layer: float32 (B, channels, rows, columns).
            part: of an ``.onnx`` file, only what is between this input and the heads at these positions.

        Raises:
            UserError: if the file cannot run, or has no such layer or part.
        """
        if path.suffix == ".keras":
            return KerasEngine(path, self.device)
        if self.engine == "openvino":
            return OpenVinoEngine(path, self.precision, layer, part)
        return OnnxEngine(path, self.device, layer, part)

    def open_parts(self, path: Path, parts: Sequence[Part]) -> list[FileEngine]:
        """An engine for each of ``parts`` of one network; with ONNX, the whole network is not opened.

        Raises:
            DataError: if the network has no such part.
        """
        if path.suffix == ".keras":
            whole = KerasEngine(path, self.device)
            return [whole.part(*part) for part in parts]
        return [self.open(path, part=part) for part in parts]
