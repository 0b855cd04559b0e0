"""What `yolo eval` judges: boxes that a model finds now, or those in another program's files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yolo_cli.cli.progress import say

if TYPE_CHECKING:
    from yolo_cli.cli.judged import Images
    from yolo_cli.evaluation import Conditions, EvaluationSet
    from yolo_cli.report import About

__all__ = ["Judged", "judge"]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What was judged, and how it came about.

    Attributes:
        gathered: boxes and ground truth.
        conditions: what was done to the boxes before.
        about: names and notes for people.
        faults: one line for each input that could not be used.
    """

    gathered: EvaluationSet
    conditions: Conditions
    about: About
    faults: tuple[str, ...]


def judge(options: Any, images: Images, journal: Path | None) -> Judged:
    """Find out what is judged: a model's boxes, or those of another program."""
    if options.detections:
        return _judge_results(options, images, Path(options.detections))
    return _judge_model(options, images, journal)


def _judge_model(options: Any, images: Images, journal: Path | None) -> Judged:
    """Let a model of ours detect on every image."""
    from yolo_cli.cli.judged import chosen_classes, detect_all, load_model, renamings
    from yolo_cli.evaluation import Conditions, gt_hash
    from yolo_cli.judging import gather, match_classes
    from yolo_cli.report import About

    model = load_model(options)
    data = images.part.class_names
    match = match_classes(
        model.detector.class_names, data, renamings(options.renamed), chosen_classes(options.classes, data)
    )
    found, faults = detect_all(
        model, images.part, options.batch, journal, options.resume is not None, options.quiet
    )
    gathered = gather(images.part.samples, found, match)
    config = model.detector.config
    conditions = Conditions(config.conf, model.suppression, config.max_det, model.resize, gt_hash(gathered))
    notes = (*match.notes, *_unread(faults))
    return Judged(gathered, conditions, About(model.header["model"], images.name, notes), tuple(faults))


def _judge_results(options: Any, images: Images, path: Path) -> Judged:
    """Take another program's boxes; no model is loaded."""
    from yolo_cli.cli.judged import chosen_classes, read_names, renamings
    from yolo_cli.datasets import coco_category_ids
    from yolo_cli.evaluation import Conditions, gt_hash
    from yolo_cli.judging import gather, match_classes, read_results
    from yolo_cli.report import About

    part, data = images.part, images.part.class_names
    names = read_names(Path(options.names)) if options.names else data
    own_ids = part.kind == "coco" and not options.names
    ids = part.category_ids if own_ids else tuple(coco_category_ids(names))
    match = match_classes(names, data, renamings(options.renamed), chosen_classes(options.classes, data))
    others = [sample for sample in images.whole.samples if sample.split != part.samples[0].split]
    results = read_results(path, part.samples, ids, others)
    gathered = gather(part.samples, results.found, match, options.conf or 0.0)
    conditions = Conditions(confidence_floor=options.conf, data_hash=gt_hash(gathered))
    for line in results.left_out:
        say(f"error: {line}")
    about = About(path.name, images.name, (*match.notes, *results.left_out))
    return Judged(gathered, conditions, about, results.left_out)


def _unread(faults: Sequence[str]) -> list[str]:
    """A line for the page about images that could not be read."""
    if not faults:
        return []
    return [f"{len(faults)} images could not be read, and are not judged; first: {faults[0]}"]
