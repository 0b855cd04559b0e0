"""Detect the form of a data set, and read it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from yolo_cli.datasets.archives import ARCHIVES, is_archive, unpack
from yolo_cli.datasets.coco import annotation_files, read_coco
from yolo_cli.datasets.extras import keeping_extras
from yolo_cli.datasets.forms.box_tables import BOX_TABLE
from yolo_cli.datasets.forms.createml import CREATEML
from yolo_cli.datasets.forms.cvat import CVAT
from yolo_cli.datasets.forms.form import Form
from yolo_cli.datasets.forms.hugging_face import IMAGE_FOLDER
from yolo_cli.datasets.forms.label_studio import LABEL_STUDIO
from yolo_cli.datasets.forms.labelme import LABELME
from yolo_cli.datasets.forms.open_images import OPEN_IMAGES
from yolo_cli.datasets.forms.oxford_pets import OXFORD_PETS
from yolo_cli.datasets.forms.parquet import PARQUET
from yolo_cli.datasets.forms.supervisely import SUPERVISELY
from yolo_cli.datasets.forms.via import VIA
from yolo_cli.datasets.forms.vott import VOTT
from yolo_cli.datasets.layout import plain
from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.splits import split_called
from yolo_cli.datasets.voc import has_voc, read_voc
from yolo_cli.datasets.yolo import read_yolo
from yolo_cli.datasets.yolo_layout import descriptions
from yolo_cli.errors import DataError
from yolo_cli.files import is_leftover
from yolo_cli.limits import check_class_names, check_keypoint_names
from yolo_cli.text import text_encoding

__all__ = ["FORMS", "TITLES", "open_dataset", "read_dataset"]

FORMS: tuple[Form, ...] = (
    LABELME,
    LABEL_STUDIO,
    CVAT,
    VIA,
    VOTT,
    SUPERVISELY,
    OXFORD_PETS,
    OPEN_IMAGES,
    BOX_TABLE,
    CREATEML,
    IMAGE_FOLDER,
    PARQUET,
)
"""The forms besides YOLO, COCO and VOC."""

TITLES: Mapping[str, str] = {"yolo": "YOLO", "coco": "COCO", "voc": "VOC"} | {
    form.kind: form.title for form in FORMS
}
"""The name of each form by ``Dataset.kind``."""

_PARTS = ("images", "labels", "annotations", "data", "ann", "img", "jpegimages")
_EXTRA_LEVELS = 2  # VOC's archives have two
_MOST_FOLDERS = 50
_MOST_NAMED = 4  # readings in a message


@dataclass(frozen=True, slots=True)
class _Reading:
    """One possible form of a path: its name, the evidence for it, and a function to read it."""

    form: str
    sign: Path
    read: Callable[[], Dataset]


def open_dataset(
    path: str | os.PathLike[str],
    *,
    allow_unlabelled: bool = False,
    encoding: str | None = None,
    extras: bool = False,
) -> Dataset:
    """Read a data set in any form of ``docs/data.md`` from its folder, its description or an archive.

    It is never written to. Unusable rows and images are left out, and listed in ``findings``. Images are
    opened lazily, when they or (for YOLO) their sizes are needed.

    Args:
        path: the folder, a file that describes the data set (``data.yaml``, a COCO ``.json`` and so on), or
            an archive, which is unpacked into a temporary folder until the program ends.
        allow_unlabelled: treat images without a label file as images without objects.
        encoding: encoding of its text files; None means UTF-8, or UTF-16 with a byte-order mark.
        extras: keep polygons, key points, attributes and ids, too.

    Raises:
        DataError: if there is no data set, its form is ambiguous, or nothing in it can be used.
        UsageError: if the encoding is unknown.
    """
    with text_encoding(encoding) if encoding else nullcontext():
        dataset = read_dataset(path, allow_unlabelled=allow_unlabelled, extras=extras)
    if not dataset.samples:
        first = dataset.findings[0] if dataset.findings else None
        why = f" ({len(dataset.findings)} faults; first: {first.where}: {first.what})" if first else ""
        raise DataError(f"{path}: has no image that can be used{why}")
    return dataset


def read_dataset(
    path: str | os.PathLike[str], *, allow_unlabelled: bool = False, extras: bool = False
) -> Dataset:
    """Like :func:`open_dataset`, but the result may be empty, with the reasons in its findings.

    Raises:
        DataError: if there is no data set, its form is ambiguous, or its description is broken.
    """
    try:
        with keeping_extras(extras):
            dataset = _read(plain(path), path, allow_unlabelled)
            if names := [name for name in dataset.class_names if name.strip()]:
                check_class_names(names, os.fspath(path))
            check_keypoint_names(dataset.keypoint_names, os.fspath(path))
            return dataset
    except OSError as fault:
        raise DataError(f"{fault.filename or path}: cannot be read: {fault.strerror or fault}") from fault


def _read(place: Path, path: str | os.PathLike[str], allow_unlabelled: bool) -> Dataset:
    """Read the data set at a place whose form must be unambiguous; ``path`` is its name for messages."""
    if place.is_file():
        return _of_file(place, allow_unlabelled)
    if not place.is_dir():
        raise DataError(f"{path}: no such file or folder; --data needs the path of a data set")
    place = _without_wrapping(place)
    readings = _of_part(place, allow_unlabelled) or _readings(place, allow_unlabelled)
    level = [place]
    for _ in range(_EXTRA_LEVELS):
        if readings:
            break
        level = [sub for folder in level for sub in _subfolders(folder)][:_MOST_FOLDERS]
        readings = [reading for sub in level for reading in _readings(sub, allow_unlabelled)]
    if not readings:
        raise DataError(
            f"{path}: has no data set: neither data.yaml or images/ with labels/ (YOLO), nor a .json with "
            f"images and annotations (COCO), nor Annotations/*.xml (VOC), nor an export of "
            f"{', '.join(form.title for form in FORMS)}"
        )
    if len(readings) > 1:
        which = " or ".join(f"{reading.form} ({reading.sign})" for reading in readings[:_MOST_NAMED])
        more = f" or {len(readings) - _MOST_NAMED} more" if len(readings) > _MOST_NAMED else ""
        unpacked = "" if place.is_relative_to(plain(path)) else "unpack it, and "
        raise DataError(f"{path}: can be read as {which}{more}; {unpacked}name one of these with --data")
    return readings[0].read()


def _without_wrapping(folder: Path) -> Path:
    """The folder below those that hold nothing but one folder, as at the top of archives."""
    for _ in range(_EXTRA_LEVELS):
        seen = [*islice((entry for entry in folder.iterdir() if not is_leftover(entry.name)), 2)]
        if (
            len(seen) != 1
            or not seen[0].is_dir()
            or seen[0].name.lower() in _PARTS
            or split_called(seen[0].name)
        ):
            break
        folder = seen[0]
    return folder


def _subfolders(folder: Path) -> list[Path]:
    """The subfolders that are not hidden, sorted."""
    return [sub for sub in sorted(folder.iterdir()) if sub.is_dir() and not sub.name.startswith(".")]


def _of_file(path: Path, allow_unlabelled: bool) -> Dataset:
    """Read the data set that a file describes or holds."""
    if is_archive(path):
        return _of_archive(path, allow_unlabelled)
    if path.suffix in (".yaml", ".yml", ".data"):
        return read_yolo(path, allow_unlabelled)
    inside = path.parent.name.lower() == "annotations" or split_called(path.parent.name)
    root = path.parent.parent if inside else path.parent
    form = next((form for form in FORMS if path.suffix.lower() in form.suffixes and form.matches(path)), None)
    if form is not None:
        return form.read(root, [path], allow_unlabelled)
    if path.suffix == ".json":
        return read_coco([path], root)
    raise DataError(
        f"{path}: is not a data set; give its folder, its data.yaml, its annotation file, or an archive "
        f"({', '.join(ARCHIVES)})"
    )


def _of_archive(path: Path, allow_unlabelled: bool) -> Dataset:
    """Read the data set in an archive; messages name the archive, not the temporary folder."""
    folder = unpack(path)
    try:
        return replace(_read(folder, path, allow_unlabelled), archive=path)
    except DataError as fault:
        raise DataError(fault.text.replace(str(folder), str(path))) from fault


def _readings(folder: Path, allow_unlabelled: bool) -> list[_Reading]:
    """The possible forms of a folder, without those that a more special form overrules."""
    signs = [(form, form.sign(folder)) for form in FORMS]
    found = [(form, sign) for form, sign in signs if sign is not None]
    overruled = {kind for form, _ in found for kind in form.overrules}
    readings = [
        _Reading(form.title, sign, partial(form.read, folder, form.files(folder), allow_unlabelled))
        for form, sign in found
        if form.kind not in overruled
    ]
    return _first_readings(folder, allow_unlabelled, overruled) + readings


def _first_readings(folder: Path, allow_unlabelled: bool, overruled: set[str]) -> list[_Reading]:
    """Whether a folder can be read as YOLO, COCO or VOC."""
    readings = [
        _Reading(
            "YOLO", sign if sign != folder else folder / "labels", partial(read_yolo, sign, allow_unlabelled)
        )
        for sign in descriptions(folder)
    ]
    files = annotation_files(folder)
    if files:
        readings.append(_Reading("COCO", files[0], partial(read_coco, files, folder)))
    if "voc" not in overruled and has_voc(folder):
        sign = folder / "Annotations" if (folder / "Annotations").is_dir() else folder
        readings.append(_Reading("VOC", sign, partial(read_voc, folder, allow_unlabelled)))
    return readings


def _of_part(folder: Path, allow_unlabelled: bool) -> list[_Reading]:
    """The form of a folder that is a part of a data set, ``labels`` or ``Annotations``."""
    root, name = folder.parent, folder.name.lower()
    if name == "labels" and (root / "images").is_dir():
        return [_Reading("YOLO", folder, partial(read_yolo, root, allow_unlabelled))]
    if name != "annotations":
        return []
    if has_voc(folder) and any((root / images).is_dir() for images in ("JPEGImages", "images")):
        return [_Reading("VOC", folder, partial(read_voc, root, allow_unlabelled))]
    files = annotation_files(folder)
    return [_Reading("COCO", files[0], partial(read_coco, files, root))] if files else []
