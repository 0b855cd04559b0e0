"""The result of an evaluation: what `yolo eval` prints and saves."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from yolo_cli.errors import UsageError
from yolo_cli.evaluation import (
    RUN_FILE,
    Check,
    Difference,
    OperatingPoint,
    Report,
    missed_gates,
    record_run,
)
from yolo_cli.files import atomic_write_text, make_folder, path_of
from yolo_cli.report.analysis import Analysis
from yolo_cli.report.examples import ReadImage
from yolo_cli.report.page import About, write_report
from yolo_cli.report.plots import write_plots
from yolo_cli.report.text import summary
from yolo_cli.text import Jsonable
from yolo_cli.text_table import columns

__all__ = ["EvaluationResult"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EvaluationResult(Jsonable):
    """All figures of an evaluation, and what was asked for beside them; None if it was not.

    Attributes:
        about: the model, the data, and notes for the reader.
        analysis: all figures.
        faults: one line for each input that could not be used.
        read: gives the image of a name.
        target_precision: the precision asked for.
        thresholds: per class, the lowest threshold with the target precision, if there is one.
        differences: comparison with an earlier run.
        checks: COCO's twelve figures, and those of pycocotools.
    """

    about: About
    analysis: Analysis
    faults: tuple[str, ...]
    read: ReadImage
    target_precision: float | None = None
    thresholds: Mapping[str, OperatingPoint | None] | None = None
    differences: Mapping[str, Difference] | None = None
    checks: tuple[Check, ...] | None = None

    def __repr__(self) -> str:
        report, about = self.report, self.about
        figures = (
            f"{name} {value or 0:.3f}"
            for name, value in (("mAP50", report.map50), ("mAP50-95", report.map50_95))
        )
        return f"<EvaluationResult {about.model} on {about.data}: {', '.join(figures)}>"

    @property
    def report(self) -> Report:
        """The figures: ``map50``, ``map50_95``, ``per_class`` and others."""
        return self.analysis.report

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, described by docs/schemas/eval.schema.json."""
        value = {"model": self.about.model, **self.analysis.to_json()}
        if self.thresholds is not None:
            value["thresholds"] = {
                name: point
                and {"confidence": point.confidence, "precision": point.precision, "recall": point.recall}
                for name, point in self.thresholds.items()
            }
        if self.differences is not None:
            value["baseline"] = {name: it.to_json() for name, it in self.differences.items()}
        if self.checks is not None:
            value["cross_check"] = {
                it.name: {"ours": it.ours, "pycocotools": it.theirs} for it in self.checks
            }
        return value

    def to_text(self) -> str:
        """The figures as tables for people. It ends with a line break."""
        parts = [summary(self.analysis, self.about)]
        if self.thresholds is not None:
            parts.append(_thresholds(self.thresholds, self.target_precision or 0.0))
        if self.differences is not None:
            parts.append(_differences(self.differences))
        if self.checks is not None:
            parts.append(_checks(self.checks))
        return "\n".join(parts)

    def missed(
        self, fail_under: Mapping[str, float] | None = None, *, fail_if_worse: bool = False
    ) -> list[str]:
        """One line for each figure that is too low; none if it is good enough, as for a job that checks it.

        Args:
            fail_under: the minimum that a figure must reach: ``{"map50": 0.6, "ap:dog": 0.5}``. Figures are
                ``map``, ``map50``, ``map50_95``, ``precision``, ``recall``, ``f1``, COCO's, and ``ap:CLASS``.
            fail_if_worse: also those that the ``baseline`` had better, beyond chance.

        Raises:
            UsageError: if there is no such figure, or no baseline.
        """
        if fail_if_worse and self.differences is None:
            raise UsageError("--fail-if-worse needs a --baseline")
        differences = self.differences if fail_if_worse else None
        worse = [name for name, it in (differences or {}).items() if it.verdict == "worse"]
        return [
            *missed_gates(fail_under or {}, self.report),
            *(f"{name} is worse than the baseline's" for name in worse),
        ]

    def save(self, folder: str | os.PathLike[str], *, plots: bool = False) -> Path:
        """Write the figures, the page and, if asked for, the plots into a folder.

        Args:
            folder: is made if need be. A later `evaluate` can take it as its ``baseline``.
            plots: also write the curves as PNG and SVG.

        Returns:
            the path of the page.

        Raises:
            DataError: if a file cannot be written.
        """
        folder = make_folder(path_of(folder, "folder"))
        value = {**self.to_dict(), "record": record_run(self.analysis.matches).to_json()}
        atomic_write_text(folder / RUN_FILE, json.dumps(value, allow_nan=False))
        page = folder / "report.html"
        write_report(page, self.analysis, replace(self.about, differences=self.differences or {}), self.read)
        if plots:
            write_plots(folder / "plots", self.analysis)
        return page


def _thresholds(thresholds: Mapping[str, OperatingPoint | None], target: float) -> str:
    """The confidence of each class from which so much is right."""
    head = [f"for precision {target:g}", "confidence", "precision", "recall"]
    rows = [
        [name, *(f"{value:.3f}" for value in (point.confidence, point.precision, point.recall))]
        if point
        else [name, "never", "–", "–"]
        for name, point in thresholds.items()
    ]
    return columns([head, *rows])


def _differences(differences: Mapping[str, Difference]) -> str:
    """Each figure before and now, with the interval of their difference."""
    head = ["against the baseline", "before", "now", "difference", "95 % interval", "verdict"]
    rows = [
        [
            name,
            f"{it.before:.3f}",
            f"{it.after:.3f}",
            f"{it.after - it.before:+.3f}",
            f"{it.low:+.3f} to {it.high:+.3f}",
            it.verdict,
        ]
        for name, it in differences.items()
    ]
    return columns([head, *rows])


def _checks(checks: Sequence[Check]) -> str:
    """COCO's twelve figures, ours and the reference program's."""
    head = ["cross-check", "yolo-cli", "pycocotools", "difference"]
    rows = [
        [
            it.name,
            *("–" if value is None else f"{value:.6f}" for value in (it.ours, it.theirs)),
            f"{it.difference:.1e}",
        ]
        for it in checks
    ]
    return columns([head, *rows])
