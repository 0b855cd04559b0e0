"""What an exported file says: classes, thresholds, sizes, origin."""

from __future__ import annotations

import json
from typing import Any

from yolo_cli.exporting.plan import Plan
from yolo_cli.weights import ModelFiles
from yolo_cli.weights.store import EXPORT_KEY, sha256

OPSET = 15
"""The opset of ONNX graphs, as Keras writes them."""

__all__ = ["OPSET", "graph_text", "metadata_of"]


def metadata_of(plan: Plan, files: ModelFiles) -> dict[str, str]:
    """The metadata of a file, each value a text, numbers and lists as JSON."""
    card, config, form = plan.card, plan.detector.config, plan.form
    values: dict[str, Any] = {
        EXPORT_KEY: files.name,
        "class_names": list(card.class_names),
        "input": graph_text(plan)[0],
        "output": graph_text(plan)[1],
        "opset": OPSET,
        "input_size": list(plan.input_size),
        "resize": plan.resize,
        "weights": form.number,
        "suppression": "iou, class by class" if form.nms else "none",
        "conf": config.conf if form.nms else 0.0,
        "nms_iou": config.nms_iou,
        "max_det": config.max_det,
        "calibrated": card.calibration is not None,
        "own_suppression": card.suppression,
        "licence": card.licence,
        "origin": card.origin,
        "source_sha256": sha256(files.first),
    }
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in values.items()
    }


def graph_text(plan: Plan) -> tuple[str, str]:
    """The input of the graph, and its outputs, a line each."""
    batch = plan.form.batch or "batch"
    sides = ("height", "width") if plan.form.preprocess or plan.form.dynamic else plan.input_size
    if plan.form.preprocess:
        fitted = f"{plan.resize} to {plan.input_size[0]} x {plan.input_size[1]} in the graph"
        given = f"images: uint8 ({batch}, {sides[0]}, {sides[1]}, 3), RGB; {fitted}"
    else:
        fitted = f"{plan.resize} by the caller"
        given = f"images: float32 ({batch}, 3, {sides[0]}, {sides[1]}), RGB, 0 to 255; {fitted}"
    return given, _outputs(plan, batch)


def _outputs(plan: Plan, batch: int | str) -> str:
    unit = f"xyxy in pixels of the {'original' if plan.form.preprocess else 'input'}"
    if plan.form.nms:
        many = f"{batch}, {plan.detector.config.max_det}"
        return (
            f"num_detections: int64 ({batch}), boxes: float32 ({many}, 4), {unit}, "
            f"scores: float32 ({many}), class_ids: int64 ({many})"
        )
    many = f"{batch}, {'boxes' if plan.form.dynamic else plan.slots}"
    classes = len(plan.card.class_names)
    return f"boxes: float32 ({many}, 4), {unit}, not clipped; scores: float32 ({many}, {classes})"
