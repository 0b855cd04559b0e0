"""`yolo benchmark`, with engines that are not run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from yolo_cli import benchmarking
from yolo_cli.benchmarking import BenchmarkRow, Plan, Variant
from yolo_cli.cli import main


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `measure` was called with; it finds 20 ms for each engine."""
    calls: list[Any] = []

    def measure(plan: Plan, variants: list[Variant], accuracy: Any, say: Any) -> tuple[BenchmarkRow, ...]:
        calls.append((plan, variants, accuracy))
        say("measured")
        return tuple(BenchmarkRow(each, "1", 0.5, 20.0, 21.0, {1: 50.0}, 1 << 20) for each in variants)

    monkeypatch.setattr(benchmarking, "measure", measure)
    return calls


def yolo(*words: str) -> Any:
    return CliRunner().invoke(main, ["benchmark", *words], prog_name="yolo")


def test_options_reach_the_plan(asked: list[Any]) -> None:
    done = yolo("--imgsz", "320x416", "--rounds", "2", "--device", "cpu", "--format", "json")
    [(plan, variants, accuracy)] = asked
    assert (plan.files.name, plan.imgsz) == ("yolov4-tiny-coco", (320, 416))
    assert (plan.rounds, plan.device) == (2, "cpu")
    assert (Variant("onnx") in variants, accuracy) == (True, None)
    assert json.loads(done.stdout)["input_size"] == [320, 416]
    assert done.stderr == "measured\n"


def test_quiet_prints_the_table_only(asked: list[Any]) -> None:
    done = yolo("-q")
    assert done.stderr == ""
    assert "yolov4-tiny-coco at 416x416 on " in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("use --engine ")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--rounds", "0"), 2, "--rounds is 0, but must be between 1 and 1000"),
        (("--data", "nowhere"), 3, "nowhere: no such file or folder"),
        (("--weights", "yolov9"), 3, "no model is called 'yolov9'"),
    ],
)
def test_one_line_says_what_is_wrong(asked: list[Any], words: tuple[str, ...], code: int, says: str) -> None:
    done = yolo(*words)
    assert (done.exit_code, says in done.stderr, asked) == (code, True, [])
