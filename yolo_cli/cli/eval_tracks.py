"""`yolo eval --mot`: tracks against ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yolo_cli.cli.progress import echo_result
from yolo_cli.cli.terminal import say
from yolo_cli.errors import UsageError

__all__ = ["eval_tracks", "exit_of_gates"]


def eval_tracks(data: str | None, given: Mapping[str, Any]) -> int:
    """Everything, from the files to the exit code."""
    from yolo_cli.api.tracking import evaluate_mot
    from yolo_cli.evaluation import missed_values, read_gates

    if data is not None or given["detections"] is None:
        raise UsageError("--mot needs --detections TRACKS, a file or a folder of MOT text, and no --data")
    gates = read_gates(given["fail_under"])
    report = evaluate_mot(given["mot"], given["detections"])
    missed = missed_values(gates, report.gates)
    echo_result(report, given["output_format"])
    return exit_of_gates(missed)


def exit_of_gates(missed: Sequence[str]) -> int:
    """Say which gates were missed; 4 if one was."""
    for line in missed:
        say(f"error: {line}")
    return 4 if missed else 0
