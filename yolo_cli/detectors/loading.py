"""Load a model as the detector that its card names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from yolo_cli.cache import once
from yolo_cli.config import DEFAULT_MODEL, DetectConfig
from yolo_cli.detectors.fitting import check_engine
from yolo_cli.detectors.protocol import Detector
from yolo_cli.detectors.yolo import YoloDetector
from yolo_cli.engines import Choice, Engine, EngineKind, RunPrecision, Runtime, choose_engine
from yolo_cli.errors import DataError, UsageError
from yolo_cli.hardware import Device
from yolo_cli.text import shorten
from yolo_cli.weights import ModelCard, ModelFiles, check_pair, find_model, read_card
from yolo_cli.weights.store import sha256

__all__ = ["DETECTORS", "engine_for", "load_detector", "open_backbone"]

DEFAULTS = DetectConfig()

Build = Callable[[Path, ModelCard, DetectConfig, Runtime], Detector]


def load_detector(
    weights: str | os.PathLike[str] | ModelFiles = DEFAULT_MODEL,
    *,
    engine: EngineKind = "auto",
    device: Device = "auto",
    precision: RunPrecision = "float32",
    config: DetectConfig = DEFAULTS,
    kind: str | None = None,
) -> Detector:
    """Load a model for detection. The detector is thread-safe.

    Args:
        weights: the name of a model (``yolo weights list``), the path of one of its files, the folder of a
            training run, or its files.
        engine: ``onnx`` (ONNX Runtime), ``openvino`` or ``keras``; ``auto`` as in `choose_engine`.
        device: ``cpu``, ``gpu``, one GPU such as ``gpu:1``, or ``auto``.
        precision: ``float32``, or ``bfloat16``, which only OpenVINO computes in.
        config: thresholds and limits.
        kind: a key of `DETECTORS`; None follows the model. Only the two sliding windows can use each other's.

    Raises:
        UserError: if there is no such model, its two files do not match, or an option does not fit it.

    >>> from yolo_cli.config import DetectConfig
    >>> from yolo_cli.detectors import load_detector
    >>> load_detector("yolov4-tiny-coco", config=DetectConfig(conf=0.5)).class_names[:3]
    ('person', 'bicycle', 'car')
    """
    files = weights if isinstance(weights, ModelFiles) else find_model(os.fspath(weights))
    chosen = engine_for(files, engine, device, precision)
    path = _file_for(files, chosen)
    if files.keras and path == files.onnx:
        once("pairs", [files.keras, path], partial(check_pair, files))
    return _build(path, config, Runtime(device, chosen.engine, precision), kind)


def _build(path: Path, config: DetectConfig, runtime: Runtime, kind: str | None) -> Detector:
    """The detector in a model's file."""
    card = read_card(path)
    wanted = kind or card.detector
    if card.metric:
        raise UsageError(f"{path}: is an embedding, for `yolo identify --embedding`; give a detector")
    if wanted not in DETECTORS:
        raise DataError(f"{path}: needs the detector '{wanted}', which this program does not have")
    if wanted != card.detector and not {wanted, card.detector} <= WINDOWS:
        raise UsageError(f"{path}: is made for {card.detector}, and cannot serve {wanted}")
    detector = DETECTORS[wanted](path, card, config, runtime)
    return detector if config.tile is None else detector.with_config(config)  # which works on tiles then


def engine_for(
    files: ModelFiles,
    engine: EngineKind = "auto",
    device: Device = "auto",
    precision: RunPrecision = "float32",
) -> Choice:
    """The engine in which `load_detector` runs a model, and why.

    Raises:
        UserError: if the model has no file for it, it is not installed, or options do not go together.
    """
    return choose_engine(engine, device, files.onnx is not None, files.keras is not None, precision)


def _file_for(files: ModelFiles, chosen: Choice) -> Path:
    """The model's file for the chosen engine."""
    if chosen.engine != "keras" and files.onnx is not None:
        return files.onnx
    return files.keras or files.first


