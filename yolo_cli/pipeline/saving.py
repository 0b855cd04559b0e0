"""Outcomes → files: images with boxes drawn in, crops and YOLO label files."""

from __future__ import annotations

import itertools
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections
from yolo_cli.errors import UsageError
from yolo_cli.files import atomic_write_text, make_folder
from yolo_cli.images import WRITABLE, FramePosition, Image, crop, write_image
from yolo_cli.large_tiff import release_pixels
from yolo_cli.limits import MAX_PIXELS
from yolo_cli.names import folder_name, short_name
from yolo_cli.pipeline.formats import yolo_lines
from yolo_cli.pipeline.outcome import Outcome
from yolo_cli.render import DrawStyle, draw
from yolo_cli.video import SegmentWriter

__all__ = ["Saving", "free_place", "place_key", "save_outcomes"]

_LARGEST_SIDE = 8000  # pixels
_LONGEST_STEM = 220  # bytes: numbers and a suffix follow


@dataclass(frozen=True, slots=True)
class Saving:
    """What is saved of each image: itself with boxes drawn in, a crop of each box, a YOLO label file.

    Attributes:
        segment: minutes of each file of a video; None is one file.
    """

    images: bool
    crops: bool
    texts: bool
    style: DrawStyle
    segment: float | None = None


def save_outcomes(
    outcomes: Iterable[Outcome],
    folder: Path,
    saving: Saving,
    class_names: Sequence[str],
    places: Mapping[str, str],
) -> Iterator[Outcome]:
    """Pass outcomes on, and save what is asked for each.

    An image is saved below its place in the folder that it was found in; a second ``a`` there becomes
    ``a-2``. Labels are in ``labels/``, crops in ``crops/CLASS/``. The frames of a video are saved as one
    video, which can be played however the outcomes end; their labels and crops are numbered. If no image can
    be read, an empty folder is removed.

    Args:
        outcomes: what was found on each image.
        folder: where to save.
        saving: what to save.
        class_names: by class id.
        places: relative path of each image and video, by its name; those that are left out go by their file
            name.

    Raises:
        DataError: if a file cannot be written.
        UsageError: if an image that is read, or the label of an image of a data set, would be overwritten.
    """
    if saving.images:
        _check_sources(folder, places)
    if saving.texts and (folder / "labels").is_dir():
        _check_labels(folder, places)
    saver = _Saver(folder, saving, class_names, places)
    try:
        for outcome in outcomes:
            if outcome.image is not None:
                saver.save(outcome.image, outcome.detections)
            yield outcome
    finally:
        saver.close()


def _check_sources(folder: Path, places: Mapping[str, str]) -> None:
    """Raise a UsageError if an image that is read would be overwritten by itself with boxes."""
    sources = {os.path.realpath(name): name for name in places}
    found = (sources.get(os.path.realpath(folder / place)) for place in places.values())
    name = next(filter(None, found), None)
    if name is not None:
        raise UsageError(f"--out {folder}: would overwrite {name}; choose another folder, or --no-save")


def _check_labels(folder: Path, places: Mapping[str, str]) -> None:
    """Raise a UsageError if ``folder`` is a data set, and a label of its images would be overwritten."""
    from yolo_cli.datasets.yolo_layout import image_of

    labels = ((folder / "labels" / place).with_suffix(".txt") for place in places.values())
    found = next((label for label in labels if label.is_file() and image_of(label, folder)), None)
    if found is not None:
        what = f"would overwrite {found}, a label of the data set there"
        raise UsageError(f"--out {folder}: {what}; choose another folder")


