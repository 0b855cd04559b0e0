"""The result of an evaluation: what `yolo eval` prints and saves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from yolo_cli.evaluation import (
    RUN_FILE,
    Check,
    Difference,
    OperatingPoint,
    RunRecord,
    compare_runs,
    cross_check,
    record_run,
    thresholds_for_precision,
)
from yolo_cli.files import atomic_write_text
from yolo_cli.report.analysis import Analysis
from yolo_cli.report.examples import ReadImage
from yolo_cli.report.page import About, write_report
from yolo_cli.report.plots import write_plots

__all__ = ["EvaluationResult", "evaluation_result"]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationResult:
    """All figures of an evaluation, and the requested extras; None if not requested.

    Attributes:
        about: the model, the data, and notes for the reader.
        analysis: all figures.
        thresholds: per class, the lowest threshold with the target precision, if there is one.
        differences: comparison with an earlier run.
        checks: COCO's twelve figures, and those of pycocotools.
    """

    about: About
    analysis: Analysis
    thresholds: Mapping[str, OperatingPoint | None] | None = None
    differences: Mapping[str, Difference] | None = None
    checks: tuple[Check, ...] | None = None

    def to_json(self) -> dict[str, Any]:
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

    def save(self, folder: Path, read: ReadImage, plots: bool = False) -> Path:
        """Write the figures, the page and, if asked for, the plots into a folder.

        Args:
            folder: an existing folder.
            read: returns the image with a given name, for the page.
            plots: also write the curves as PNG and SVG.

        Returns:
            the path of the page.

        Raises:
            DataError: if a file cannot be written.
        """
        value = {**self.to_json(), "record": record_run(self.analysis.matches).to_json()}
        atomic_write_text(folder / RUN_FILE, json.dumps(value, allow_nan=False))
        page = folder / "report.html"
        write_report(page, self.analysis, replace(self.about, differences=self.differences or {}), read)
        if plots:
            write_plots(folder / "plots", self.analysis)
        return page


def evaluation_result(
    analysis: Analysis,
    about: About,
    *,
    target_precision: float | None = None,
    baseline: RunRecord | None = None,
    pycocotools: bool = False,
) -> EvaluationResult:
    """The figures with the requested extras.

    Args:
        analysis: from `analyse`.
        about: what was evaluated.
        target_precision: also find each class's threshold with this precision.
        baseline: an earlier run to compare with.
        pycocotools: evaluate with pycocotools, too.

    Raises:
        DataError: if the baseline was evaluated on other images or by other rules.
        UsageError: if pycocotools is not installed, or the precision is out of range.
    """
    report = analysis.report
    return EvaluationResult(
        about,
        analysis,
        None if target_precision is None else thresholds_for_precision(report, target_precision),
        compare_runs(baseline, record_run(analysis.matches)) if baseline else None,
        cross_check(analysis.gathered, report.coco) if pycocotools else None,
    )
