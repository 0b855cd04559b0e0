"""What is wrong with a data set: `lint`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TypedDict, Unpack

from yolo_cli import datasets
from yolo_cli.api.options import Path, check_options, reads_text
from yolo_cli.datasets import Dataset, Fixed, LintReport, read_corrections
from yolo_cli.datasets.inspection import Watch
from yolo_cli.errors import UsageError
from yolo_cli.files import path_of

__all__ = ["LintOptions", "lint"]


class LintOptions(TypedDict, total=False):
    """The options of ``yolo lint``.

    Attributes:
        imgsz: the network's size in pixels, at which a box can be too small.
        allow_unlabelled: whether an image without a label file is not a fault; for a path only.
        fix: write a fixed copy into this new folder; ``report.fixed`` says what was done.
        apply: corrections, saved by the page of suspects, to apply to the copy.
        encoding: of text files; None is UTF-8.
    """

    imgsz: int
    allow_unlabelled: bool
    fix: Path | None
    apply: Path | None
    encoding: str | None


@reads_text
def lint(
    data: str | os.PathLike[str] | Dataset, *, watch: Watch | None = None, **options: Unpack[LintOptions]
) -> LintReport:
    """Check a data set for everything that is known to go wrong. The data set is never written to.

    Args:
        data: the data set's folder, data.yaml or COCO .json.
        watch: takes what is seen of each image as it comes, with the number of images, and passes it on.
        **options: see `LintOptions`: ``imgsz``, ``allow_unlabelled``, ``fix``, ``apply``, ``encoding``.

    Raises:
        UserError: if there is no data set, its description is broken, or no copy can be written;
            if ``apply`` is not a file of corrections of this data set, or ``fix`` is missing.
    """
    check_options(options, LintOptions)
    imgsz, unlabelled = options.get("imgsz", 416), options.get("allow_unlabelled", False)
    fix, apply = options.get("fix"), options.get("apply")
    if apply is not None and fix is None:
        raise UsageError("--apply writes corrections into a copy; name its folder with --fix")
    opened = data if isinstance(data, Dataset) else path_of(data, "data")
    report = datasets.lint(opened, imgsz=imgsz, allow_unlabelled=unlabelled, watch=watch)
    if fix is None:
        return report
    corrections = () if apply is None else read_corrections(path_of(apply, "apply"), report.dataset)
    done = datasets.fix(report, fix, corrections)
    return replace(report, fixed=Fixed(os.fspath(fix), done, datasets.lint(fix, imgsz=imgsz, watch=watch)))