def _small_enough(image: Image, detections: Detections) -> tuple[Image, Detections]:
    """An image to draw on; one that was too large to be decoded at once has 8000 pixels a side at most."""
    if image.height * image.width <= MAX_PIXELS:
        return image, detections
    times = -(-max(image.height, image.width) // _LARGEST_SIDE)
    small = np.empty((image.height // times, image.width // times, 3), np.uint8)
    for top in range(0, len(small), 256):  # so that the image is never in memory as a whole
        some = small[top : top + 256]
        rows = image.rgb[times * top : times * (top + len(some)), : times * some.shape[1]]
        some[...] = cv2.resize(rows, some.shape[1::-1], interpolation=cv2.INTER_AREA)
        release_pixels(image.rgb)
    scale, points = np.float32(1 / times), detections.keypoints
    if points is not None:
        points = points * np.array([scale, scale, 1], points.dtype)
    return Image(small, image.name), replace(detections, xyxy=detections.xyxy * scale, keypoints=points)


class _Saver:
    """Saves image by image; see `save_outcomes`."""

    def __init__(
        self, folder: Path, saving: Saving, class_names: Sequence[str], places: Mapping[str, str]
    ) -> None:
        self._folder, self._saving, self._class_names = folder, saving, class_names
        self._places, self._used = places, set[str]()
        self._video: tuple[str, Path] = ("", Path())  # the name and place of the present one
        self._writer: SegmentWriter | None = None

    def save(self, image: Image, detections: Detections) -> None:
        """Save one image or frame."""
        place = self._frame_place(image.frame) if image.frame else self._new_place(image.name)
        if self._saving.images:
            drawn = draw(*_small_enough(image, detections), self._class_names, self._saving.style)
            if image.frame and self._writer:
                self._writer.add(drawn, image.frame.time_s)
            else:
                _write_image(self._folder / place, drawn)
        if self._saving.crops:
            _save_crops(image, detections, self._folder / "crops", place, self._class_names)
        if self._saving.texts:
            path = self._folder / "labels" / place.with_suffix(".txt")
            make_folder(path.parent)
            atomic_write_text(path, yolo_lines(image, detections, False))

    def close(self) -> None:
        """Finish the present video, if there is one; remove the folder if nothing was saved in it."""
        self._finish_video()
        if not self._used:
            with suppress(OSError):  # it may have been there before, with other files in it
                self._folder.rmdir()

    def _finish_video(self) -> None:
        writer, self._writer = self._writer, None
        if writer:
            writer.close()

    def _new_place(self, name: str) -> Path:
        """A free place, which is then taken."""
        whole = name.rpartition("#")[0]  # of what several images came from
        wanted = self._places.get(name) or self._places.get(whole) or Path(name).name
        place = free_place(Path(wanted), self._used)
        self._used.add(place_key(place))
        return place

    def _frame_place(self, frame: FramePosition) -> Path:
        """Where the crops and labels of a frame go; the first frame begins the video."""
        if frame.video != self._video[0]:
            self._finish_video()
            self._video = frame.video, self._new_place(frame.video).with_suffix("")
            if self._saving.images:
                stem, sound = self._folder / self._video[1], Path(frame.video)
                kept = sound if sound.is_file() else None
                self._writer = SegmentWriter(stem, frame.rate, self._saving.segment, kept)
        place = self._video[1]
        return place.with_name(f"{place.name}-{frame.number:06d}.jpg")


def free_place(wanted: Path, used: Container[str]) -> Path:
    """A path like ``wanted`` whose stem is free, with a suffix that can be written."""
    suffix = wanted.suffix if wanted.suffix.lower() in WRITABLE else ".png"
    stem = short_name(wanted.stem, limit=_LONGEST_STEM)
    stems = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    places = (wanted.with_name(stem + suffix) for stem in stems)
    return next(place for place in places if place_key(place) not in used)


def place_key(place: Path) -> str:
    """Labels have the stem alone, and some file systems know no case."""
    return str(place.with_suffix("")).casefold()


def _save_crops(
    image: Image, detections: Detections, folder: Path, place: Path, class_names: Sequence[str]
) -> None:
    """Each box as an image of its own, with no line in it."""
    for number, (box, class_id) in enumerate(zip(detections.xyxy, detections.class_id, strict=True), start=1):
        pixels = crop(image, box)
        if pixels.size:
            name = folder_name(class_names[class_id])
            _write_image(folder / name / place.with_stem(f"{place.stem}-{number}"), pixels)


def _write_image(path: Path, rgb: NDArray[np.uint8]) -> None:
    make_folder(path.parent)
    write_image(path, rgb)
