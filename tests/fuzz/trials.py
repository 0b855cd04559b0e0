"""Try mutants on a reader, in this process or guarded by another that outlives a crash."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fuzz.mutations import mutated
from yolo_cli.errors import UserError

__all__ = ["Outcome", "Report", "Target", "attack", "guarded", "tried"]

SLOWEST = 5.0  # seconds of processor time
MOST = 1 << 20  # KiB above what the good files take
LARGEST = 64 << 20  # bytes of a mutant
HANG = 120.0  # seconds of wall clock without a word, on a machine that has other work


@dataclass(frozen=True)
class Target:
    """A reader, with good files by suffix, and how to change them further than by bytes."""

    read: Callable[[Path], object]
    seeds: Callable[[], Mapping[str, bytes]]
    change: Callable[[bytes, random.Random], bytes] | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant; memory in KiB above what the good files took."""

    number: int
    refused: bool = False
    fault: str = ""
    seconds: float = 0.0
    memory: int = 0


@dataclass
class Report:
    """What became of the mutants of one target."""

    tried: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    memory: int = 0

    def add(self, outcome: Outcome) -> None:
        self.tried += 1
        self.refused += outcome.refused
        self.slowest = max(self.slowest, outcome.seconds)
        self.memory = max(self.memory, outcome.memory)
        if outcome.fault:
            self.faults.append(outcome.fault)

    def __str__(self) -> str:
        found = f"{self.tried} mutants, {self.refused} refused, {len(self.faults)} faults"
        return f"{found}, slowest {self.slowest:.1f} s, at most {max(0, self.memory) >> 10} MiB more"


def attack(target: Target, count: int, seed: int, seconds: float) -> Report:
    """Read up to ``count`` mutants in this process, for at most some seconds."""
    report, end = Report(), time.monotonic() + seconds
    for outcome in _outcomes(target, range(count), seed):
        report.add(outcome)
        if time.monotonic() > end:
            break
    return report


def guarded(target: Target, count: int, seed: int, seconds: float) -> Report:
    """As `attack`, in a process of its own: if it dies or hangs, that is a fault, and another goes on."""
    report, end = Report(), time.monotonic() + seconds
    while report.tried < count and time.monotonic() < end:
        numbers = range(report.tried, count)
        reader, writer = multiprocessing.Pipe(duplex=False)
        if (worker := os.fork()) == 0:
            _work(target, numbers, seed, writer)
        writer.close()
        fault = _gather(reader, report, end)
        os.kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
        if fault and report.tried < count:
            report.add(Outcome(report.tried, fault=f"seed {seed}, number {report.tried}: {fault} ({status})"))
    return report


def _gather(reader: Connection, report: Report, end: float) -> str:
    """Add what a worker says until it is done, or the time is over; return what stopped it otherwise."""
    with suppress(EOFError), reader:
        while time.monotonic() < end:
            if not reader.poll(HANG):
                return "hangs"
            report.add(reader.recv())
        return ""
    return "ends the process"


def _work(target: Target, numbers: range, seed: int, writer: Connection) -> None:
    try:
        for outcome in _outcomes(target, numbers, seed):
            writer.send(outcome)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)


def _outcomes(target: Target, numbers: range, seed: int) -> Iterator[Outcome]:
    seeds = list(target.seeds().items())
    with tempfile.TemporaryDirectory() as folder:
        _peak()
        for suffix, data in seeds:  # they are good, and imports are not counted as time
            path = Path(folder) / f"a{suffix}"
            path.write_bytes(data)
            target.read(path)
        usual = _peak()
        for number in numbers:
            rng = random.Random(seed * 1_000_003 + number)
            suffix, data = rng.choice(seeds)
            change = target.change if target.change and rng.random() < 0.6 else mutated
            path = Path(folder) / f"a{suffix}"
            path.write_bytes(change(data, rng)[:LARGEST])
            yield _try(target.read, path, number, f"seed {seed}, number {number}, {suffix}", usual)


def tried(read: Callable[[Path], object], path: Path) -> Outcome:
    """What becomes of one file, with the memory that is used now as usual."""
    _peak()
    return _try(read, path, 0, path.name, _peak())


def _try(read: Callable[[Path], object], path: Path, number: int, which: str, usual: int) -> Outcome:
    start, refused, fault = time.process_time(), False, ""
    _peak()
    try:
        read(path)
    except UserError as error:
        refused = True
        if "\n" in error.text or len(error.text) > 1000 + len(str(path)):
            fault = f"{which}: not one short line: {error.text[:200]!r}"
    except Exception:  # what a user would see as exit 1
        fault = f"{which}: {traceback.format_exc(limit=-3)}"
    took, more = time.process_time() - start, _peak() - usual
    if took > SLOWEST:
        fault = fault or f"{which}: {took:.1f} s"
    if more > MOST:
        fault = fault or f"{which}: {more >> 10} MiB"
    return Outcome(number, refused, fault, took, more)


def _peak() -> int:
    """The most memory since the last call, in KiB; on Linux only, elsewhere 0."""
    try:
        status = Path("/proc/self/status").read_text()
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
