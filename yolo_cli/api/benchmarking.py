"""How fast a model is on this machine: `benchmark`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypedDict, Unpack

from yolo_cli import benchmarking
from yolo_cli.api.evaluation import evaluate, opened_data
from yolo_cli.api.options import check_options, squared
from yolo_cli.benchmarking import Accuracy, Benchmark, Plan, Variant, variants_of
from yolo_cli.config import DEFAULT_MODEL, check_number
from yolo_cli.detectors import engine_for
from yolo_cli.files import path_of
from yolo_cli.hardware import Device
from yolo_cli.inventory import processor
from yolo_cli.weights import find_model, read_card

__all__ = ["BenchmarkOptions", "benchmark"]


class BenchmarkOptions(TypedDict, total=False):
    """The options of ``yolo benchmark``.

    Attributes:
        data: a data set to measure average precision on, with each engine.
        split: only this part; else ``val``, or all of an unsplit data set.
        imgsz: network input in pixels, a side or (height, width); None follows the model.
        device: ``cpu``, ``gpu``, one GPU such as ``gpu:1``, or ``auto``: whichever there is.
        rounds: how often each engine has its turn.
    """

    data: str | os.PathLike[str] | None
    split: str | None
    imgsz: int | tuple[int, int] | None
    device: Device
    rounds: int


def benchmark(
    weights: str | os.PathLike[str] | None = None,
    *,
    say: Callable[[str], object] = lambda _: None,
    **options: Unpack[BenchmarkOptions],
) -> Benchmark:
    """Measure start-up, latency, throughput and memory of a model in every installed engine.

    Each engine has a process of its own, and they have their turns one after the other.

    Args:
        weights: as for `load_detector`; None is the default model.
        say: called with a line when a part begins.
        **options: see `BenchmarkOptions`: ``data``, ``imgsz``, ``rounds``, …

    Raises:
        UserError: if there is no such model, or the data cannot be used.
    """
    check_options(options, BenchmarkOptions)
    given = squared(options)
    check_number("--rounds", given.get("rounds", 1), 1, 1000, int)
    files = find_model(str(path_of(DEFAULT_MODEL if weights is None else weights, "weights")))
    plan = Plan(files, **{name: given[name] for name in ("imgsz", "device", "rounds") if name in given})
    card = read_card(files.first)
    accuracy = _accuracy(plan, given) if given.get("data") else None
    rows = benchmarking.measure(plan, list(variants_of(files)), accuracy, say)
    taken = engine_for(files, device=plan.device).engine
    size = plan.imgsz or card.input_size
    return Benchmark(card.name, size, processor().model, taken, plan.protocol, rows)


def _accuracy(plan: Plan, given: dict[str, Any]) -> Accuracy:
    """What evaluates a variant on the data."""
    how: Any = {name: given[name] for name in ("split",) if given.get(name)}
    images = opened_data(given["data"], how)
    how |= {"imgsz": plan.imgsz, "device": plan.device}

    def evaluated(variant: Variant) -> tuple[float | None, float | None]:
        options = {"engine": variant.engine, "precision": variant.precision, **how}
        report = evaluate(images, plan.files.first, **options).analysis.report
        return report.map50, report.map50_95

    return evaluated
