"""What `yolo eval` prints for people beside the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from yolo_cli.text import columns

if TYPE_CHECKING:
    from yolo_cli.evaluation import Check, Difference, OperatingPoint

__all__ = ["checks_text", "differences_text", "thresholds_text"]


def thresholds_text(thresholds: Mapping[str, OperatingPoint | None], target: float) -> str:
    """The confidence of each class from which so much is right."""
    head = [f"for precision {target:g}", "confidence", "precision", "recall"]
    rows = [
        [name, *(f"{value:.3f}" for value in (point.confidence, point.precision, point.recall))]
        if point
        else [name, "never", "–", "–"]
        for name, point in thresholds.items()
    ]
    return columns([head, *rows])


def differences_text(differences: Mapping[str, Difference]) -> str:
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


def checks_text(checks: Sequence[Check]) -> str:
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
