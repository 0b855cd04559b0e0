"""Confidences that mean what they say: `calibrate`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Unpack

from yolo_cli.api.detection import open_for_evaluation
from yolo_cli.api.evaluation import matched_classes, opened_data
from yolo_cli.api.options import DataOptions, Path, check_options, reads_text
from yolo_cli.config import DEFAULT_MODEL
from yolo_cli.files import path_of
from yolo_cli.pipeline import Watch
from yolo_cli.pipeline.calibrating import Calibrated, calibrate_detector, calibration_parts, uncalibrated
from yolo_cli.pipeline.evaluating import EvaluationData
from yolo_cli.weights import find_model
from yolo_cli.weights.copy import save_calibrated
from yolo_cli.weights.store import new_model

__all__ = ["CalibrateOptions", "calibrate"]


class CalibrateOptions(DataOptions, total=False):
    """The options of ``yolo calibrate``.

    Attributes:
        test: the split to measure on; else the other half of ``split``.
        seed: random seed of the halves.
        out: the copy's name or path; else that of the model and ``-calibrated``, in ``weights``.
        exist_ok: overwrite a model of that name.
    """

    test: str
    seed: int
    out: Path
    exist_ok: bool


@reads_text
def calibrate(
    data: str | os.PathLike[str] | EvaluationData,
    weights: str | os.PathLike[str] | None = None,
    *,
    watch: Watch | None = None,
    **options: Unpack[CalibrateOptions],
) -> Calibrated:
    """Write a copy of a model whose confidences mean what they say; see ``yolo calibrate --help``.

    Args:
        data: the data set's folder, data.yaml or COCO .json.
        weights: a YOLO model, as for `load_detector`; None is the default model.
        watch: as for `evaluate`.
        **options: see `CalibrateOptions`: ``split``, ``test``, ``out``, …

    Raises:
        UserError: if the data cannot be used, or does not suffice.
        KeyboardInterrupt: as it comes; nothing is saved.
    """
    given: dict[str, Any] = {**options}
    check_options(given, CalibrateOptions)
    images = opened_data(data, given)
    parts = calibration_parts(images, given.get("test"), given.get("seed", 0))
    files = find_model(str(path_of(DEFAULT_MODEL if weights is None else weights, "weights")))
    target = new_model(given.get("out") or f"{files.name}-calibrated", given.get("exist_ok", False))
    detector = uncalibrated(open_for_evaluation(files, given)[0])
    match = matched_classes(detector.class_names, images, given)
    done = calibrate_detector(detector, parts, match, batch=given.get("batch", 1), watch=watch)
    knots = (done.result.calibration.given, done.result.calibration.true)
    saved = save_calibrated(files, detector.card, target, knots, done.summary)
    return replace(done, files=tuple(saved), notes=(*images.notes, *match.notes))
