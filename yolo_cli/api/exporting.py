"""A model for other run-times, with proof that it is the same: `export`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, TypeVar, Unpack

from yolo_cli.api.detection import load_detector
from yolo_cli.api.evaluation import matched_classes
from yolo_cli.api.options import Path, check_options, reads_text
from yolo_cli.config import DEFAULT_MODEL, Resize, bundled
from yolo_cli.datasets import open_dataset
from yolo_cli.engines import EngineKind
from yolo_cli.errors import DataError, UsageError
from yolo_cli.exporting import ALLOWED_LOSS, Evidence, Exported, Form, Format, Plan, target_of
from yolo_cli.exporting import export as run
from yolo_cli.files import path_of
from yolo_cli.pipeline import Readable
from yolo_cli.pipeline.evaluating import EvaluationData, open_evaluation_data
from yolo_cli.sources import open_source
from yolo_cli.weights import find_model

__all__ = ["ExportOptions", "export"]


class ExportOptions(TypedDict, total=False):
    """The options of ``yolo export``.

    Attributes:
        nms: suppression as part of the graph: class-wise, by IoU.
        preprocess: resizing as part of the graph (True), or left to the caller.
        half: store weights as float16.
        int8: weights and activations as int8, calibrated on images of ``data``.
        batch: batch size; None is any.
        dynamic: without ``preprocess``, an input of any height and width.
        conf: confidence threshold.
        nms_iou: IoU threshold for NMS.
        max_det: maximum detections per image.
        imgsz: network input in pixels, a side or (height, width); None follows the model.
        resize: how an image gets the network's size; None follows the model.
        data: a data set to compare on, and to measure average precision on; None is the bundled examples.
        split: only this part; else ``val``, or all of an unsplit data set.
        map: the data's class for a class of the model, where their names differ.
        calibration: images for int8: a folder, glob or list; None is the other splits of ``data``.
        limit: maximum number of images to compare on, and to calibrate on, evenly spaced.
        max_loss: of mAP50, for int8.
        out: the path to write; None is a new one in ``runs/export``.
        exist_ok: overwrite an existing export.
        encoding: of text files; None is UTF-8.
    """

    nms: bool
    preprocess: bool
    half: bool
    int8: bool
    batch: int | None
    dynamic: bool
    conf: float
    nms_iou: float
    max_det: int
    imgsz: int | tuple[int, int] | None
    resize: Resize | None
    data: Path | None
    split: str | None
    map: Mapping[str, str]
    calibration: Path | None
    limit: int
    max_loss: float
    out: Path | None
    exist_ok: bool
    encoding: str | None


_DETECTION = ("conf", "nms_iou", "max_det", "imgsz", "resize")
_LIMIT = 200  # images to compare on, and to calibrate on

Item = TypeVar("Item")


@reads_text
def export(
    weights: str | os.PathLike[str] | None = None,
    format: Format = "onnx",  # noqa: A002 - named as the option
    *,
    say: Callable[[str], object] = lambda _: None,
    **options: Unpack[ExportOptions],
) -> Exported:
    """Write a YOLO model for other run-times, and prove that it finds the same; see ``yolo export --help``.

    Args:
        weights: a YOLO model, as for `load_detector`; None is the default model.
        format: ``onnx``, ``openvino``, ``tflite`` or ``saved-model``.
        say: called with a line before what takes time.
        **options: see `ExportOptions`: ``nms``, ``half``, ``int8``, ``data``, ``out``, …

    Returns:
        What was written, with the proof. Where it finds something else than the model, nothing is
        written: ``path`` is None, and ``proof.drift`` says why.

    Raises:
        UserError: if options contradict each other, packages are missing, or the model cannot be exported.
    """
    given: dict[str, Any] = {**options}
    check_options(given, ExportOptions)
    form = _form(format, given)
    files = find_model(str(path_of(DEFAULT_MODEL if weights is None else weights, "weights")))
    how: Any = {name: given[name] for name in _DETECTION if given.get(name) is not None}
    # TensorFlow's formats are made from the other file of the model, whose float16 kernels may be other ones.
    engine: EngineKind = "keras" if format in ("tflite", "saved-model") else "auto"
    plan = Plan.of(load_detector(files, engine=engine, **how).detector, form)
    out = given.get("out")
    target = target_of(files, plan, path_of(out, "out") if out else None, given.get("exist_ok", False))
    evidence = _evidence(plan, given)
    say("exporting, and comparing in a process of its own; this takes some seconds")
    return run(files, plan, target, evidence)


def _form(kind: Format, given: Mapping[str, Any]) -> Form:
    """The options of the graph."""
    if given.get("half") and given.get("int8"):
        raise UsageError("--half and --int8: choose one of them")
    number: Any = next((name for name in ("half", "int8") if given.get(name)), "float32")
    names = ("nms", "preprocess", "batch", "dynamic")
    chosen: Any = {name: given[name] for name in names if name in given}
    return Form(kind, number=number, **chosen)


def _evidence(plan: Plan, given: Mapping[str, Any]) -> Evidence:
    """The images to compare on, with their ground truth if there is any, and those to calibrate on."""
    limit, data = given.get("limit", _LIMIT), given.get("data")
    if limit < 1:
        raise UsageError(f"--limit is {limit}, but must be at least 1")
    if data is None:
        if plan.form.number == "int8":
            raise UsageError("--int8: needs --data, images like those it will see, with annotations")
        return Evidence(_spaced(list(open_source([str(bundled("examples"))])), limit))
    opened = open_evaluation_data(str(path_of(data, "data")), given.get("split"))
    calibration: Sequence[Readable] = ()
    if plan.form.number == "int8":
        calibration = _spaced(_calibration(opened, given.get("calibration")), limit)
    return Evidence(
        _spaced(opened.part.samples, limit),
        matched_classes(plan.card.class_names, opened, given),
        [item.read() for item in calibration],
        given.get("max_loss", ALLOWED_LOSS),
    )


def _calibration(data: EvaluationData, source: str | os.PathLike[str] | None) -> Sequence[Readable]:
    """Images to calibrate on: of a data set those to train on, if it can be not those to measure on."""
    if source is None:
        return data.others().samples or data.part.samples
    path = str(path_of(source, "calibration"))
    try:
        whole = open_dataset(path)
    except DataError:
        return list(open_source([path], recursive=True))
    return whole.in_split("train").samples if "train" in whole.splits else whole.samples


def _spaced(items: Sequence[Item], limit: int) -> list[Item]:
    """At most ``limit`` items, evenly spaced."""
    count = min(limit, len(items))
    return [items[place * len(items) // count] for place in range(count)]
