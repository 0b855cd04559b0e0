"""Folders of runs, and what `detect` saves in them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from yolo_cli.cli.output import yolo_lines
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_write_text, make_folder
from yolo_cli.images import WRITABLE, write_image
from yolo_cli.pipeline import Outcome
from yolo_cli.render import DrawStyle, draw

__all__ = ["Saving", "open_run_folder", "save_results"]


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


def open_run_folder(default: str, chosen: str | None, exist_ok: bool) -> Path:
    """Make the folder of a run: ``chosen``, or else ``default``, ``default2``, … whichever is new.

    Raises:
        UsageError: if the chosen folder holds something, unless ``exist_ok``.
        DataError: if no folder can be made there.
    """
    try:
        if chosen is None and not exist_ok:
            return _new_folder(Path(default))
        folder = Path(chosen or default)
        folder.mkdir(parents=True, exist_ok=True)
        if not exist_ok and any(folder.iterdir()):
            raise UsageError(f"--out {folder}: holds files already; name a new folder, or add --exist-ok")
    except OSError as fault:
        raise DataError(f"{fault.filename}: no folder can be made here: {fault.strerror}") from fault
    return folder


def _new_folder(first: Path) -> Path:
    """Make ``first``, or with the lowest number from 2 that is free; safe beside other runs."""
    first.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        folder = first if number == 1 else first.with_name(f"{first.name}{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("numbers do not end")


def save_results(
    results: Iterable[Outcome], folder: Path, saving: Saving, class_names: tuple[str, ...]
) -> Iterator[Outcome]:
    """Pass results on, and save what is asked for each.

    Images keep their names; a second ``a`` becomes ``a-2``. Labels are in ``labels/``, crops in
    ``crops/CLASS/``.

    Raises:
        DataError: if a file cannot be written.
    """
    used: set[str] = set()
    for result in results:
        if result.image is not None:
            path = Path("stdin.jpg" if result.name == "-" else result.name)
            stem = _free_stem(path.stem, used)
            used.add(stem.casefold())
            suffix = path.suffix if path.suffix.lower() in WRITABLE else ".png"
            if saving.images:
                drawn = draw(result.image, result.detections, class_names, saving.style)
                write_image(folder / f"{stem}{suffix}", drawn)
            if saving.crops:
                _save_crops(result, folder / "crops", stem, suffix, class_names)
            if saving.texts:
                _save_text(result, folder / "labels" / f"{stem}.txt")
        yield result


def _free_stem(stem: str, used: set[str]) -> str:
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(name for name in names if name.casefold() not in used)


def _save_crops(result: Outcome, folder: Path, stem: str, suffix: str, class_names: tuple[str, ...]) -> None:
    """Each box as an image of its own, with no line in it."""
    if result.image is None:
        return
    for number, (box, class_id) in enumerate(
        zip(result.detections.xyxy.round().astype(int).tolist(), result.detections.class_id, strict=True),
        start=1,
    ):
        x1, y1, x2, y2 = box
        crop = result.image.rgb[max(y1, 0) : max(y2, y1 + 1), max(x1, 0) : max(x2, x1 + 1)]  # (h, w, 3)
        if crop.size:
            place = make_folder(folder / re.sub(r"[^\w .-]", "_", class_names[class_id]))
            write_image(place / f"{stem}-{number}{suffix}", crop)


def _save_text(result: Outcome, path: Path) -> None:
    """A YOLO label file, which training can use: without confidences, and empty where nothing was found."""
    if result.image is None:
        return
    make_folder(path.parent)
    atomic_write_text(path, yolo_lines(result.image, result.detections, False))
