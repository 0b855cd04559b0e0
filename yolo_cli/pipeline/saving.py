"""Outcomes → files: images with boxes drawn in, crops and YOLO label files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections
from yolo_cli.files import atomic_write_text, make_folder
from yolo_cli.images import WRITABLE, Image, crop, write_image
from yolo_cli.pipeline.formats import yolo_lines
from yolo_cli.pipeline.outcome import Outcome
from yolo_cli.render import DrawStyle, draw

__all__ = ["Saving", "save_outcomes"]


@dataclass(frozen=True, slots=True)
class Saving:
    """What is saved of each image: itself with boxes drawn in, a crop of each box, a YOLO label file."""

    images: bool
    crops: bool
    texts: bool
    style: DrawStyle

    @property
    def anything(self) -> bool:
        """Whether a folder is needed."""
        return self.images or self.crops or self.texts


def save_outcomes(
    outcomes: Iterable[Outcome],
    folder: Path,
    saving: Saving,
    class_names: Sequence[str],
    places: Mapping[str, str],
) -> Iterator[Outcome]:
    """Pass outcomes on, and save what is asked for each.

    An image is saved below its place in the folder that it was found in; a second ``a`` there becomes
    ``a-2``. Labels are in ``labels/``, crops in ``crops/CLASS/``.

    Args:
        outcomes: what was found on each image.
        folder: where to save.
        saving: what to save.
        class_names: by class id.
        places: relative path of each image, by its name; those that are left out go by their file name.

    Raises:
        DataError: if a file cannot be written.
    """
    used: set[str] = set()
    for outcome in outcomes:
        if outcome.image is not None:
            place = _free_place(Path(places.get(outcome.name, Path(outcome.name).name)), used)
            used.add(_key(place))
            if saving.images:
                drawn = draw(outcome.image, outcome.detections, class_names, saving.style)
                _write_image(folder / place, drawn)
            if saving.crops:
                _save_crops(outcome.image, outcome.detections, folder / "crops", place, class_names)
            if saving.texts:
                path = folder / "labels" / place.with_suffix(".txt")
                make_folder(path.parent)
                atomic_write_text(path, yolo_lines(outcome.image, outcome.detections, False))
        yield outcome


def _free_place(wanted: Path, used: Container[str]) -> Path:
    """A path like ``wanted`` whose stem is free, with a suffix that can be written."""
    suffix = wanted.suffix if wanted.suffix.lower() in WRITABLE else ".png"
    stems = itertools.chain([wanted.stem], (f"{wanted.stem}-{number}" for number in itertools.count(2)))
    places = (wanted.with_name(stem + suffix) for stem in stems)
    return next(place for place in places if _key(place) not in used)


def _key(place: Path) -> str:
    """Labels have the stem alone, and some file systems know no case."""
    return str(place.with_suffix("")).casefold()


def _save_crops(
    image: Image, detections: Detections, folder: Path, place: Path, class_names: Sequence[str]
) -> None:
    """Each box as an image of its own, with no line in it."""
    for number, (box, class_id) in enumerate(zip(detections.xyxy, detections.class_id, strict=True), start=1):
        pixels = crop(image, box)
        if pixels.size:
            name = re.sub(r"[^\w .-]|^\.", "_", class_names[class_id])
            _write_image(folder / name / place.with_stem(f"{place.stem}-{number}"), pixels)


def _write_image(path: Path, rgb: NDArray[np.uint8]) -> None:
    make_folder(path.parent)
    write_image(path, rgb)
