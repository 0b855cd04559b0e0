"""A pytest plugin that runs the collected tests against mutants, each in a forked process."""

from __future__ import annotations

import functools
import gc
import json
import os
import resource
import select
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.mutation.mutants import Mutant
from tests.mutation.transplant import NotImportableError, transplant

__all__ = ["Hunt"]

PATIENCE_S = 600  # wall clock, for a mutant that waits for ever
EXTRA_S = 20  # of processor time, above that of the tests


class Hunt:
    """Tries mutants in place of pytest's own loop.

    Attributes:
        done: the mutants that were tried.
        alive: those that no test noticed.
    """

    def __init__(self, mutants: list[Mutant]) -> None:
        self.mutants = mutants
        self.done: list[Mutant] = []
        self.alive: list[Mutant] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = session.items
        found = json.loads(_forked(lambda: _explore(items, {m.path for m in self.mutants}), 3600))
        if found["failed"]:
            raise SystemExit(f"these tests fail without any change: {found['failed']}")
        reach = Reach(items, found)
        for mutant in self.mutants:
            tests, seconds = reach.tests(mutant)
            survived = not tests or self._survives(mutant, tests, seconds)
            self.done.append(mutant)
            if survived:
                self.alive.append(mutant)
        return True

    @staticmethod
    def _survives(mutant: Mutant, tests: list[pytest.Item], seconds: float) -> bool:
        def attempt() -> str:
            bound = int(10 * seconds + EXTRA_S + time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (bound, bound + 5))
            try:
                _mutate(mutant)
            except NotImportableError:
                return json.dumps(["import"])
            except Exception as fault:
                return f"cannot be tried: {fault!r}"
            return json.dumps(_run(tests, stop=True))

        told = _forked(attempt, PATIENCE_S)
        if told.startswith("cannot"):
            print(f"{mutant.path}:{mutant.line}: {mutant.text}: {told}", flush=True)
        return told == json.dumps([]) or told.startswith("cannot")


class Reach:
    """Which tests run which lines, and how long they take."""

    def __init__(self, items: list[pytest.Item], found: dict[str, Any]) -> None:
        self.items, self.seconds = items, found["seconds"]
        self.lines: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for name, lines in found["lines"].items():
            self.lines[name] = {(file, line) for file, line in lines}
        self.whole: dict[str, float] = defaultdict(float)  # seconds of each file of tests
        for item in items:
            self.whole[str(item.path)] += self.seconds.get(item.nodeid, 0)

    def tests(self, mutant: Mutant) -> tuple[list[pytest.Item], float]:
        """The tests that run a mutant's function, and the time that they take."""
        spot = _function(mutant)
        chosen = [item for item in self.items if spot is None or self._runs(item, mutant.path, spot)]
        chosen.sort(key=lambda item: (self.whole[str(item.path)], str(item.path)))
        return chosen, sum(self.seconds.get(item.nodeid, 0) for item in chosen)

    def _runs(self, item: pytest.Item, path: Path, spot: tuple[int, int]) -> bool:
        """Whether a test runs one of some lines of a file."""
        return any(file == str(path) and spot[0] <= line <= spot[1] for file, line in self.lines[item.nodeid])


@functools.cache
def _bodies(path: Path) -> list[tuple[int, int]]:
    import ast

    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    return [(node.body[0].lineno, node.end_lineno or node.lineno) for node in functions]


def _function(mutant: Mutant) -> tuple[int, int] | None:
    """The lines of the innermost function around it."""
    around = [(first, last) for first, last in _bodies(mutant.path) if first <= mutant.line <= last]
    return max(around, default=None)


def _mutate(mutant: Mutant) -> None:
    path = str(mutant.path)
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == path:
            transplant(
                module, compile(mutant.path.read_text(), path, "exec", dont_inherit=True), mutant.code()
            )
            _forget()


def _forget() -> None:
    """Empty the caches of functions, which hold what the unchanged code gave."""
    for each in gc.get_objects():
        if isinstance(each, functools._lru_cache_wrapper) and each.__module__.startswith(
            ("yolo_cli", "tests")
        ):
            each.cache_clear()


def _explore(items: list[pytest.Item], files: Iterable[Path]) -> str:
    """Run the tests without a change: which lines of the files each runs, its time, and failures."""
    watched, now = {str(file) for file in files}, [""]
    seen: dict[str, set[tuple[str, int]]] = defaultdict(set)
    seconds: dict[str, float] = {}

    def follow(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename in watched:
            seen[now[0]].add((frame.f_code.co_filename, frame.f_lineno))
            return follow
        return None

    def before(item: pytest.Item) -> None:
        now[0], seconds[item.nodeid] = item.nodeid, -time.process_time()
        _forget()

    def after(report: pytest.TestReport) -> None:
        if report.when == "setup":  # what fixtures run, they run for the other tests of the file too
            seen[report.nodeid.split("::")[0]] |= seen[report.nodeid]
        if report.when == "teardown":
            seconds[report.nodeid] += time.process_time()

    sys.settrace(follow)
    threading.settrace(follow)
    failed = _run(items, stop=False, before=before, after=after)
    sys.settrace(None)
    lines = {item.nodeid: sorted(seen[item.nodeid] | seen[item.nodeid.split("::")[0]]) for item in items}
    return json.dumps({"failed": failed, "seconds": seconds, "lines": lines})


def _run(
    items: list[pytest.Item],
    *,
    stop: bool,
    before: Callable[[pytest.Item], object] = lambda _: None,
    after: Callable[[pytest.TestReport], object] = lambda _: None,
) -> list[str]:
    """Run tests; the names of those that fail, at most one if it shall stop there."""
    failed: list[str] = []

    class Watcher:
        @staticmethod
        def pytest_runtest_logreport(report: pytest.TestReport) -> None:
            after(report)
            if report.failed:
                failed.append(report.nodeid)

    items[0].config.pluginmanager.register(Watcher())
    for item, following in zip(items, [*items[1:], None], strict=True):
        before(item)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if failed and stop:
            break
    return failed


def _forked(work: Callable[[], str], patience: float) -> str:
    """What the work returns in a forked process; empty if it dies or takes too long."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.setsid()
            os.close(reader)
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            with os.fdopen(writer, "w") as out:
                out.write(work())
        finally:
            os._exit(0)
    os.close(writer)
    pieces, end = [], time.monotonic() + patience
    while select.select([reader], [], [], max(0, end - time.monotonic()))[0]:
        if not (piece := os.read(reader, 1 << 16)):
            break
        pieces.append(piece)
    os.close(reader)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return b"".join(pieces).decode()
