"""Convert data sets: merge, rename and choose classes, divide, tile, and write in any form."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from yolo_cli.datasets.converting.classes import choose_classes, merge, rename_classes
from yolo_cli.datasets.converting.fitting import fitted
from yolo_cli.datasets.converting.place import new_folder, replaced_place
from yolo_cli.datasets.converting.splitting import split_dataset, split_fractions
from yolo_cli.datasets.converting.thinning import thin_background
from yolo_cli.datasets.converting.tiling import tiles_of
from yolo_cli.datasets.inspection import Watch
from yolo_cli.datasets.layout import name_findings, plain
from yolo_cli.datasets.place import free_place
from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.writing import FORMS, Content, Entry, Form, entry_of, losses, named, write
from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import read_image
from yolo_cli.keypoints import flip_by_names
from yolo_cli.text import Jsonable, counted, did_you_mean

__all__ = ["Converted", "Output", "Shaping", "convert"]

_ROWS = frozenset(("Y202", "Y302"))  # rules that leave out a label or a row


@dataclass(frozen=True, slots=True)
class Shaping:
    """What is changed on the way.

    Attributes:
        renamed: new names of classes; equal ones are merged.
        classes: names (new ones) or ids of the classes to keep; () keeps all.
        split: the fraction of the images for each of train, val and test; None keeps the splits.
        group_by: regular expression for names of images that stay in one split.
        tile: side of tiles in pixels; None keeps whole images.
        background: the greatest fraction of images without boxes in a split; None keeps all.
        seed: random seed.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    classes: Sequence[str | int] = ()
    split: Mapping[str, float] | str | None = None
    group_by: str | None = None
    tile: int | None = None
    background: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Converted(Jsonable):
    """What was written.

    Attributes:
        out: the folder.
        form: the name of its form.
        class_names: the name of each class id.
        splits: for each split the number of ``images``, of ``background`` images without boxes, and of
            ``boxes``.
        lost: what the form cannot hold, a line for each kind.
        left_out: images and annotations that could not be used, a line for each.
        notes: what else was done, and faults that are still there.
    """

    out: str
    form: str
    class_names: tuple[str, ...]
    splits: Mapping[str, Mapping[str, int]]
    lost: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        images, boxes = (sum(counts[key] for counts in self.splits.values()) for key in ("images", "boxes"))
        return f"<Converted to {self.form} in {self.out}: {images} images, {boxes} boxes>"

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data."""
        return {
            "out": self.out,
            "form": self.form,
            "class_names": list(self.class_names),
            "splits": {split: dict(counts) for split, counts in self.splits.items()},
            "lost": list(self.lost),
            "left_out": list(self.left_out),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how a data set is written.

    Attributes:
        form: the name of its form.
        folder: a new folder outside the sources.
        link: make hard links to images instead of copies where possible.
        exist_ok: replace the data set that is in the folder.
    """

    form: str
    folder: str | os.PathLike[str]
    link: bool = False
    exist_ok: bool = False


def convert(
    datasets: Sequence[Dataset], output: Output, shaping: Shaping | None = None, watch: Watch | None = None
) -> Converted:
    """Write data sets as one, in any form. They are never written to; the folder appears whole or not at all.

    Args:
        datasets: read with ``extras``, so that these are kept, too.
        output: where and how.
        shaping: what is changed; None changes nothing.
        watch: wraps the stream of images that are compared for a split, to show progress.

    Raises:
        UsageError: if an option does not fit, or the folder is not free.
        DataError: if nothing can be written, or a file cannot.
    """
    shaping = shaping or Shaping()
    form = _form(output.form)
    place = (replaced_place if output.exist_ok else free_place)(plain(output.folder), datasets)
    dataset, notes = _shaped(merge(datasets), shaping, watch)
    entries, missing, turned = _entries(dataset, shaping)
    if turned:
        notes.append(f"boxes of {counted(turned, 'image')} turned with the image, as its EXIF says")
    if not entries:
        raise DataError(f"{dataset.location}: has no image that can be converted; see what `yolo lint` lists")
    content = Content(
        dataset.class_names,
        _category_ids(dataset),
        named(entries, form.images),
        dataset.keypoint_names,
        dataset.flip_idx or flip_by_names(dataset.keypoint_names),
        dataset.skeleton,
    )
    with new_folder(place) as draft:
        write(content, form, draft, output.link)
    faults, warnings = _faults(dataset, content.class_names, len(datasets) > 1)
    return Converted(
        os.fspath(output.folder),
        form.name,
        content.class_names,
        {split: _counts(group) for split, group in content.by_split.items()},
        losses(content, form.name, form.holds),
        tuple(faults + missing),
        tuple(warnings + notes),
    )


