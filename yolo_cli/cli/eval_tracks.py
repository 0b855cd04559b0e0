"""`yolo eval --mot`: tracks against ground truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yolo_cli.cli.progress import echo_result
from yolo_cli.cli.terminal import say
from yolo_cli.errors import UsageError

__all__ = ["eval_tracks"]


def eval_tracks(data: str | None, given: Mapping[str, Any]) -> int:
    """Everything, from the files to the exit code."""
    from yolo_cli.api.tracking import evaluate_mot
    from yolo_cli.evaluation import missed_values, read_gate

    if data is not None or given["detections"] is None:
        raise UsageError("--mot needs --detections TRACKS, a file or a folder of MOT text, and no --data")
    gates = [read_gate(text) for text in given["fail_under"]]
    report = evaluate_mot(given["mot"], given["detections"])
    missed = missed_values(gates, report.gates)
    echo_result(report, given["output_format"])
    for line in missed:
        say(f"error: {line}")
    return 4 if missed else 0
