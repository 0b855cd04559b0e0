"""Open a model's files as the detector that they are made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from yolo_cli.config import DetectConfig
from yolo_cli.detectors.conv_sliding_window import all_windows, price_of_all
from yolo_cli.detectors.fast_rcnn import MapClassifier
from yolo_cli.detectors.faster_rcnn import FasterRcnn
from yolo_cli.detectors.localisation import Localiser
from yolo_cli.detectors.rcnn import CropClassifier
from yolo_cli.detectors.regions import RegionDetector
from yolo_cli.detectors.selective_search import selective_search
from yolo_cli.detectors.sliding_window import each_window, price_of_each
from yolo_cli.detectors.windows import WindowScan
from yolo_cli.detectors.yolo import YoloDetector
from yolo_cli.engines import Device, EngineKind, KerasEngine, OnnxEngine, choose_engine
from yolo_cli.errors import DataError, UsageError
from yolo_cli.weights import ModelCard, check_pair, find_model, read_card
from yolo_cli.weights.store import card_from_metadata, sha256

__all__ = ["DEFAULT_MODEL", "DETECTORS", "load_detector", "open_backbone"]

DEFAULT_MODEL = "yolov4-tiny-coco"
DEFAULTS = DetectConfig()

Network = OnnxEngine | KerasEngine
Build = Callable[[Network, ModelCard, DetectConfig, Device], YoloDetector | RegionDetector]


def load_detector(
    weights: str = DEFAULT_MODEL,
    *,
    engine: EngineKind = "auto",
    device: Device = "auto",
    config: DetectConfig = DEFAULTS,
    kind: str | None = None,
) -> YoloDetector | RegionDetector:
    """Load a model for detection: the same path as the command line's.

    Args:
        weights: the name of a model (``yolo weights list``), or the path of one of its files.
        engine: ``onnx`` (ONNX Runtime) or ``keras``; ``auto`` takes Keras where there is a GPU.
        device: ``cpu``, ``gpu``, or whichever there is.
        config: thresholds and limits.
        kind: which of `DETECTORS`; None follows the model. Only the two sliding windows share their models.

    Raises:
        UserError: if there is no such model, its two files do not match, or an option does not fit it.

    >>> from yolo_cli import DetectConfig, load_detector
    >>> load_detector("yolov4-tiny-coco", config=DetectConfig(conf=0.5)).class_names[:3]
    ('person', 'bicycle', 'car')
    """
    network, card = _open(weights, engine, device)
    wanted = kind or card.detector
    if wanted not in DETECTORS:
        raise DataError(f"{weights}: is made for a detector called '{wanted}', which this program lacks")
    if wanted != card.detector and not {wanted, card.detector} <= WINDOWS:
        raise UsageError(f"{weights}: is made for {card.detector}, and cannot serve {wanted}")
    return DETECTORS[wanted](network, card, config, device)


def _open(weights: str, engine: EngineKind, device: Device) -> tuple[Network, ModelCard]:
    """The network of a model, and what the model says of itself."""
    files = find_model(weights)
    chosen = choose_engine(engine, device, has_onnx=files.onnx is not None, has_keras=files.keras is not None)
    if chosen == "onnx" and files.onnx is not None:
        network = OnnxEngine(files.onnx, device)
        check_pair(files, network.metadata)
        return network, card_from_metadata(network.metadata, files.onnx)
    path = files.keras or files.first
    card = read_card(path)
    return KerasEngine(path, device), card


def open_backbone(backbone: str, device: Device = "auto", digest: str | None = None) -> OnnxEngine:
    """The first part of another model, as the features of a region detector.

    Args:
        backbone: the model's name, a colon, and the layer to end at.
        device: where it shall run.
        digest: the SHA-256 that the model's ``.onnx`` file must have; None takes any.

    Raises:
        DataError: if there is no such model or layer, or the file is another one.
    """
    name, _, layer = backbone.partition(":")
    path = find_model(name).onnx
    if path is None:
        raise DataError(f"{name}: has no .onnx file, and its features are needed")
    if digest is not None and sha256(path) != digest:
        raise DataError(f"{path}: is not the file whose features the model learnt from; put that one back")
    return OnnxEngine(path, device, layer)


def _yolo(network: Network, card: ModelCard, config: DetectConfig, _device: Device) -> YoloDetector:
    return YoloDetector(network, card, config)


def _localisation(network: Network, card: ModelCard, config: DetectConfig, device: Device) -> RegionDetector:
    backbone = open_backbone(card.backbone, device, card.source.get("backbone_sha256"))
    localiser = Localiser(backbone, network)
    return RegionDetector(
        localiser.propose, localiser.classify, localiser.cost, card, config, localiser.origins
    )


def _sliding_window(
    network: Network, card: ModelCard, config: DetectConfig, _device: Device
) -> RegionDetector:
    scan = WindowScan(network, each_window, price_of_each)
    return RegionDetector(scan.propose, scan.classify, scan.cost, card, config, scan.origins)


def _conv_sliding_window(
    network: Network, card: ModelCard, config: DetectConfig, _device: Device
) -> RegionDetector:
    scan = WindowScan(network, all_windows, price_of_all)
    return RegionDetector(scan.propose, scan.classify, scan.cost, card, config, scan.origins)


def _rcnn(network: Network, card: ModelCard, config: DetectConfig, device: Device) -> RegionDetector:
    backbone = open_backbone(card.backbone, device, card.source.get("backbone_sha256"))
    judge = CropClassifier(backbone, network)
    return RegionDetector(selective_search, judge.classify, judge.cost, card, config)


def _fast_rcnn(network: Network, card: ModelCard, config: DetectConfig, device: Device) -> RegionDetector:
    backbone = open_backbone(card.backbone, device, card.source.get("backbone_sha256"))
    judge = MapClassifier(backbone, network)
    return RegionDetector(selective_search, judge.classify, judge.cost, card, config)


def _faster_rcnn(network: Network, card: ModelCard, config: DetectConfig, device: Device) -> RegionDetector:
    backbone = open_backbone(card.backbone, device, card.source.get("backbone_sha256"))
    # One file holds both networks: the one that proposes takes the map, the head takes parts of it.
    both = FasterRcnn(backbone, network.part("map", [0]), network.part("features", [1, 2]))
    return RegionDetector(both.propose, both.classify, both.cost, card, config, see=both.see)


WINDOWS = {"sliding-window", "conv-sliding-window"}

DETECTORS: Mapping[str, Build] = {
    "yolo": _yolo,
    "localisation": _localisation,
    "sliding-window": _sliding_window,
    "conv-sliding-window": _conv_sliding_window,
    "rcnn": _rcnn,
    "fast-rcnn": _fast_rcnn,
    "faster-rcnn": _faster_rcnn,
}
"""Every kind of detector by the name that a model's card gives it, and how to put it together."""
