"""Figures that must be reached: ``--fail-under map50=0.60``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yolo_cli.errors import UsageError
from yolo_cli.evaluation import Report

__all__ = ["Gate", "figures_of", "missed_gates", "read_gate"]

_FIGURES = ("map", "map50", "map50_95", "precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class Gate:
    """A figure that must be at least so much."""

    name: str
    least: float


def read_gate(text: str) -> Gate:
    """Read ``NAME=VALUE``.

    Raises:
        UsageError: if it is none.

    >>> read_gate("map50=0.6")
    Gate(name='map50', least=0.6)
    """
    name, equals, value = text.partition("=")
    try:
        least = float(value)
    except ValueError:
        least = -1.0
    if not equals or not 0 <= least <= 1:
        raise UsageError(f"--fail-under {text}: must be NAME=VALUE with a value of 0 to 1, as map50=0.60")
    return Gate(name.strip().replace("-", "_"), least)


def missed_gates(gates: Sequence[Gate], report: Report) -> list[str]:
    """One line for each gate that is not met.

    Raises:
        UsageError: if a gate names no figure of the report.
    """
    figures = figures_of(report)
    lines = []
    for gate in gates:
        if gate.name not in figures:
            raise UsageError(_unknown(gate.name, figures))
        value = figures[gate.name]
        if value is None:
            lines.append(f"{gate.name} has no value, and must be at least {gate.least:g}")
        elif value < gate.least:
            lines.append(f"{gate.name} is {value:.4f}, and must be at least {gate.least:g}")
    return lines


def figures_of(report: Report) -> dict[str, float | None]:
    """Every figure that a gate can name: the headline's, COCO's twelve, and ``ap:CLASS``."""
    plain = report.to_json()
    classes = {f"ap:{figures.class_name}": figures.ap for figures in report.per_class}
    return {**{name: plain[name] for name in _FIGURES}, **report.coco, **classes}


def _unknown(name: str, figures: Mapping[str, float | None]) -> str:
    near = difflib.get_close_matches(name, figures, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_FIGURES)}, and ap:CLASS"
    return f"--fail-under: there is no figure '{name}'; {hint}"
