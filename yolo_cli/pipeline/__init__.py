"""Run detectors over images: detection, evaluation and calibration, with a journal on disk."""

from yolo_cli.pipeline.outcome import Outcome, Watch
from yolo_cli.pipeline.overlap import ahead
from yolo_cli.pipeline.running import Parallel, Readable, Timed, detect_batch, read_outcome, run_detector

__all__ = [
    "Outcome",
    "Parallel",
    "Readable",
    "Timed",
    "Watch",
    "ahead",
    "detect_batch",
    "read_outcome",
    "run_detector",
]
