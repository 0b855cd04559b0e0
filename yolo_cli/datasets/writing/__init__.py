"""Data sets written in any of the eight forms."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from yolo_cli.datasets.sample import UNSPLIT
from yolo_cli.datasets.writing.coco import write_coco
from yolo_cli.datasets.writing.content import Content, Entry, entry_of, named
from yolo_cli.datasets.writing.cvat import write_cvat
from yolo_cli.datasets.writing.label_studio import write_label_studio
from yolo_cli.datasets.writing.labelme import write_labelme
from yolo_cli.datasets.writing.losses import Holds, losses
from yolo_cli.datasets.writing.openimages import FLAGS, long_split, write_openimages
from yolo_cli.datasets.writing.parquet import write_parquet
from yolo_cli.datasets.writing.voc import write_voc
from yolo_cli.datasets.writing.yolo import write_yolo
from yolo_cli.files import make_folder

__all__ = ["FORMS", "Content", "Entry", "Form", "entry_of", "losses", "named", "write"]


def _by_split(split: str) -> str:
    return "images" if split == UNSPLIT else f"images/{split}"


@dataclass(frozen=True, slots=True)
class Form:
    """One form that can be written.

    Attributes:
        name: as in ``--to``.
        write: writes everything but the image files.
        holds: what it holds besides boxes.
        images: the folder of the image files of a split.
        embeds: whether ``write`` writes the images, too.
    """

    name: str
    write: Callable[[Content, Path], None]
    holds: Holds
    images: Callable[[str], str] = _by_split
    embeds: bool = False


_FORMS = (
    Form("yolo", write_yolo, Holds(polygons="one", keypoints="all", skeleton=True, alike=True)),
    Form(
        "coco",
        write_coco,
        Holds(crowd=True, polygons="all", masks=True, keypoints="all", skeleton=True, attributes=None),
    ),
    Form("voc", write_voc, Holds(difficult=True, attributes=None, thin=False), lambda _: "JPEGImages"),
    Form(
        "labelme",
        write_labelme,
        Holds(difficult=True, crowd=True, polygons="one", keypoints="all", attributes=None),
        lambda split: "" if split == UNSPLIT else split,
    ),
    Form("label-studio", write_label_studio, Holds(polygons="one", keypoints="visible")),
    Form("cvat", write_cvat, Holds(difficult=True, crowd=True, polygons="one", attributes=None)),
    Form(
        "openimages",
        write_openimages,
        Holds(crowd=True, attributes=frozenset(FLAGS)),
        lambda split: f"images/{long_split(split)}",
    ),
    Form("parquet", write_parquet, Holds(difficult=True, crowd=True), embeds=True),
)
FORMS: Mapping[str, Form] = {form.name: form for form in _FORMS}
"""The forms by name, in the order of the help."""


def write(content: Content, form: Form, folder: Path, link: bool = False) -> None:
    """Write a data set into a folder.

    Args:
        content: images that have names.
        form: the form.
        folder: an empty folder.
        link: make hard links to the image files where the file system can, instead of copies.

    Raises:
        OSError: if something cannot be written.
    """
    if not form.embeds:
        for entry in content.entries:
            place = folder / entry.file
            _place(entry, make_folder(place.parent) / place.name, link)
    form.write(content, folder)


def _place(entry: Entry, path: Path, link: bool) -> None:
    """Write, link or copy one image."""
    if entry.window is not None:
        path.write_bytes(entry.data())
        return
    if link:
        try:
            os.link(entry.sample.path.resolve(), path)
        except OSError:  # another file system, or one without links
            link = False
    if not link:
        shutil.copyfile(entry.sample.path, path)
