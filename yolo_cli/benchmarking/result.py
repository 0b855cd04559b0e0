"""The result of a benchmark as data, as a table and as advice."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from yolo_cli.engines import EngineName, RunPrecision
from yolo_cli.text import Jsonable
from yolo_cli.text_table import columns

__all__ = ["Benchmark", "BenchmarkRow", "Variant"]

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run a model.

    Attributes:
        engine: as ``--engine`` takes it.
        precision: as ``--precision`` takes it.
    """

    engine: EngineName
    precision: RunPrecision = "float32"

    @property
    def options(self) -> str:
        """The options of the command line that choose it."""
        precision = "" if self.precision == "float32" else f" --precision {self.precision}"
        return f"--engine {self.engine}{precision}"


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """The figures of one variant. A figure is None if it was not measured.

    Attributes:
        variant: the engine and its precision.
        version: of the package that computes.
        startup_s: seconds of a whole ``yolo detect`` of one image in a fresh process; median.
        latency_ms: milliseconds for one image in memory, from resizing to boxes; median.
        latency_p95_ms: of 95 % of these runs, the slowest.
        throughput: images a second by batch size.
        memory_bytes: peak memory of a process that ran all of this.
        map50, map50_95: on the data, if there is any.
        error: why it could not run; None if it could.
    """

    variant: Variant
    version: str = ""
    startup_s: float | None = None
    latency_ms: float | None = None
    latency_p95_ms: float | None = None
    throughput: dict[int, float] = field(default_factory=dict)
    memory_bytes: int | None = None
    map50: float | None = None
    map50_95: float | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data; batch sizes are texts, as JSON has them."""
        values = asdict(self)
        throughput = {str(batch): rate for batch, rate in values.pop("throughput").items()}
        return {**values.pop("variant"), **values, "throughput": throughput}


@dataclass(frozen=True, slots=True)
class Benchmark(Jsonable):
    """How fast a model runs in each engine of this machine.

    Attributes:
        model: its name.
        input_size: height and width of the network's input in pixels.
        machine: the processor, and its cores.
        automatic: what ``--engine auto`` takes.
        protocol: how it was measured, in one line.
        rows: the figures.
    """

    model: str
    input_size: tuple[int, int]
    machine: str
    automatic: EngineName
    protocol: str
    rows: tuple[BenchmarkRow, ...]

    @property
    def advice(self) -> str:
        """What to use, in a sentence: the fastest for one image, with a word on reduced precision."""
        timed = [row for row in self.rows if row.latency_ms is not None]
        if not timed:
            return "nothing could run"
        exact = [row for row in timed if row.variant.precision == "float32"] or timed
        best, fastest = (min(rows, key=lambda row: row.latency_ms or 0) for rows in (exact, timed))
        taken = ", which auto takes" if best.variant.engine == self.automatic else ""
        text = f"use {best.variant.options}{taken}: {best.latency_ms:.1f} ms an image"
        if fastest is best:
            return text
        return f"{text}; or {fastest.variant.options}: {fastest.latency_ms:.1f} ms{_loss(best, fastest)}"

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data."""
        return {
            **{name: getattr(self, name) for name in ("model", "machine", "automatic", "protocol", "advice")},
            "input_size": list(self.input_size),
            "engines": [row.to_dict() for row in self.rows],
        }

    def to_text(self) -> str:
        """The figures as a table for people."""
        batches = sorted({batch for row in self.rows for batch in row.throughput})
        evaluated = any(row.map50 is not None for row in self.rows)
        title = [
            "engine",
            "version",
            "start-up",
            "one image",
            "p95",
            *(f"batch {n}" for n in batches),
            "memory",
        ]
        accuracy = ["mAP50", "mAP50-95"] if evaluated else []
        body = [
            [*_cells(row, batches), *([_figure(row.map50), _figure(row.map50_95)] if evaluated else [])]
            for row in self.rows
        ]
        errors = "".join(f"{row.variant.options}: {row.error}\n" for row in self.rows if row.error)
        height, width = self.input_size
        head = f"{self.model} at {height}x{width} on {self.machine}\n{self.protocol}\n\n"
        return f"{head}{columns([[*title, *accuracy], *body])}{errors}\n{self.advice}\n"


def _cells(row: BenchmarkRow, batches: list[int]) -> list[str]:
    """The cells of a row up to its memory."""
    precision = "" if row.variant.precision == "float32" else f" {row.variant.precision}"
    rates = [f"{row.throughput[n]:.1f}/s" if n in row.throughput else "–" for n in batches]
    memory = "–" if row.memory_bytes is None else f"{row.memory_bytes / MIB:.0f} MiB"
    startup = "–" if row.startup_s is None else f"{row.startup_s:.2f} s"
    times = [_ms(row.latency_ms), _ms(row.latency_p95_ms)]
    return [f"{row.variant.engine}{precision}", row.version, startup, *times, *rates, memory]


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _loss(exact: BenchmarkRow, fast: BenchmarkRow) -> str:
    """What reduced precision costs, as far as it was measured."""
    if exact.map50 is None or fast.map50 is None:
        return " (give --data to see what that costs in accuracy)"
    return f", mAP50 {fast.map50:.4f} in place of {exact.map50:.4f}"