def _form(name: str) -> Form:
    """The form of a name."""
    if name not in FORMS:
        raise UsageError(f"--to {name}: is not a form; {did_you_mean(name, FORMS, ', '.join(FORMS))}")
    return FORMS[name]


def _shaped(dataset: Dataset, shaping: Shaping, watch: Watch | None) -> tuple[Dataset, list[str]]:
    """The data set with other classes and splits, and what is to be said of it."""
    notes: list[str] = []
    if shaping.renamed:
        dataset = rename_classes(dataset, shaping.renamed)
    if shaping.classes:
        dataset = choose_classes(dataset, shaping.classes)
    if shaping.split is None:
        if shaping.group_by is not None:
            raise UsageError("--group-by: says what stays together in a split; add --split train=.8,val=.2")
        return dataset, notes
    grouping = split_dataset(
        dataset,
        split_fractions(shaping.split),
        pattern=shaping.group_by,
        seed=shaping.seed,
        watch=watch,
    )
    if grouping.together:
        notes.append(f"{grouping.together} images stay with near-duplicates or with others of their group")
    return grouping.dataset, notes


def _faults(dataset: Dataset, class_names: Sequence[str], merged: bool) -> tuple[list[str], list[str]]:
    """What is left out of the data set for its faults, and a warning for each fault that stays in it."""
    said = {"Y209", "Y405"} if merged else {"Y209"}  # merged by number
    gone = [f for f in dataset.findings if f.unusable or f.code in _ROWS]
    kept = [f for f in dataset.findings if f.code in said or (f.rule.severity == "error" and f not in gone)]
    kept = [f for f in kept if f.code != "Y406"] + name_findings(class_names, "--map can join them")
    lines, warnings = ([f"{f.code} {f.where}: {f.what}" for f in group] for group in (gone, kept))
    return lines, [f"warning: {line}" for line in warnings]


def _entries(dataset: Dataset, shaping: Shaping) -> tuple[list[Entry], list[str], int]:
    """The images to write, a line for each that cannot be used, and how many had turned boxes."""
    turned = 0
    found: list[Entry] = []
    missing: list[str] = []
    for sample in dataset.samples:
        try:
            entry, was_turned = fitted(entry_of(sample))
            pieces = [entry] if shaping.tile is None else [*tiles_of(entry, shaping.tile)]
            if len(pieces) > 1:
                read_image(sample.path)  # before anything is written: only tiles are decoded
        except DataError as fault:
            missing.append(fault.text)
            continue
        found += pieces
        turned += was_turned
    if shaping.background is not None:
        found = thin_background(found, shaping.background, shaping.seed)
    return found, missing, turned


def _category_ids(dataset: Dataset) -> tuple[int, ...]:
    """The category ids of a COCO data set if its splits agree on them, else 1, 2, 3 and so on."""
    try:
        ids = dataset.category_ids if dataset.categories else ()
    except DataError:
        ids = ()
    usable = len(set(ids)) == len(dataset.class_names) and min(ids, default=-1) >= 0
    return ids if usable else tuple(range(1, len(dataset.class_names) + 1))


def _counts(entries: Sequence[Entry]) -> dict[str, int]:
    """Numbers of images and boxes."""
    boxes = [len(entry.boxes) for entry in entries]
    return {"images": len(boxes), "background": boxes.count(0), "boxes": sum(boxes)}
