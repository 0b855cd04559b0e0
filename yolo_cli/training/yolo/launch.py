"""Starts the processes of `worker`. They share memory, and one pipe from which they take requests."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from signal import Signals
from threading import Lock
from typing import Any

from yolo_cli.errors import UserError
from yolo_cli.training.yolo.worker import REQUEST

__all__ = ["Workers", "launch"]

# multiprocessing would run the user's main module again in each child; this does not. The path is set before
# anything is imported, so that the child finds all modules where the parent does.
PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1].split('\\n'); "
    "from yolo_cli.training.yolo.worker import work; work(*map(int, sys.argv[2:]))"
)
ENVIRONMENT = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1") | {
    # glibc returns the memory of each image to the system by default, and the next one costs 150 page faults
    # (an eighth of the time). 32 MiB is the maximum that it accepts.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}


@dataclass(slots=True)
class Workers:
    """Running processes.

    Attributes:
        processes: by the connection on which each answers; it closes when the process ends.
        requests: descriptor of the pipe that all of them read from.
    """

    processes: dict[Connection[Any, Any], subprocess.Popen[bytes]]
    requests: int
    _asking: Lock = field(default_factory=Lock)

    def ask(self, *numbers: int) -> None:
        """Write one `REQUEST` for the first free process; does nothing if all have ended."""
        with self._asking, suppress(BrokenPipeError):
            if self.requests >= 0:
                os.write(self.requests, REQUEST.pack(*numbers))

    def fault(self, connection: Connection[Any, Any]) -> UserError:
        """The error for a process that has ended; it never does so by itself."""
        code = self.processes[connection].wait()
        how = f"was killed ({Signals(-code).name})" if code < 0 else f"ended (exit code {code})"
        fewer = max(1, len(self.processes) // 2)
        return UserError(
            f"a process that makes batches {how}; where memory is short, lower --workers to {fewer}"
        )

    def close(self) -> None:
        """Kill all of them; they have nothing to save."""
        for process in self.processes.values():
            process.kill()  # first, as `ask` may wait until a process reads its request
        with self._asking:
            os.close(self.requests)
            self.requests = -1
        for process in self.processes.values():
            process.wait()


def launch(count: int, setup: object, memories: Sequence[int]) -> Workers:
    """Start ``count`` processes.

    Args:
        count: number of processes.
        setup: an object that each receives once.
        memories: descriptors that they inherit.

    Raises:
        OSError: if the system cannot start them.
    """
    source = os.memfd_create("yolo-cli")
    try:
        with os.fdopen(os.dup(source), "wb") as file:
            pickle.dump(setup, file)
        return _launch(count, (source, *memories))
    finally:
        os.close(source)


def _launch(count: int, descriptors: tuple[int, ...]) -> Workers:
    reading, requests = os.pipe()
    workers = Workers({}, requests)
    try:
        for _ in range(count):
            connection, process = _start(reading, descriptors)
            workers.processes[connection] = process
    except OSError:
        workers.close()
        raise
    finally:
        os.close(reading)
    return workers


def _start(
    requests: int, descriptors: tuple[int, ...]
) -> tuple[Connection[Any, Any], subprocess.Popen[bytes]]:
    ours, theirs = Pipe(duplex=False)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-c", PROGRAM, "\n".join(sys.path), *map(str, descriptors)],
            stdin=requests,
            stdout=theirs.fileno(),
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C reaches only the parent, which ends them
            env=os.environ | ENVIRONMENT,
        )
    return ours, process
