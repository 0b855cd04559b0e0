"""Gates: figures that must be reached, as in ``--fail-under map50=0.60``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from yolo_cli.errors import UsageError
from yolo_cli.evaluation.average_precision import COCO_FIGURES
from yolo_cli.evaluation.protocol import Protocol
from yolo_cli.evaluation.report import Report
from yolo_cli.text import did_you_mean

__all__ = ["check_gates", "missed_gates", "missed_values", "read_gates"]

_FIGURES = ("map", "map50", "map50_95", "precision", "recall", "f1")
_KEYPOINTS = ("keypoints", "keypoints50")  # AP by OKS over 0.50 to 0.95, and at 0.5


def read_gates(texts: Iterable[str]) -> dict[str, float]:
    """Read ``NAME=VALUE`` each: figures with the minimum that each must reach.

    Raises:
        UsageError: if one is not of that form.

    >>> read_gates(["map50=0.6", "ap:dog=0.5"])
    {'map50': 0.6, 'ap:dog': 0.5}
    """
    gates: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            minimum = float(value)
        except ValueError:
            minimum = -1.0
        if not equals or not 0 <= minimum <= 1:
            raise UsageError(f"--fail-under {text}: must be NAME=VALUE with a value from 0 to 1: map50=0.60")
        name = name.strip()
        name = name if name.startswith("ap:") else name.replace("-", "_")
        gates[name] = max(minimum, gates.get(name, 0.0))
    return gates


def check_gates(gates: Iterable[str], protocol: Protocol, class_names: Sequence[str]) -> None:
    """Check, before the evaluation, that the report will have the figure of every gate.

    Raises:
        UsageError: for the first gate with an unknown figure.
    """
    coco = COCO_FIGURES if protocol.name == "coco" else ()
    known = (*_FIGURES, *_KEYPOINTS, *coco, *(f"ap:{name}" for name in class_names))
    for name in gates:
        if name not in known:
            hint = did_you_mean(name, known, f"there are {', '.join(_FIGURES)}, and ap:CLASS")
            raise UsageError(f"--fail-under: unknown figure '{name}'; {hint}")


def missed_gates(gates: Mapping[str, float], report: Report) -> list[str]:
    """One line for each gate that is not met. A figure without a value does not meet its gate."""
    return missed_values(gates, _figures_of(report))


def missed_values(gates: Mapping[str, float], figures: Mapping[str, float | None]) -> list[str]:
    """The same for any figures, by name.

    Raises:
        UsageError: for the first gate whose figure is unknown.
    """
    lines = []
    for name, minimum in gates.items():
        if name not in figures:
            hint = did_you_mean(name, figures, f"there are {', '.join(figures)}")
            raise UsageError(f"--fail-under: unknown figure '{name}'; {hint}")
        value = figures[name]
        if value is None:
            lines.append(f"{name} has no value, but must be at least {minimum:g}")
        elif value < minimum:
            lines.append(f"{name} is {value:.4f}, but must be at least {minimum:g}")
    return lines


def _figures_of(report: Report) -> dict[str, float | None]:
    plain = report.to_json()
    classes = {f"ap:{figures.class_name}": figures.ap for figures in report.per_class}
    points = report.keypoints.figures if report.keypoints else {}
    by_oks = dict(zip(_KEYPOINTS, (points.get("AP"), points.get("AP50")), strict=True))
    return {**{name: plain[name] for name in _FIGURES}, **by_oks, **report.coco, **classes}
