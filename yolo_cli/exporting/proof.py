"""Run an exported model in a process of its own on the same images as ours, and compare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import clip_boxes
from yolo_cli.codec import Candidates, decode
from yolo_cli.config import EVALUATION_CONF
from yolo_cli.detections import Detections
from yolo_cli.detectors import YoloDetector
from yolo_cli.errors import DataError
from yolo_cli.exporting.agreement import Agreement, Pair, pair_up
from yolo_cli.exporting.plan import Plan
from yolo_cli.exporting.ties import NEAR, Choice
from yolo_cli.images import Image
from yolo_cli.pipeline.running import Readable
from yolo_cli.suppression import Rule

__all__ = ["BrokenExportError", "Ran", "compare_runs", "run_exported", "run_ours"]

Outputs = Mapping[str, NDArray[Any]]


class BrokenExportError(DataError):
    """An export that does not run, and so is not the same model (exit code 4)."""

    exit_code = 4


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """The detections of one program.

    Attributes:
        found: detections by image, at the threshold of `threshold`.
        milliseconds: median time an image, from pixels to boxes.
        runtime: what the network ran in, with its version.
        packages: what the process had imported.
        metadata: of the file.
        sizes: height and width of each image, if it is ours.
    """

    found: dict[str, Detections]
    milliseconds: float
    runtime: str
    packages: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def threshold(plan: Plan) -> float:
    """The confidence from which both programs are run; an export with suppression has its own."""
    return plan.detector.config.conf if plan.form.nms else min(EVALUATION_CONF, plan.detector.config.conf)


def run_ours(plan: Plan, images: Sequence[Readable]) -> Ran:
    """Our detections."""
    detector = plan.detector.with_config(replace(plan.detector.config, conf=threshold(plan)))
    found, spent, sizes = {}, [], {}
    for item in images:
        image = item.read()
        detections, times = detector.detect_timed([image])
        found[item.name], sizes[item.name] = detections[0], (image.height, image.width)
        spent.append(times.prepare_ms + times.infer_ms + times.post_ms)
    return Ran(found, median(spent), "yolo-cli", sizes=sizes)


def run_exported(path: Path, plan: Plan, images: Sequence[Readable]) -> Ran:
    """The detections of an exported model, run by a process that imports its run-time and NumPy only.

    Where the graph has no suppression, its boxes are suppressed as ours are.

    Raises:
        BrokenExportError: if it does not run.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i, item in enumerate(images):
            np.save(folder / f"{i:06}.npy", plan.input_of(item.read()))
        _run(path, folder)
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        found = dict(_detections(folder, plan, images))
    packages = tuple(record["packages"])
    return Ran(found, median(record["milliseconds"]), record["runtime"], packages, record["metadata"])


def compare_runs(plan: Plan, ours: Ran, theirs: Ran, images: Sequence[Readable]) -> Agreement:
    """The boxes of two programs on the same images in pairs."""
    return Agreement.of(len(images), (pair for item in images for pair in _pairs(plan, ours, theirs, item)))


def _pairs(plan: Plan, ours: Ran, theirs: Ran, item: Readable) -> list[Pair]:
    """The pairs of one image."""
    config, both = plan.detector.config, (ours.found[item.name], theirs.found[item.name])
    rule = Rule(config.nms_iou, config.suppression or plan.card.suppression, plan.card.beta)
    choice = Choice(config.conf, rule, ours.sizes[item.name], config.max_det)
    pairs = list(pair_up(item.name, *both, plan.card.class_names, choice))
    if rule.kind == "soft" or all(pair.agrees for pair in pairs):
        return pairs
    lowest = max(config.conf, *(float(found.confidence.min(initial=1)) for found in both))
    candidates, slots = _candidates(plan, item.read(), lowest)
    choice = replace(choice, candidates=candidates, slots=slots)
    return list(pair_up(item.name, *both, plan.card.class_names, choice))


def _candidates(plan: Plan, image: Image, lowest: float) -> tuple[Detections, NDArray[Any]]:
    """Our boxes before suppression, little below the ``lowest`` returned and above; and the slot of each.

    Each has its best class, and those that are as good as equally confident.
    """
    config = replace(plan.detector.config, conf=max(0.0, lowest - 2 * NEAR))
    detector = replace(plan.detector, config=config)
    letterbox = detector.letterbox(image)
    raw = [head[0] for head in detector.engine.run(letterbox.apply(image.rgb)[None])]
    found = decode(raw, plan.card.heads, detector.raw_threshold)
    confidence = detector.calibrated(found.confidence)
    best = np.zeros(found.slot.max(initial=0) + 1)
    np.maximum.at(best, found.slot, confidence)
    near = confidence >= best[found.slot] - NEAR
    return Detections(letterbox.undo(found.xyxy), confidence, found.class_id)[near], found.slot[near]


def _run(path: Path, folder: Path) -> None:
    script = Path(__file__).with_name("run_exported.py")
    # -P: the script's folder, which is inside this package, is not a place to import from.
    command = [sys.executable, "-P", str(script), str(path.resolve()), str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603 - this very Python, and a script of ours
        command, env=environment, capture_output=True, text=True, check=False, cwd=folder
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BrokenExportError(
            f"{path.name}: the exported model does not run, so nothing is saved ({reason[:300]})"
        )


def _detections(folder: Path, plan: Plan, images: Sequence[Readable]) -> Iterator[tuple[str, Detections]]:
    """The detections of each image from the outputs of the process."""
    config = replace(plan.detector.config, conf=threshold(plan))
    chooser = replace(plan.detector, card=replace(plan.card, calibration=None), config=config)
    for i, item in enumerate(images):
        with np.load(folder / f"{i:06}.npz") as file:
            outputs = dict(file)
        image = item.read()
        if not plan.form.preprocess:
            outputs["boxes"] = plan.detector.letterbox(image).undo(outputs["boxes"][0])[None]
        yield item.name, (_suppressed if plan.form.nms else _chosen)(outputs, image, chooser)


def _suppressed(outputs: Outputs, image: Image, _chooser: YoloDetector) -> Detections:
    count = int(outputs["num_detections"][0])
    boxes, scores, class_ids = (outputs[name][0, :count] for name in ("boxes", "scores", "class_ids"))
    # The graph clips them, too, unless it does not know the size of the original.
    boxes = clip_boxes(boxes, (image.height, image.width))
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Detections(boxes[inside], scores[inside], class_ids[inside])


def _chosen(outputs: Outputs, image: Image, chooser: YoloDetector) -> Detections:
    boxes, scores = outputs["boxes"][0], outputs["scores"][0]  # (S, 4), (S, classes)
    slot, class_id = np.nonzero(scores > chooser.config.conf)
    candidates = Candidates(boxes[slot], scores[slot, class_id], class_id, slot)
    if not chooser.config.multi_label:
        candidates = candidates.of_best_class()
    return chooser.choose(candidates, image).detections
