"""The part of a data set that can be used, and what was left out or repaired, in words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.lint import LintReport, lint
from yolo_cli.datasets.opening import open_dataset
from yolo_cli.datasets.sample import Dataset
from yolo_cli.text import counted

__all__ = ["Say", "open_usable", "usable_part"]

Say = Callable[[str], object]


def open_usable(
    path: str | os.PathLike[str], say: Say, *, allow_unlabelled: bool = False, decode: bool = True
) -> Dataset:
    """Read a data set without the images that cannot be used, and with repairs in memory.

    Args:
        path: the data set, as for `open_dataset`.
        say: called with one line about each kind of thing that was left out, repaired or is wrong.
        allow_unlabelled: treat images without a label file as images without objects.
        decode: decode every image; else only headers are read.

    Raises:
        DataError: if there is no data set, or it cannot be read.
    """
    return usable_part(open_dataset(path, allow_unlabelled=allow_unlabelled), say, path, decode=decode)


def usable_part(
    dataset: Dataset,
    say: Say,
    path: str | os.PathLike[str] | None = None,
    *,
    imgsz: int = 416,
    decode: bool = True,
) -> Dataset:
    """As `open_usable`, of a data set that was read from ``path``."""
    report = lint(dataset, imgsz=imgsz, decode=decode)
    for line in _lines(report, os.fspath(path or dataset.location)):
        say(line)
    return report.usable


def _lines(report: LintReport, path: str) -> Iterator[str]:
    """What was left out, repaired, and is wrong besides."""
    hint = f"`yolo lint --data {path}` lists them"
    gone, repaired = report.left_out, report.repaired
    if gone:
        total = len({sample.name for sample in report.dataset.samples} | {it.image for it in gone})
        yield f"left out {counted(len(gone), 'image')} of {total}: {_first(gone)}; {hint}"
    turned = [finding for finding in repaired if finding.code == "Y104"]
    if turned:
        yield f"boxes of {counted(len(turned), 'image')} turned with the image (in memory): {_first(turned)}"
    sizes = [finding for finding in repaired if finding.code == "Y106"]
    if sizes:
        yield f"size of {counted(len(sizes), 'image')} taken from the file, not the label: {_first(sizes)}"
    handled = {*gone, *repaired}
    others = [
        finding
        for finding in report.findings
        if finding not in handled
        and not finding.unusable
        and (finding.rule.severity == "error" or finding.code in ("Y209", "Y505"))
    ]
    if others:
        faults = counted(len(others), "other fault")
        yield f"{faults}, for which nothing is left out: {_first(others)}; {hint}"


def _first(findings: Sequence[Finding]) -> str:
    """The first finding, and how many more there are."""
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{findings[0].where}: {findings[0].what}{more}"
