"""Gates: figures that must be reached, as in ``--fail-under map50=0.60``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from yolo_cli.errors import UsageError
from yolo_cli.evaluation.average_precision import COCO_FIGURES
from yolo_cli.evaluation.protocol import Protocol
from yolo_cli.evaluation.report import Report
from yolo_cli.text import did_you_mean

__all__ = ["Gate", "check_gates", "missed_gates", "missed_values", "read_gate"]

_FIGURES = ("map", "map50", "map50_95", "precision", "recall", "f1")
_KEYPOINTS = ("keypoints", "keypoints50")  # AP by OKS over 0.50 to 0.95, and at 0.5


@dataclass(frozen=True, slots=True)
class Gate:
    """A figure and the minimum that it must reach."""

    name: str
    minimum: float


def read_gate(text: str) -> Gate:
    """Read ``NAME=VALUE``.

    Raises:
        UsageError: if it is not of that form.

    >>> read_gate("map50=0.6")
    Gate(name='map50', minimum=0.6)
    """
    name, equals, value = text.partition("=")
    try:
        minimum = float(value)
    except ValueError:
        minimum = -1.0
    if not equals or not 0 <= minimum <= 1:
        raise UsageError(f"--fail-under {text}: must be NAME=VALUE with a value from 0 to 1: map50=0.60")
    name = name.strip()
    return Gate(name if name.startswith("ap:") else name.replace("-", "_"), minimum)


def check_gates(gates: Iterable[Gate], protocol: Protocol, class_names: Sequence[str]) -> None:
    """Check, before the evaluation, that the report will have the figure of every gate.

    Raises:
        UsageError: for the first gate with an unknown figure.
    """
    coco = COCO_FIGURES if protocol.name == "coco" else ()
    known = (*_FIGURES, *_KEYPOINTS, *coco, *(f"ap:{name}" for name in class_names))
    for gate in gates:
        if gate.name not in known:
            hint = did_you_mean(gate.name, known, f"there are {', '.join(_FIGURES)}, and ap:CLASS")
            raise UsageError(f"--fail-under: unknown figure '{gate.name}'; {hint}")


def missed_gates(gates: Sequence[Gate], report: Report) -> list[str]:
    """One line for each gate that is not met. A figure without a value does not meet its gate."""
    return missed_values(gates, _figures_of(report))


def missed_values(gates: Sequence[Gate], figures: Mapping[str, float | None]) -> list[str]:
    """The same for any figures, by name.

    Raises:
        UsageError: for the first gate whose figure is unknown.
    """
    lines = []
    for gate in gates:
        if gate.name not in figures:
            hint = did_you_mean(gate.name, figures, f"there are {', '.join(figures)}")
            raise UsageError(f"--fail-under: unknown figure '{gate.name}'; {hint}")
        value = figures[gate.name]
        if value is None:
            lines.append(f"{gate.name} has no value, but must be at least {gate.minimum:g}")
        elif value < gate.minimum:
            lines.append(f"{gate.name} is {value:.4f}, but must be at least {gate.minimum:g}")
    return lines


def _figures_of(report: Report) -> dict[str, float | None]:
    plain = report.to_json()
    classes = {f"ap:{figures.class_name}": figures.ap for figures in report.per_class}
    points = report.keypoints.figures if report.keypoints else {}
    by_oks = dict(zip(_KEYPOINTS, (points.get("AP"), points.get("AP50")), strict=True))
    return {**{name: plain[name] for name in _FIGURES}, **by_oks, **report.coco, **classes}
