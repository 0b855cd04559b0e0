"""Engines have their turns, and one that fails does not end the others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from yolo_cli.benchmarking import Plan, Variant, measure, measuring, variants, variants_of
from yolo_cli.errors import DataError
from yolo_cli.images import write_image
from yolo_cli.weights import ModelFiles, find_model

QUICK = {"rounds": 2, "singles": 3, "batches": (2,), "starts": 1}


def test_one_engine_and_one_that_cannot_run(tmp_path: Path) -> None:
    """One that is asked for what it cannot do has its error, and the other its figures."""
    files = find_model("yolov4-tiny-coco")
    write_image(tmp_path / "a.png", np.zeros((48, 64, 3), np.uint8))
    plan = Plan(files, (64, 64), "cpu", image=tmp_path / "a.png", **QUICK)
    said: list[str] = []
    broken = Variant("onnx", "bfloat16")  # only OpenVINO computes in it
    fine, failed = measure(plan, [Variant("onnx"), broken], lambda _: (0.5, 0.25), said.append)
    assert fine.error is None
    assert fine.latency_ms is not None
    assert 0 < fine.latency_ms <= (fine.latency_p95_ms or 0)
    assert sorted(fine.throughput) == [1, 2]
    assert (fine.startup_s or 0) > fine.latency_ms / 1000
    assert (fine.memory_bytes or 10**9) > 10**7
    assert (fine.map50, fine.map50_95) == (0.5, 0.25)
    assert failed.error == "--precision bfloat16: only --engine openvino computes in it"
    assert (failed.startup_s, failed.latency_ms, failed.map50) == (None, None, None)
    assert said[-1] == "accuracy with --engine onnx"


def test_turns_alternate_and_figures_are_those_of_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, int]] = []

    class Told(measuring._Worker):
        def __init__(self, plan: Plan, variant: Variant) -> None:
            self.variant, self.error, self._times = variant, None, {}

        def __enter__(self) -> Told:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def _ask(self, batch: int, runs: int) -> list[float]:
            asked.append((self.variant.engine, batch, runs))
            return [10.0 * batch * (number + 1) for number in range(runs)]

        def figures(self) -> dict[str, object]:
            self._process = type("Process", (), {"stdin": None})()
            self._read = lambda: {"peak": 5}  # type: ignore[method-assign]
            return super().figures()

    monkeypatch.setattr(measuring, "_Worker", Told)
    plan = Plan(find_model("yolov4-tiny-coco"), **QUICK)
    timed = measuring._timed(plan, [Variant("onnx"), Variant("openvino")])
    warm = [(engine, batch, 3) for engine in ("onnx", "openvino") for batch in (1, 2)]
    turn = [(engine, batch, runs) for engine in ("onnx", "openvino") for batch, runs in ((1, 3), (2, 1))]
    assert asked == [*warm, *turn, *turn]
    # Single images took 10, 20 and 30 ms in each of two turns, a batch of two 20 ms.
    assert timed[Variant("onnx")] == {
        "latency_ms": 20,
        "latency_p95_ms": pytest.approx(float(np.percentile([10, 20, 30] * 2, 95))),
        "throughput": {1: 50, 2: 100},
        "memory_bytes": 5,
    }


def test_a_process_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring.sys, "executable", "/bin/false")
    with pytest.raises(DataError) as caught:
        measure(Plan(find_model("yolov4-tiny-coco"), **QUICK), [Variant("onnx")])
    assert caught.value.text == "yolov4-tiny-coco: no engine can run it; its process ended with exit code 1"


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ({"openvino", "tensorflow"}, ["onnx", "openvino", "openvino bfloat16", "keras"]),
        ({"jax"}, ["onnx", "keras"]),
        (set(), ["onnx"]),
    ],
)
def test_variants_are_what_is_installed(
    present: set[str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "installed", lambda name: name in present)
    files = find_model("yolov4-tiny-coco")
    assert [f"{it.engine} {it.precision}".replace(" float32", "") for it in variants_of(files)] == expected
    assert all(it.engine == "keras" for it in variants_of(replace(files, onnx=None)))
    assert all(it.engine != "keras" for it in variants_of(replace(files, keras=None)))
    assert isinstance(files, ModelFiles)


def test_the_worker_answers_in_json(capfd: pytest.CaptureFixture[str]) -> None:
    import subprocess
    import sys

    task = json.dumps({"weights": "yolov9", "image": "examples/cat.jpg"})
    command = [sys.executable, "-m", "yolo_cli.benchmarking.worker", task]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "no model is called 'yolov9'" in json.loads(done.stdout)["error"]
