"""`yolo benchmark`: the engines of this machine side by side."""

from __future__ import annotations

from typing import Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import device_option, format_option, general_options, model_options, split_option
from yolo_cli.cli.progress import echo_result
from yolo_cli.cli.terminal import unless

__all__ = ["benchmark"]

# The sign \b keeps click from filling a paragraph.
_HELP = """Measure a model on this machine in every installed engine.

\b
yolo benchmark
yolo benchmark --weights runs/train --imgsz 320 --data fridge
yolo benchmark --format json > benchmark.json

It prints start-up, latency of one image, throughput by batch size, and peak memory of each engine, and says
which to use; with --data, the average precision, too. Other work on the machine disturbs the figures.

Exit codes: 0 done, 2 wrong usage, 3 the data cannot be used, 130 interrupted.
"""


@click.command("benchmark", cls=YoloCommand, help=_HELP)
@click.option("--data", metavar="PATH", help="Data set to evaluate on: folder, data.yaml or COCO .json.")
@split_option
@model_options
@device_option
@click.option(
    "--rounds", type=int, default=5, show_default=True, metavar="N", help="Number of turns of each engine."
)
@format_option("table", "json")
@general_options
def benchmark(weights: str | None, output_format: str, quiet: bool, verbose: bool, **given: Any) -> None:
    """Measure and print."""
    del verbose  # the group reads it
    from yolo_cli.api.benchmarking import benchmark as run

    echo_result(run(weights, say=unless(quiet), **given), output_format)