def open_backbone(backbone: str, runtime: Runtime | None = None, digest: str | None = None) -> Engine:
    """The first part of another model, as the features of a region detector.

    Args:
        backbone: the model's name, a colon, and the layer to end at.
        runtime: where it runs; None is ONNX Runtime.
        digest: the SHA-256 that the model's ``.onnx`` file must have; None accepts any.

    Raises:
        DataError: if there is no such model or layer, or the file's hash differs.
    """
    name, _, layer = backbone.partition(":")
    if not name or not layer:
        raise DataError(f"its model card names no backbone as MODEL:LAYER, but {shorten(backbone, 60)!r}")
    path = find_model(name).onnx
    if path is None:
        raise DataError(f"{name}: has no .onnx file, but its features are needed")
    if digest is not None and sha256(path) != digest:
        raise DataError(f"{path}: is not the file that the model was trained on; restore that one")
    return (runtime or Runtime()).open(path, layer)


def _yolo(path: Path, card: ModelCard, config: DetectConfig, runtime: Runtime) -> Detector:
    engine = _opened(path, card, runtime)
    return YoloDetector(engine, card, config)


def _opened(path: Path, card: ModelCard, runtime: Runtime) -> Engine:
    """The network in a file, if its heads fit its card."""
    engine = runtime.open(path)
    check_engine(engine, card, path)
    return engine


def _methods() -> Mapping[str, Any]:
    """The region methods by name, imported when a model needs one: YOLO starts sooner without."""
    from yolo_cli.detectors.conv_sliding_window import ConvSlidingWindow
    from yolo_cli.detectors.fast_rcnn import FastRcnn
    from yolo_cli.detectors.faster_rcnn import FasterRcnn
    from yolo_cli.detectors.localisation import Localiser
    from yolo_cli.detectors.rcnn import Rcnn
    from yolo_cli.detectors.sliding_window import SlidingWindow

    return {
        "localisation": Localiser,
        "sliding-window": SlidingWindow,
        "conv-sliding-window": ConvSlidingWindow,
        "rcnn": Rcnn,
        "fast-rcnn": FastRcnn,
        "faster-rcnn": FasterRcnn,
    }


def _on_regions(method: Any, card: ModelCard, config: DetectConfig) -> Detector:
    from yolo_cli.detectors.regions import RegionDetector  # as for `_methods`

    return RegionDetector(method, card, config)


def _on_windows(kind: str) -> Build:
    """A builder for detectors whose method runs one network."""

    def build(path: Path, card: ModelCard, config: DetectConfig, runtime: Runtime) -> Detector:
        return _on_regions(_methods()[kind](_opened(path, card, runtime)), card, config)

    return build


def _on_backbone(kind: str) -> Build:
    """A builder for detectors whose method runs a backbone and a head."""

    def build(path: Path, card: ModelCard, config: DetectConfig, runtime: Runtime) -> Detector:
        method = _methods()[kind](_backbone_of(path, card, runtime), _opened(path, card, runtime))
        return _on_regions(method, card, config)

    return build


def _faster_rcnn(path: Path, card: ModelCard, config: DetectConfig, runtime: Runtime) -> Detector:
    # One file holds both networks: the proposal network takes the map, the head takes parts of it.
    proposer, head = runtime.open_parts(path, [("map", [0]), ("features", [1, 2])])
    check_engine(proposer, card, path, proposer=True)
    check_engine(head, card, path)
    method = _methods()["faster-rcnn"](_backbone_of(path, card, runtime), head, proposer)
    return _on_regions(method, card, config)


def _backbone_of(path: Path, card: ModelCard, runtime: Runtime) -> Engine:
    try:
        return open_backbone(card.backbone, runtime, card.source.get("backbone_sha256"))
    except DataError as fault:
        raise DataError(f"{path}: {fault.text}") from None


WINDOWS = {"sliding-window", "conv-sliding-window"}

DETECTORS: Mapping[str, Build] = {
    "yolo": _yolo,
    "localisation": _on_backbone("localisation"),
    "sliding-window": _on_windows("sliding-window"),
    "conv-sliding-window": _on_windows("conv-sliding-window"),
    "rcnn": _on_backbone("rcnn"),
    "fast-rcnn": _on_backbone("fast-rcnn"),
    "faster-rcnn": _faster_rcnn,
}
"""The builder of each kind of detector, by its name in model cards."""
