"""The table, the sentence and the JSON of a benchmark."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from tests.shared import ROOT
from yolo_cli.benchmarking import Benchmark, BenchmarkRow, Variant

SCHEMA = Draft202012Validator(json.loads((ROOT / "docs/schemas/benchmark.schema.json").read_text()))

ONNX = BenchmarkRow(Variant("onnx"), "1.32.0", 0.4, 38.04, 41.0, {1: 26.3, 4: 27.0}, 130 << 20, 0.4577, 0.259)
OPENVINO = BenchmarkRow(Variant("openvino"), "2026.4", 0.6, 33.06, 35.0, {1: 30.3}, 180 << 20, 0.4577, 0.259)
BFLOAT16 = BenchmarkRow(
    Variant("openvino", "bfloat16"), "2026.4", 0.6, 18.0, 19.0, {1: 55.5}, 180 << 20, 0.4567, 0.2583
)
BROKEN = BenchmarkRow(Variant("keras"), "tensorflow 2.20", error="no TensorFlow")


def benchmark(*rows: BenchmarkRow) -> Benchmark:
    return Benchmark("tiny", (416, 320), "a processor, 2 cores", "openvino", "in turn", rows)


def test_the_fastest_in_float32_is_advised_and_what_reduced_precision_costs() -> None:
    assert benchmark(ONNX, OPENVINO, BFLOAT16, BROKEN).advice == (
        "use --engine openvino, which auto takes: 33.1 ms an image; or --engine openvino --precision "
        "bfloat16: 18.0 ms, mAP50 0.4567 in place of 0.4577"
    )
    assert benchmark(ONNX).advice == "use --engine onnx: 38.0 ms an image"
    assert benchmark(BROKEN).advice == "nothing could run"


def test_without_data_the_cost_is_not_known() -> None:
    unknown = BenchmarkRow(Variant("openvino", "bfloat16"), latency_ms=18.0)
    assert benchmark(ONNX, unknown).advice.endswith(
        "18.0 ms (give --data to see what that costs in accuracy)"
    )


def test_table() -> None:
    lines = benchmark(ONNX, BFLOAT16, BROKEN).to_text().splitlines()
    assert lines[0] == "tiny at 416x320 on a processor, 2 cores"
    assert lines[3].split("  ")[0] == "engine"
    cells = "onnx 1.32.0 0.40 s 38.0 ms 41.0 ms 26.3/s 27.0/s 130 MiB 0.4577 0.2590"
    assert lines[4].split() == cells.split()
    assert lines[5].split()[:3] == ["openvino", "bfloat16", "2026.4"]
    assert "--engine keras: no TensorFlow" in lines


def test_json_is_what_the_schema_promises() -> None:
    value = json.loads(benchmark(ONNX, OPENVINO, BFLOAT16, BROKEN).to_json())
    SCHEMA.validate(value)
    assert value["engines"][0]["throughput"] == {"1": 26.3, "4": 27.0}
    assert value["engines"][2]["precision"] == "bfloat16"
    assert not SCHEMA.is_valid({**value, "engines": [{"engine": "onnx"}]})
