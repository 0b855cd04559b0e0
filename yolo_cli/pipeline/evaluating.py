"""Evaluate a detector, or another program's results, on a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from yolo_cli.class_names import coco_category_ids
from yolo_cli.datasets import UNSPLIT, Dataset, hold_out, open_dataset
from yolo_cli.datasets.checks import size_findings
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import without_image_files
from yolo_cli.datasets.splits import split_called
from yolo_cli.detections import Detections
from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation import ClassMatch, Conditions, EvaluationSet, gather, gt_hash, read_results
from yolo_cli.keypoints import KeyPoints, with_sigmas
from yolo_cli.pipeline.journal import Journal
from yolo_cli.pipeline.outcome import Outcome, Watch
from yolo_cli.pipeline.running import run_detector
from yolo_cli.text import counted

if TYPE_CHECKING:
    from yolo_cli.config import DetectConfig, TileSize
    from yolo_cli.detectors.protocol import Detector
    from yolo_cli.weights import ModelCard

__all__ = [
    "Evaluated",
    "EvaluationData",
    "conditions_of",
    "detect_samples",
    "evaluate_detector",
    "evaluate_results",
    "learnt_from",
    "open_evaluation_data",
]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationData:
    """The images of an evaluation.

    Attributes:
        part: the evaluated split.
        whole: the complete data set.
        notes: one line for each fault of the data that affects figures.
        left_out: one line about the images of the split that cannot be used, or none.
    """

    part: Dataset
    whole: Dataset
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def split(self) -> str:
        """The name of the split."""
        return self.part.samples[0].split

    @property
    def name(self) -> str:
        """The data set's name and the split, for display."""
        root = self.whole.location.name
        return (
            root if self.split == UNSPLIT and len(self.whole.splits) == 1 else f"{root}, split {self.split}"
        )

    def others(self) -> Dataset:
        """The images of the same data set that are not evaluated."""
        return replace(self.whole, samples=tuple(s for s in self.whole.samples if s.split != self.split))


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Detections and ground truth, and how the detections were made.

    Attributes:
        evaluation_set: detections and ground truth.
        conditions: how the detections were made.
        model: the name of the model, or of the results file.
        classes: correspondence of the model's classes and the data's.
        faults: one line for each input that could not be used.
        notes: one line for each note to the reader of the figures.
    """

    evaluation_set: EvaluationSet
    conditions: Conditions
    model: str
    classes: ClassMatch
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def open_evaluation_data(path: str, split: str | None, *, image_files: bool = True) -> EvaluationData:
    """Open a data set, and choose the given split; else "val", or its only split.

    Args:
        path: the data set.
        split: the split, or None.
        image_files: the images will be read; else those whose size the labels give are used without a file.

    Raises:
        UserError: if there is no such data set or split, or a choice is needed.
    """
    with nullcontext() if image_files else without_image_files():
        whole = open_dataset(path)
    splits = whole.splits
    if split is None and "val" not in splits and len(splits) > 1:
        raise UsageError(f"{path}: has {' and '.join(splits)}, and no val; choose one with --split")
    wanted = split or ("val" if "val" in splits else splits[0])
    part = whole.in_split(wanted if wanted in splits else split_called(wanted) or wanted)
    part, unsized = (part, []) if image_files else _with_sizes(part)
    notes, left_out = tuple(_data_notes(path, part)), tuple(_left_out(path, part, unsized))
    return EvaluationData(part, whole, (*left_out, *notes), left_out)


def _with_sizes(part: Dataset) -> tuple[Dataset, list[Finding]]:
    """The images whose boxes can be had in pixels, and findings for the others."""
    kept, findings = [], []
    for sample in part.samples:
        try:
            sample.ground_truth  # noqa: B018  # reads the image's size if its boxes are fractions
        except DataError as fault:
            findings.append(Finding("Y101", sample.name, fault.text, sample.name, sample.split))
        else:
            kept.append(sample)
    if not kept:
        raise DataError(
            f"{part.location}: none of its {len(part)} images can be used; first: {findings[0].what}"
        )
    return replace(part, samples=tuple(kept)), findings


def _left_out(path: str, part: Dataset, unsized: Sequence[Finding]) -> Iterable[str]:
    """One line about the images of a split that cannot be used, if there are any."""
    split = part.samples[0].split
    of_split = [it for it in part.findings if it.unusable and it.image and it.split == split]
    found = {finding.image: finding for finding in reversed([*of_split, *unsized])}
    if found:
        first = next(reversed(found.values()))
        total = len(found) + len(part)
        yield (
            f"left out {len(found)} of {total} images of the data: {first.where}: {first.what}; "
            f"`yolo lint --data {path}` lists them"
        )


def _data_notes(path: str, part: Dataset) -> Iterable[str]:
    """Notes on faults found while reading, and on labels drawn on another size of their image."""
    found, sized = [it for it in part.findings if not it.unusable], size_findings(part)
    if found:
        count = f"{len(found)} faults in the data" if len(found) > 1 else "a fault in the data"
        yield f"{count}, such as {found[0].where}: {found[0].what}; `yolo lint --data {path}` shows all"
    if sized:
        labels = "1 label does" if len(sized) == 1 else f"{len(sized)} labels do"
        yield (
            f"{labels} not fit the upright image, and such boxes count as misplaced: {sized[0].where}: "
            f"{sized[0].what}; `yolo lint --data {path} --fix NEW_FOLDER` writes a repaired copy"
        )


def detect_samples(
    detector: Detector,
    data: Dataset,
    *,
    batch: int = 1,
    journal: Journal | None = None,
    watch: Watch | None = None,
) -> tuple[dict[str, Detections], list[str]]:
    """Detections by sample name, and the errors of the images that could not be read.

    Raises:
        DataError: if no image could be read.
    """
    outcomes: Iterable[Outcome] = run_detector(
        detector, data.samples, batch=batch, journal=journal, read_ahead=len(data) > 1
    )
    found, faults = {}, []
    for outcome in watch(outcomes, len(data)) if watch else outcomes:
        if outcome.error is None:
            found[outcome.name] = outcome.detections
        else:
            faults.append(outcome.error)
    if not found:
        raise DataError(f"{data.location}: none of its {len(data)} images could be read")
    return found, faults


def evaluate_detector(
    detector: Detector,
    data: EvaluationData,
    classes: ClassMatch,
    *,
    batch: int = 1,
    journal: Journal | None = None,
    watch: Watch | None = None,
) -> Evaluated:
    """Run a detector over the images and pair its detections with the ground truth.

    Args:
        detector: the detector.
        data: the images.
        classes: from `match_classes`.
        batch: images per call of the detector.
        journal: stores outcomes on disk; images that it holds are not detected again.
        watch: wraps the stream of outcomes, to show progress.

    Raises:
        DataError: if no image could be read.
    """
    points = _shared_points(detector.card.keypoints, data.part.key_points)
    found, faults = detect_samples(detector, data.part, batch=batch, journal=journal, watch=watch)
    gathered = gather(data.part.samples, found, classes, sigmas=points.sigmas)
    notes = [*data.notes, *_training_note(detector.card, data), *classes.notes, *points.notes]
    if faults:
        notes.append(f"{counted(len(faults), 'image')} could not be read, and left out; first: {faults[0]}")
    used = conditions_of(detector.config, detector.card, detector.input_size)
    conditions = replace(used, data_hash=gt_hash(gathered), class_synonyms=dict(classes.synonyms))
    faults = [*data.left_out, *faults]
    return Evaluated(gathered, conditions, detector.card.name, classes, tuple(faults), tuple(notes))


@dataclass(frozen=True, slots=True)
class _SharedPoints:
    """The sigmas of the key points that detections and data have in common, (K,), and notes on the others."""

    sigmas: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


def _shared_points(found: KeyPoints | None, data: KeyPoints | None) -> _SharedPoints:
    """What can be evaluated by OKS, with the detections' sigmas: only the same key points."""
    if found is None or data is None:
        return _SharedPoints()
    if not found.same_as(data):
        what = f"{_some(found.names)} of the model, and {_some(data.names)} of the data"
        return _SharedPoints(notes=(f"the key points differ, so they are not evaluated: {what}",))
    return _SharedPoints(found.sigmas)


