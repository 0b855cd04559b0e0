"""One model on this machine in every engine that is installed: start-up, latency, throughput, memory."""

from yolo_cli.benchmarking.measuring import Accuracy, Plan, measure
from yolo_cli.benchmarking.result import Benchmark, BenchmarkRow, Variant
from yolo_cli.benchmarking.variants import variants_of

__all__ = ["Accuracy", "Benchmark", "BenchmarkRow", "Plan", "Variant", "measure", "variants_of"]
