"""What `eval` and `calibrate` share: the images, the model, and one run of it over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from yolo_cli.cli.progress import say, track
from yolo_cli.config import DEFAULT_MODEL, EVALUATION_FLOOR, DetectConfig
from yolo_cli.errors import DataError, UsageError
from yolo_cli.text import read_lines

if TYPE_CHECKING:
    from pathlib import Path

    from yolo_cli.datasets import Dataset
    from yolo_cli.detections import Detections
    from yolo_cli.judging import ClassMatch
    from yolo_cli.pipeline import Outcome

__all__ = [
    "Images",
    "Model",
    "chosen_classes",
    "detect_all",
    "detection_config",
    "load_model",
    "open_images",
    "read_names",
    "renamings",
    "tell_classes",
]


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """The images that are judged.

    Attributes:
        part: they themselves.
        whole: the data set that they are a part of.
        name: the data set's name and the split, for people.
    """

    part: Dataset
    whole: Dataset
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model of ours that is judged.

    Attributes:
        detector: finds the boxes.
        header: which model with which settings, for the record of what it found.
    """

    detector: Any
    header: dict[str, Any]

    @property
    def resize(self) -> str:
        """How an image gets the network's size, with that size as height x width."""
        detector = self.detector
        height, width = detector.input_size
        return f"{detector.config.resize or detector.card.resize} {height}x{width}"

    @property
    def suppression(self) -> str:
        """Which rule removes double boxes, with its threshold."""
        detector = self.detector
        return f"{detector.config.suppression or detector.card.suppression} {detector.config.nms_iou:g}"


def open_images(path: str, split: str | None) -> Images:
    """The split that is asked for; else "val", or the only one that there is.

    Raises:
        UserError: if there is no such data set or split, or a choice is needed.
    """
    from yolo_cli.datasets import open_dataset

    whole = open_dataset(path)
    if whole.findings:
        first = whole.findings[0]
        count = (
            f"{len(whole.findings)} faults in the data" if len(whole.findings) > 1 else "a fault in the data"
        )
        say(f"{count}, such as {first.where}: {first.what}; `yolo lint --data {path}` shows all")
    splits = whole.splits
    chosen = split or ("val" if "val" in splits else splits[0])
    if split is None and "val" not in splits and len(splits) > 1:
        raise UsageError(f"{path}: has {' and '.join(splits)}, and no val; choose one with --split")
    part = whole.in_split(_usual_name(chosen, splits))
    name = f"{whole.root.name}, split {chosen}" if len(splits) > 1 or chosen != "all" else whole.root.name
    return Images(part, whole, name)


def _usual_name(split: str, splits: Sequence[str]) -> str:
    """What a split is called here: "valid" is val."""
    from yolo_cli.datasets.layout import split_called

    return split if split in splits else split_called(split) or split


def detection_config(given: Any) -> DetectConfig:
    """How the model detects, with the floor for judging; classes are left out when judging, not before."""
    return DetectConfig(
        conf=EVALUATION_FLOOR if given.conf is None else given.conf,
        nms_iou=given.nms_iou,
        max_det=given.max_det,
        agnostic=given.agnostic,
        suppression=given.suppression,
        resize=given.resize,
        imgsz=given.imgsz,
    )


def load_model(given: Any) -> Model:
    """The model that the options name, ready to detect."""
    from yolo_cli import detectors
    from yolo_cli.weights import find_model
    from yolo_cli.weights.store import sha256

    config = detection_config(given)
    files = find_model(given.weights or DEFAULT_MODEL)
    detector = detectors.load_detector(weights=files, engine=given.engine, device=given.device, config=config)
    digest = sha256(files.first)
    return Model(detector, {"model": detector.card.name, "sha256": digest, **asdict(config)})


def renamings(texts: Iterable[str]) -> dict[str, str]:
    """``--map old=new``, several of them, also with commas.

    Raises:
        UsageError: if one is no pair.

    >>> renamings(["sofa=couch,tvmonitor=tv", "a=b"])
    {'sofa': 'couch', 'tvmonitor': 'tv', 'a': 'b'}
    """
    pairs = {}
    for text in (part for word in texts for part in word.split(",")):
        old, equals, new = (part.strip() for part in text.partition("="))
        if not (old and equals and new):
            raise UsageError(f"--map {text}: must be OLD=NEW: the model's name, then the data's")
        pairs[old] = new
    return pairs


def chosen_classes(texts: Iterable[str], data: Sequence[str]) -> list[str]:
    """``--classes``: names or ids of the data's classes, with commas; words that are neither stay.

    >>> chosen_classes(["dog,0", "x"], ["cat", "dog"])
    ['dog', 'cat', 'x']
    """
    words = [word.strip() for word in ",".join(texts).split(",") if word.strip()]
    return [
        data[int(word)] if word not in data and word.isdecimal() and int(word) < len(data) else word
        for word in words
    ]


def read_names(path: Path) -> tuple[str, ...]:
    """Class names from a file with one on each line."""
    names = tuple(filter(None, read_lines(path)))
    if not names:
        raise DataError(f"{path}: holds no class name; write one on each line")
    return names


def tell_classes(match: ClassMatch) -> tuple[str, ...]:
    """Lines about classes without a partner."""
    lines = []
    if match.only_data:
        what = f"{len(match.only_data)} of {len(match.names)} classes of the data are unknown to the model"
        lines.append(f"{what}, and count as missed: {_some(match.only_data)}")
    if match.near:
        pairs = " ".join(f"--map '{theirs}={ours}'" for ours, theirs in match.near.items())
        lines.append(f"some of these may go by other names: {pairs}")
    if match.only_model:
        what = f"{len(match.only_model)} classes of the model are not in the data"
        lines.append(f"{what}, and are left out: {_some(match.only_model)}")
    return tuple(lines)


def _some(names: Sequence[str], most: int = 12) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def detect_all(
    model: Model, dataset: Dataset, batch: int, journal_path: Path | None, resume: bool, quiet: bool
) -> tuple[dict[str, Detections], list[str]]:
    """Run the model over all images; what it finds by image, and the faults of those it could not read.

    Raises:
        DataError: if no image could be read.
        KeyboardInterrupt: if the user stops it; what is done is on disk.
    """
    from yolo_cli.pipeline import Journal, run_detector

    opener = Journal.resume if resume else Journal.start
    journal = opener(journal_path, model.header) if journal_path else None
    results: Iterable[Outcome] = run_detector(model.detector, dataset.samples, batch=batch, journal=journal)
    if not quiet:
        results = track(results, len(dataset), "images")
    found, faults = {}, []
    try:
        for outcome in results:
            if outcome.error is None:
                found[outcome.name] = outcome.detections
            else:
                faults.append(outcome.error)
                say(f"error: {outcome.error}")
    finally:
        if journal:
            journal.close()
    if not found:
        raise DataError(f"{dataset.root}: none of its {len(dataset)} images could be read")
    return found, faults