def _some(names: Sequence[str]) -> str:
    return f"{len(names)} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"


def conditions_of(config: DetectConfig, card: ModelCard, input_size: tuple[int, int]) -> Conditions:
    """The options of a detector that affect its figures; ``input_size`` is (height, width) in pixels."""
    height, width = input_size
    tiles = (
        "" if config.tile is None else f", tiles {_size(config.tile)} overlapping by {config.tile_overlap:g}"
    )
    return Conditions(
        confidence_floor=config.conf,
        suppression=f"{config.suppression or card.suppression} {config.nms_iou:g}",
        max_detections=config.max_det,
        resize=f"{config.resize or card.resize} {height}x{width}{tiles}",
        classes_per_box="all above the confidence floor" if config.multi_label else "the best",
    )


def _size(tile: TileSize) -> str:
    return tile if isinstance(tile, str) else "x".join(map(str, tile))


def evaluate_results(
    path: Path,
    data: EvaluationData,
    classes: ClassMatch,
    *,
    own_names: tuple[str, ...] | None = None,
    conf: float | None = None,
    sigmas: Sequence[float] | None = None,
) -> Evaluated:
    """Pair another program's detections with the ground truth; no model is loaded.

    Args:
        path: a COCO results file, or a folder of YOLO label files; see `read_results`.
        data: the images.
        classes: from `match_classes`.
        own_names: that program's class names; None if they are the data's.
        conf: confidence threshold.
        sigmas: of key points; None are the data's.

    Raises:
        DataError: if the file is broken, or nothing in it belongs to the images.
        UsageError: if there is another number of sigmas than of key points.
    """
    part = data.part
    numbered = part.kind == "coco" and own_names is None
    ids = part.category_ids if numbered else coco_category_ids(own_names or part.class_names)
    results = read_results(path, part.samples, ids, data.others().samples)
    points = with_sigmas(part.key_points, sigmas)
    gathered = gather(part.samples, results.found, classes, conf or 0.0, points.sigmas if points else ())
    conditions = Conditions(
        confidence_floor=conf, data_hash=gt_hash(gathered), class_synonyms=dict(classes.synonyms)
    )
    notes = (*data.notes, *classes.notes, *results.left_out)
    faults = (*data.left_out, *results.left_out)
    return Evaluated(gathered, conditions, path.name, classes, faults, notes)


def _training_note(card: ModelCard, data: EvaluationData) -> Iterable[str]:
    """A note if the model was trained on evaluated images."""
    learnt = learnt_from(card, data.whole)
    shared = sum(sample.path in learnt for sample in data.part.samples)
    if shared:
        hint = "; evaluate on --split val" if "val" in data.whole.splits and data.split != "val" else ""
        yield (
            f"{shared} of the {len(data.part)} images are among those that {card.name} was trained on, "
            f"so the figures are too good{hint}"
        )


def learnt_from(card: ModelCard, whole: Dataset) -> set[Path]:
    """The images of a data set that a model was trained on; empty unless its card has this data's hash."""
    digest = card.source.get("data_sha256")
    if digest is None:
        return set()
    try:
        data = hold_out(whole, seed=int(card.source.get("seed", 0)))
        same = digest in (data.content_hash, whole.content_hash)
    except DataError:  # training left out unreadable images, so the hash differs
        return set()
    splits = card.source.get("learnt_from", "train").split(",")
    return {sample.path for sample in data.samples if same and sample.split in splits}
