"""Measure engines in turn, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from yolo_cli.benchmarking.result import BenchmarkRow, Variant
from yolo_cli.benchmarking.variants import version_of
from yolo_cli.config import bundled
from yolo_cli.errors import DataError
from yolo_cli.text import counted
from yolo_cli.weights import ModelFiles

__all__ = ["Accuracy", "Plan", "measure"]

Accuracy = Callable[[Variant], tuple[float | None, float | None]]
"""mAP50 and mAP50-95 of a variant on the data."""

WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Attributes:
        files: the model.
        imgsz: height and width of the network's input; None follows the model.
        device: as ``--device`` takes it.
        rounds: how often each engine has its turn.
        singles: single images in a turn.
        batches: batch sizes, each run once in a turn.
        starts: whole processes for the start-up time.
        image: the image.
    """

    files: ModelFiles
    imgsz: tuple[int, int] | None = None
    device: str = "auto"
    rounds: int = 5
    singles: int = 10
    batches: tuple[int, ...] = (2, 4, 8)
    starts: int = 3
    image: Path = field(default_factory=lambda: bundled("examples") / "coffee.jpg")

    @property
    def protocol(self) -> str:
        """How it is measured, in one line."""
        return (
            f"engines in turn, {counted(self.rounds, 'round')} of {self.singles} single images and a batch "
            f"of each size after {WARM_UP} that do not count; "
            f"start-up is the median of {self.starts} whole processes"
        )


def measure(
    plan: Plan,
    variants: Sequence[Variant],
    accuracy: Accuracy | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> tuple[BenchmarkRow, ...]:
    """The figures of each variant, in their order; one that cannot run has its error.

    Other work on the machine disturbs all of them alike, since they have their turns one after the other.

    Args:
        plan: what is measured.
        variants: the engines.
        accuracy: evaluates a variant; None leaves that out.
        say: called with a line when a part begins.

    Raises:
        DataError: if none can run.
    """
    say(f"latency and throughput of {counted(len(variants), 'engine')}, {counted(plan.rounds, 'round')}")
    timed = _timed(plan, variants)
    able = [variant for variant in variants if "error" not in timed[variant]]
    if not able:
        raise DataError(f"{plan.files.name}: no engine can run it; {timed[variants[0]]['error']}")
    say(f"start-up, {plan.starts} times")
    startup = _start_up(plan, able)
    rows = []
    for variant in variants:
        row = BenchmarkRow(variant, version_of(variant), startup_s=startup.get(variant), **timed[variant])
        if accuracy and row.error is None:
            say(f"accuracy with {variant.options}")
            map50, map50_95 = accuracy(variant)
            row = replace(row, map50=map50, map50_95=map50_95)
        rows.append(row)
    return tuple(rows)


def _start_up(plan: Plan, variants: Sequence[Variant]) -> dict[Variant, float | None]:
    """Seconds of a whole process with each; None where it fails."""
    seconds: dict[Variant, list[float]] = {each: [] for each in variants}
    for _ in range(plan.starts):
        for variant, done in seconds.items():
            start = time.perf_counter()
            ended = subprocess.run(_command(plan, variant), capture_output=True, check=False)  # noqa: S603
            if ended.returncode == 0:
                done.append(time.perf_counter() - start)
    return {each: median(done) if done else None for each, done in seconds.items()}


def _command(plan: Plan, variant: Variant) -> list[str]:
    """The command that detects on one image."""
    words = [sys.executable, "-m", "yolo_cli", "detect", str(plan.image), "--no-save", "--quiet"]
    words += ["--weights", str(plan.files.first), "--device", plan.device, *variant.options.split()]
    return words + (["--imgsz", "{}x{}".format(*plan.imgsz)] if plan.imgsz else [])


def _timed(plan: Plan, variants: Sequence[Variant]) -> dict[Variant, dict[str, Any]]:
    """The fields of each variant's row that its worker measures, or its error."""
    with ExitStack() as stack:
        workers = {each: stack.enter_context(_Worker(plan, each)) for each in variants}
        for worker in workers.values():
            worker.warm_up(plan)
        for _ in range(plan.rounds):
            for worker in workers.values():
                worker.take_turn(plan)
        return {each: worker.figures() for each, worker in workers.items()}


class _Worker:
    """A process of `yolo_cli.benchmarking.worker`, with what it has measured; after an error it rests."""

    def __init__(self, plan: Plan, variant: Variant) -> None:
        task: dict[str, Any] = {
            "weights": str(plan.files.first),
            "engine": variant.engine,
            "precision": variant.precision,
        }
        task |= {"device": plan.device, "imgsz": plan.imgsz, "image": str(plan.image)}
        command = [sys.executable, "-m", "yolo_cli.benchmarking.worker", json.dumps(task)]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._times: dict[int, list[float]] = {}
        self.error: str | None = None

    def __enter__(self) -> _Worker:
        self._read()
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:  # waits, and closes its pipes
            self._process.kill()

    def warm_up(self, plan: Plan) -> None:
        """Runs that do not count; an engine may compile for each size."""
        for batch in (1, *plan.batches):
            self._ask(batch, WARM_UP)

    def take_turn(self, plan: Plan) -> None:
        """One round."""
        for batch, runs in ((1, plan.singles), *((batch, 1) for batch in plan.batches)):
            self._times.setdefault(batch, []).extend(self._ask(batch, runs))

    def figures(self) -> dict[str, Any]:
        """The fields of a `BenchmarkRow` that were measured."""
        if self._process.stdin and self.error is None:
            self._process.stdin.close()
        peak = self._read().get("peak")
        if self.error is not None:
            return {"error": self.error}
        return {
            "latency_ms": median(self._times[1]),
            "latency_p95_ms": float(np.percentile(self._times[1], 95)),
            "throughput": {batch: 1000 * batch / median(each) for batch, each in self._times.items()},
            "memory_bytes": peak,
        }

    def _ask(self, batch: int, runs: int) -> list[float]:
        """Milliseconds of each of some runs; none after an error."""
        if self.error is not None or self._process.stdin is None:
            return []
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([batch, runs]) + "\n")
            self._process.stdin.flush()
        return list(self._read().get("milliseconds", []))

    def _read(self) -> dict[str, Any]:
        """The next answer; empty after an error."""
        if self.error is not None or self._process.stdout is None:
            return {}
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        if not line:
            self.error = f"its process ended with exit code {self._process.wait()}"
        self.error = answer.get("error", self.error)
        return answer
