"""Processes that make batches: killed, interrupted, closed; and what they load."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import heeding_signals
from tests.training_sets import write_shapes
from tests.unit.training.yolo.test_data import maker
from yolo_cli.errors import UserError
from yolo_cli.training.yolo.feed import ahead, open_feed
from yolo_cli.training.yolo.processes import BatchProcesses

FRAMEWORKS = ("keras", "jax", "tensorflow", "torch", "onnxruntime", "click")


def children() -> set[int]:
    return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


def test_a_worker_loads_no_framework() -> None:
    program = (
        f"import sys, yolo_cli.training.yolo.worker; print([m for m in {FRAMEWORKS} if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"


def test_nothing_is_left_when_a_feed_is_closed(tmp_path: Path) -> None:
    made = maker(write_shapes(tmp_path))
    gc.collect()  # what other tests left
    before, shared = (descriptors(), children()), listed("/dev/shm")

    def used() -> None:
        with open_feed(made, None, 2) as feed:
            feed.make(0, 0, False)
            assert len(children() - before[1]) == 2
            assert listed("/dev/shm") == shared  # however small that is in a container

    used()
    assert (descriptors(), children()) == before


def listed(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def descriptors() -> list[str]:
    return [name for name in listed("/proc/self/fd") if Path("/proc/self/fd", name).exists()]


def test_a_killed_worker_ends_the_run_with_one_line(tmp_path: Path) -> None:
    made, before = maker(write_shapes(tmp_path)), children()

    def run() -> None:
        with open_feed(made, None, 2) as feed:
            for batch in ahead(lambda number: feed.make(number, 0, False), feed.threads):
                assert len(batch[0]) == 3
                os.kill(max(children() - before), signal.SIGKILL)

    wanted = "a process that makes batches was killed (SIGKILL); where memory is short, lower --workers to 1"
    with pytest.raises(UserError) as caught:
        run()
    assert caught.value.text == wanted
    assert children() == before


def test_whoever_waits_is_told_that_the_feed_is_closed(tmp_path: Path) -> None:
    pool = BatchProcesses(maker(write_shapes(tmp_path)), 1)
    pool.make(0, 0, False)
    pool.close()
    with pytest.raises(RuntimeError, match="are closed"):
        pool.make(0, 1, False)


LOOP = """
import os
import sys
from pathlib import Path
from tests.unit.training.yolo.test_data import maker
from yolo_cli.training.yolo.feed import ahead, open_feed

with open_feed(maker(Path(sys.argv[1])), None, 2) as feed:
    for batch in ahead(lambda number: feed.make(number, 0, False), feed.threads):
        print(Path(f"/proc/self/task/{os.getpid()}/children").read_text(), flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_their_parent(tmp_path: Path, how: signal.Signals) -> None:
    """By Ctrl-C, which a terminal sends to the whole group, or however else."""
    with heeding_signals():
        parent = subprocess.Popen(
            [sys.executable, "-c", LOOP, str(write_shapes(tmp_path))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0, text=True,
        )  # fmt: skip
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(workers) == 2
    os.killpg(parent.pid, how)
    _, said = parent.communicate(timeout=60)
    assert parent.returncode == -how
    assert said.count("Traceback") == (1 if how == signal.SIGINT else 0)
    until = time.monotonic() + 30
    while any(running(pid) for pid in workers):
        assert time.monotonic() < until
        time.sleep(0.05)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
