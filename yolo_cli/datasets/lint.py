"""Check a data set; findings have rule codes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from yolo_cli.datasets.checks import faults_of, turned, turned_points
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.inspection import HASH_BITS, Inspection, Watch, inspect_images, near_pairs
from yolo_cli.datasets.layout import place_of
from yolo_cli.datasets.opening import read_dataset
from yolo_cli.datasets.sample import Dataset, Sample
from yolo_cli.text import Jsonable

__all__ = ["Fixed", "LintReport", "Twin", "lint", "twins"]

MANY = 10
"""Of more classes than this without a box, only so many are named."""
IMBALANCE = 10
"""A class is rare if the most frequent one has at least this many times its boxes."""


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """A fixed copy of a data set.

    Attributes:
        out: its folder.
        done: one line for each thing that was done.
        report: what is still wrong with it.
    """

    out: str
    done: tuple[str, ...]
    report: LintReport


@dataclass(frozen=True, eq=False, repr=False)
class LintReport(Jsonable):
    """The findings of lint.

    Attributes:
        dataset: the usable part of the data set.
        imgsz: the longer side of the network's input in pixels, for the size of boxes.
        findings: sorted by code and place.
        inspections: of each image.
        fixed: the fixed copy, if one was written.
    """

    dataset: Dataset
    imgsz: int
    findings: tuple[Finding, ...]
    inspections: Mapping[Path, Inspection] = field(default_factory=dict)
    fixed: Fixed | None = None

    def __repr__(self) -> str:
        return f"<LintReport {self.dataset.location.name}: {self.count}>"

    @property
    def count(self) -> str:
        """How many errors and warnings, in words."""
        numbers = ((len(self.errors), "error"), (len(self.warnings), "warning"))
        return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in numbers)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings with the severity "error"."""
        return tuple(finding for finding in self.findings if finding.rule.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings with the severity "warning"."""
        return tuple(finding for finding in self.findings if finding.rule.severity == "warning")

    @property
    def left_out(self) -> tuple[Finding, ...]:
        """The first finding of each image that is left out."""
        first: dict[str, Finding] = {}
        for finding in self.findings:
            if finding.unusable and finding.image:
                first.setdefault(finding.image, finding)
        return tuple(first.values())

    @property
    def repaired(self) -> tuple[Finding, ...]:
        """The findings that `usable` repairs: boxes of the image before its EXIF rotation, unknown sizes."""
        return tuple(finding for finding in self.findings if finding.code in ("Y104", "Y106"))

    @property
    def usable(self) -> Dataset:
        """The data set without unusable images, and with what can safely be repaired in memory."""
        unusable = {finding.image for finding in self.left_out}
        turned_ones = {finding.image for finding in self.repaired if finding.code == "Y104"}
        samples = (
            self._upright(sample) if sample.name in turned_ones else sample
            for sample in self.dataset.samples
            if sample.name not in unusable
        )
        return replace(self.dataset, samples=tuple(samples))

    def _upright(self, sample: Sample) -> Sample:
        """A sample whose boxes are turned with the image, as ``--fix`` turns them."""
        header = self.inspections[sample.path].header
        assert header is not None  # else the finding is that the image cannot be read
        found = sample.ground_truth
        points = None if found.keypoints is None else turned_points(found.keypoints, header)  # (N, K, 3)
        labels = found.moved(turned(found.xyxy, header), keypoints=points)
        return replace(sample, labels=labels, fractions=False, declared_size=header.upright)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        data = self.dataset
        fixed = self.fixed
        fix = fixed and {"out": fixed.out, "done": list(fixed.done), "errors_left": len(fixed.report.errors)}
        counts = zip(data.class_names, data.class_counts().tolist(), strict=True)
        return {
            "data": str(data.location),
            "kind": data.kind,
            "content_hash": data.content_hash,
            "imgsz": self.imgsz,
            "splits": dict(Counter(sample.split for sample in data.samples)),
            "classes": [{"class_name": name, "boxes": count} for name, count in counts],
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "findings": [
                {
                    "code": f.code,
                    "name": f.rule.name,
                    "severity": f.rule.severity,
                    "where": f.where,
                    "what": f.what,
                }
                for f in self.findings
            ],
            **({"fix": fix} if fix else {}),
        }


class Twin(NamedTuple):
    """Two samples with (nearly) the same image: code, the one to drop, the other, description."""

    code: str
    sample: Sample
    other: Sample
    what: str


def lint(
    data: Dataset | str | os.PathLike[str],
    *,
    imgsz: int = 416,
    allow_unlabelled: bool = False,
    watch: Watch | None = None,
    decode: bool = True,
) -> LintReport:
    """Check a data set by all rules. Nothing is changed.

    Args:
        data: a data set, or its path as for :func:`open_dataset`.
        imgsz: the longer side of the network's input in pixels, for the size of boxes.
        allow_unlabelled: accept images without a label file; only used with a path.
        watch: wraps the stream of inspections, to show progress.
        decode: decode the images; else only headers are read, and images are not compared.

    Raises:
        DataError: if there is no data set, more than one reading, or its description is broken.
    """
    dataset = data if isinstance(data, Dataset) else read_dataset(data, allow_unlabelled=allow_unlabelled)
    inspections = inspect_images((sample.path for sample in dataset.samples), watch, decode=decode)
    found = [
        *dataset.findings,
        *(
            finding
            for sample in dataset.samples
            for finding in _of_sample(dataset, sample, inspections, imgsz)
        ),
        *(
            Finding(twin.code, twin.sample.name, twin.what, twin.sample.name, twin.sample.split)
            for twin in twins(dataset, inspections)
        ),
        *_of_classes(dataset),
        *_of_splits(dataset),
    ]
    return LintReport(dataset, imgsz, tuple(sorted(set(found))), inspections)


def _of_sample(
    dataset: Dataset, sample: Sample, inspections: Mapping[Path, Inspection], imgsz: int
) -> Iterator[Finding]:
    """Findings of one image and its boxes."""
    for fault in faults_of(sample, inspections[sample.path], imgsz):
        where = sample.name
        if fault.box is not None:
            where = place_of(dataset.kind, sample.label, sample.rows[fault.box])
        yield Finding(fault.code, where, fault.what, sample.name, sample.split)


def twins(dataset: Dataset, inspections: Mapping[Path, Inspection]) -> list[Twin]:
    """Duplicate images, in one split or in two.

    The one to drop is in the earlier split, so that training loses it and not evaluation.
    """
    found = []
    seen: dict[str, Sample] = {}
    for sample in reversed(dataset.samples):  # test before val before train
        digest = inspections[sample.path].sha256
        other = seen.setdefault(digest, sample) if digest else sample
        if other is not sample:
            code = "Y503" if other.split == sample.split else "Y501"
            what = f"the same image as {other.name} in {other.split}"
            found.append(
                Twin(code, sample, other, what if code == "Y503" else f"{what} ({sample.split} here)")
            )
    return found + list(_near_twins(dataset, inspections))


def _near_twins(dataset: Dataset, inspections: Mapping[Path, Inspection]) -> Iterator[Twin]:
    """Near-duplicate images in two splits."""
    by_split = {
        split: [s for s in dataset.samples if s.split == split and inspections[s.path].bits is not None]
        for split in dataset.splits
    }
    for first, second in combinations(by_split.values(), 2):
        pairs = near_pairs([inspections[s.path] for s in first], [inspections[s.path] for s in second])
        for i, j, bits, levels in pairs:
            what = f"nearly the same image as {second[j].name} in {second[j].split}"
            apart = f"{bits} of {HASH_BITS} bits, {levels} of 255 levels apart"
            yield Twin("Y502", first[i], second[j], f"{what} ({apart})")


def _of_splits(dataset: Dataset) -> Iterator[Finding]:
    """A finding if no image of val has a box."""
    val = [sample for sample in dataset.samples if sample.split == "val"]
    if val and not any(len(sample.labels) for sample in val):
        yield Finding(
            "Y505", "split val", f"none of its {len(val)} images has a box, so nothing can be evaluated"
        )


def _of_classes(dataset: Dataset) -> Iterator[Finding]:
    """Classes with no or few boxes in the training images."""
    split = "train" if "train" in dataset.splits else None
    everywhere = dataset.class_counts()  # (classes,)
    counts = everywhere if split is None else dataset.in_split(split).class_counts()  # (classes,)
    most = int(counts.max(initial=0))
    missing = np.flatnonzero(everywhere == 0).tolist()
    yield from _never_boxed([dataset.class_names[at] for at in missing])
    for name, count, total in zip(dataset.class_names, counts.tolist(), everywhere.tolist(), strict=True):
        where = f"class {name}"
        if total and not count:
            yield Finding("Y403", where, f"train has no box of this class; other splits have {total}")
        elif total and count * IMBALANCE <= most:
            top = dataset.class_names[int(counts.argmax())]
            yield Finding(
                "Y404", where, f"{count} boxes, {round(most / count)} times fewer than {top} ({most})"
            )


def _never_boxed(names: Sequence[str]) -> Iterator[Finding]:
    """Findings for classes without any box: one for each, or one for all of many."""
    if len(names) > MANY:
        first = ", ".join(names[:MANY])
        what = f"no image has a box of {len(names)} classes: {first}, …"
        yield Finding("Y403", f"{len(names)} classes", what)
    else:
        yield from (Finding("Y403", f"class {name}", "no image has a box of this class") for name in names)
