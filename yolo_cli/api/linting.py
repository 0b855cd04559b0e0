"""What is wrong with a data set: `lint`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from yolo_cli import datasets
from yolo_cli.datasets import Dataset, Fixed, LintReport, read_corrections
from yolo_cli.datasets.inspection import Watch
from yolo_cli.errors import UsageError

__all__ = ["lint"]


def lint(
    data: str | os.PathLike[str] | Dataset,
    *,
    imgsz: int = 416,
    allow_unlabelled: bool = False,
    fix: str | os.PathLike[str] | None = None,
    apply: str | os.PathLike[str] | None = None,
    watch: Watch | None = None,
) -> LintReport:
    """Check a data set for everything that is known to go wrong. The data set is never written to.

    Args:
        data: the data set's folder, data.yaml or COCO .json.
        imgsz: the network's size in pixels, at which a box can be too small.
        allow_unlabelled: whether an image without a label file is not a fault; for a path only.
        fix: write a fixed copy into this new folder; ``report.fixed`` says what was done.
        apply: corrections, saved by the page of suspects, to apply to the copy.
        watch: takes what is seen of each image as it comes, with the number of images, and passes it on.

    Raises:
        UserError: if there is no data set, its description is broken, or no copy can be written;
            if ``apply`` is not a file of corrections of this data set, or ``fix`` is missing.
    """
    if apply is not None and fix is None:
        raise UsageError("--apply writes corrections into a copy; name its folder with --fix")
    report = datasets.lint(data, imgsz=imgsz, allow_unlabelled=allow_unlabelled, watch=watch)
    if fix is None:
        return report
    corrections = () if apply is None else read_corrections(Path(apply), report.dataset)
    done = datasets.fix(report, fix, corrections)
    return replace(report, fixed=Fixed(os.fspath(fix), done, datasets.lint(fix, imgsz=imgsz, watch=watch)))
