"""Data sets in another form: `convert`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from yolo_cli.api.options import check_options
from yolo_cli.datasets import Dataset, converting, open_dataset
from yolo_cli.datasets.converting import Converted, Output, Shaping

if TYPE_CHECKING:
    from yolo_cli.datasets.inspection import Watch

__all__ = ["ConvertOptions", "convert"]


class ConvertOptions(TypedDict, total=False):
    """The options of ``yolo convert``.

    Attributes:
        split: the fraction of the images for each of train, val and test, which replace the splits.
        group_by: regular expression; images whose names agree in its first group stay in one split.
        map: new names of classes; those that get the same name become one.
        classes: names (new ones) or ids of the classes to keep.
        tile: cut images into tiles of so many pixels a side.
        background: the greatest fraction of images without boxes in a split.
        seed: random seed.
        link: make hard links to the images instead of copies, where the file system can.
        exist_ok: replace the data set that is there.
        allow_unlabelled: whether an image without a label file is one without objects.
        watch: wraps the stream of images that are compared for a split, to show progress.
    """

    split: Mapping[str, float] | str | None
    group_by: str | None
    map: Mapping[str, str]
    classes: Sequence[str | int]
    tile: int | None
    background: float | None
    seed: int
    link: bool
    exist_ok: bool
    allow_unlabelled: bool
    watch: Watch | None


Data = str | os.PathLike[str] | Dataset


def convert(
    data: Data | Sequence[Data], to: str, out: str | os.PathLike[str], **options: Unpack[ConvertOptions]
) -> Converted:
    """Write a data set in another form, or several as one. The sources are never written to.

    Boxes are kept as they are, to 15 digits, as are polygons, key points, flags and attributes, where the
    form can hold them; ``lost`` says what it cannot.

    Args:
        data: the data set's folder, data.yaml or COCO .json, or a list of these, merged by class name. A
            `Dataset` brings its polygons and attributes only if it was read with ``extras=True``.
        to: yolo, coco, voc, labelme, label-studio, cvat, openimages or parquet.
        out: a new folder, which appears when all is written.
        **options: see `ConvertOptions`: ``split``, ``map``, ``classes``, ``tile``, …

    Raises:
        UserError: if there is no data set, an option does not fit, or the folder is not free.
    """
    check_options(options, ConvertOptions)
    given: dict[str, Any] = {**options}
    unlabelled, watch = given.pop("allow_unlabelled", False), given.pop("watch", None)
    output = Output(to, out, given.pop("link", False), given.pop("exist_ok", False))
    shaping = Shaping(renamed=given.pop("map", {}), **given)
    several = [data] if isinstance(data, (str, os.PathLike, Dataset)) else data
    read = [
        one if isinstance(one, Dataset) else open_dataset(one, allow_unlabelled=unlabelled, extras=True)
        for one in several
    ]
    return converting.convert(read, output, shaping, watch)
