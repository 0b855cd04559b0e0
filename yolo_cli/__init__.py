"""An object detector for the command line and for Python.

    >>> from yolo_cli import load_detector
    >>> detector = load_detector("yolov4-tiny-coco")
    >>> detector("examples/cat.jpg")
    <Result examples/cat.jpg 451x270: 1 cat>

Names are imported on first use, so that ``import yolo_cli`` itself imports nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yolo_cli.version import __version__

if TYPE_CHECKING:
    from yolo_cli.anchors.result import FittedAnchors
    from yolo_cli.api.anchors import fit_anchors
    from yolo_cli.api.benchmarking import benchmark
    from yolo_cli.api.calibration import calibrate
    from yolo_cli.api.comparing import compare
    from yolo_cli.api.converting import convert
    from yolo_cli.api.detection import Predictor, detect, draw, load_detector
    from yolo_cli.api.embedding import train_embedding
    from yolo_cli.api.evaluation import evaluate
    from yolo_cli.api.explaining import explain, explain_filters, explain_layers, explain_saliency
    from yolo_cli.api.exporting import export
    from yolo_cli.api.fetching import fetch_model
    from yolo_cli.api.identifying import Identified, forget, identify, learn, list_identities, verify
    from yolo_cli.api.linting import lint
    from yolo_cli.api.models import Model, export_onnx, import_model, list_backbones, list_models, show_model
    from yolo_cli.api.scaling import detect_on_ray
    from yolo_cli.api.serving import create_app, serve
    from yolo_cli.api.statistics import dataset_stats
    from yolo_cli.api.styling import stylize, stylize_data
    from yolo_cli.api.suspects import find_suspects
    from yolo_cli.api.tracking import evaluate_mot, track
    from yolo_cli.api.training import preview_augmentation, train
    from yolo_cli.api.worked import explain_loss, explain_overlap, explain_stages, explain_targets
    from yolo_cli.benchmarking import Benchmark
    from yolo_cli.comparison import Comparison
    from yolo_cli.damage import accept_damaged
    from yolo_cli.datasets import LintReport
    from yolo_cli.datasets.converting import Converted
    from yolo_cli.datasets.statistics import DatasetStats
    from yolo_cli.detections import Detections, GroundTruth
    from yolo_cli.errors import DataError, UsageError, UserError
    from yolo_cli.evaluation.tracks import TrackReport
    from yolo_cli.explanation import Explanation
    from yolo_cli.exporting import Exported
    from yolo_cli.identity import Match, Verdict
    from yolo_cli.identity.identify_run import IdentifyRun
    from yolo_cli.images import Image, read_image
    from yolo_cli.inventory import devices
    from yolo_cli.pipeline.calibrating import Calibrated
    from yolo_cli.pipeline.runs import DetectRun
    from yolo_cli.report import EvaluationResult
    from yolo_cli.results import Detection, Result
    from yolo_cli.suspects import SuspectReport
    from yolo_cli.time_limit import image_timeout
    from yolo_cli.tracking import TrackedFrame, Tracker, TrackRun
    from yolo_cli.training import Step, Watcher
    from yolo_cli.training.result import EmbeddingResult, TrainResult

__all__ = [
    "Benchmark",
    "Calibrated",
    "Comparison",
    "Converted",
    "DataError",
    "DatasetStats",
    "DetectRun",
    "Detection",
    "Detections",
    "EmbeddingResult",
    "EvaluationResult",
    "Explanation",
    "Exported",
    "FittedAnchors",
    "GroundTruth",
    "Identified",
    "IdentifyRun",
    "Image",
    "LintReport",
    "Match",
    "Model",
    "Predictor",
    "Result",
    "Step",
    "SuspectReport",
    "TrackReport",
    "TrackRun",
    "TrackedFrame",
    "Tracker",
    "TrainResult",
    "UsageError",
    "UserError",
    "Verdict",
    "Watcher",
    "__version__",
    "accept_damaged",
    "benchmark",
    "calibrate",
    "compare",
    "convert",
    "create_app",
    "dataset_stats",
    "detect",
    "detect_on_ray",
    "devices",
    "draw",
    "evaluate",
    "evaluate_mot",
    "explain",
    "explain_filters",
    "explain_layers",
    "explain_loss",
    "explain_overlap",
    "explain_saliency",
    "explain_stages",
    "explain_targets",
    "export",
    "export_onnx",
    "fetch_model",
    "find_suspects",
    "fit_anchors",
    "forget",
    "identify",
    "image_timeout",
    "import_model",
    "learn",
    "lint",
    "list_backbones",
    "list_identities",
    "list_models",
    "load_detector",
    "preview_augmentation",
    "read_image",
    "serve",
    "show_model",
    "stylize",
    "stylize_data",
    "track",
    "train",
    "train_embedding",
    "verify",
]

_MODULES = {
    "anchors.result": ("FittedAnchors",),
    "api.anchors": ("fit_anchors",),
    "api.benchmarking": ("benchmark",),
    "api.calibration": ("calibrate",),
    "benchmarking": ("Benchmark",),
    "api.comparing": ("compare",),
    "api.converting": ("convert",),
    "api.detection": ("Predictor", "detect", "draw", "load_detector"),
    "api.embedding": ("train_embedding",),
    "api.evaluation": ("evaluate",),
    "api.explaining": ("explain", "explain_filters", "explain_layers", "explain_saliency"),
    "api.fetching": ("fetch_model",),
    "api.exporting": ("export",),
    "api.identifying": ("Identified", "forget", "identify", "learn", "list_identities", "verify"),
    "api.linting": ("lint",),
    "api.suspects": ("find_suspects",),
    "api.models": ("Model", "export_onnx", "import_model", "list_backbones", "list_models", "show_model"),
    "api.scaling": ("detect_on_ray",),
    "api.serving": ("create_app", "serve"),
    "api.statistics": ("dataset_stats",),
    "api.tracking": ("evaluate_mot", "track"),
    "api.styling": ("stylize", "stylize_data"),
    "api.training": ("preview_augmentation", "train"),
    "api.worked": ("explain_targets", "explain_overlap", "explain_loss", "explain_stages"),
    "comparison": ("Comparison",),
    "damage": ("accept_damaged",),
    "datasets": ("LintReport",),
    "datasets.converting": ("Converted",),
    "datasets.statistics": ("DatasetStats",),
    "detections": ("Detections", "GroundTruth"),
    "errors": ("DataError", "UsageError", "UserError"),
    "evaluation.tracks": ("TrackReport",),
    "explanation": ("Explanation",),
    "exporting": ("Exported",),
    "identity": ("Match", "Verdict"),
    "identity.identify_run": ("IdentifyRun",),
    "images": ("Image", "read_image"),
    "inventory": ("devices",),
    "pipeline.calibrating": ("Calibrated",),
    "pipeline.runs": ("DetectRun",),
    "report": ("EvaluationResult",),
    "results": ("Detection", "Result"),
    "suspects": ("SuspectReport",),
    "time_limit": ("image_timeout",),
    "tracking": ("TrackRun", "TrackedFrame", "Tracker"),
    "training": ("Step", "Watcher"),
    "training.result": ("EmbeddingResult", "TrainResult"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'yolo_cli' has no attribute {name!r}")
    from importlib import import_module

    try:
        value = getattr(import_module(f"yolo_cli.{_MODULE_OF[name]}"), name)
    except ImportError as fault:
        from yolo_cli.errors import not_importable

        raise not_importable(fault) or fault from fault
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
