"""What is wrong with a data set: `lint`."""

from __future__ import annotations

import os
from dataclasses import replace

from yolo_cli import datasets
from yolo_cli.datasets import Dataset, Fixed, LintReport
from yolo_cli.datasets.inspection import Watch
from yolo_cli.files import path_of
from yolo_cli.text import text_encoding

__all__ = ["lint"]


def lint(
    data: str | os.PathLike[str] | Dataset,
    *,
    imgsz: int = 416,
    allow_unlabelled: bool = False,
    fix: str | os.PathLike[str] | None = None,
    encoding: str | None = None,
    watch: Watch | None = None,
) -> LintReport:
    """Check a data set for everything that is known to go wrong. The data set is never written to.

    Args:
        data: the data set's folder, data.yaml or COCO .json.
        imgsz: the network's size in pixels, at which a box can be too small.
        allow_unlabelled: whether an image without a label file is not a fault; for a path only.
        fix: write a fixed copy into this new folder; ``report.fixed`` says what was done.
        encoding: of text files; None is UTF-8.
        watch: takes what is seen of each image as it comes, with the number of images, and passes it on.

    Raises:
        UserError: if there is no data set, its description is broken, or no copy can be written.
    """
    data = data if isinstance(data, Dataset) else path_of(data, "data")
    with text_encoding(encoding):
        report = datasets.lint(data, imgsz=imgsz, allow_unlabelled=allow_unlabelled, watch=watch)
    if fix is None:
        return report
    done = datasets.fix(report, path_of(fix, "fix"))
    return replace(report, fixed=Fixed(os.fspath(fix), done, datasets.lint(fix, imgsz=imgsz, watch=watch)))
