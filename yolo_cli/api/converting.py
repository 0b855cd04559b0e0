"""Data sets in another form: `convert`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Unpack

from yolo_cli.api.options import ConvertOptions, check_options
from yolo_cli.datasets import Dataset, converting, open_dataset
from yolo_cli.datasets.converting import Converted, Output, Shaping

__all__ = ["convert"]

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
