"""Starts the processes of `worker`, each with the same memory, and one pipe of requests for all."""

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

# multiprocessing would run the user's main module in each child again. This runs nothing of the user's: the
# path is set before anything is imported, so that all modules are found where the parent finds them.
PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1].split('\\n'); "
    "from yolo_cli.training.yolo.worker import work; work(*map(int, sys.argv[2:]))"
)
ENVIRONMENT = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1") | {
    # glibc would give each image's memory back, and the next image would cost 150 page faults (an eighth of
    # the time). 32 MiB is the most it takes.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}


@dataclass(slots=True)
class Workers:
    """Running processes.

    Attributes:
        processes: by the connection on which each answers; it ends when the process does.
        requests: descriptor of the pipe that all of them read.
    """

    processes: dict[Connection[Any, Any], subprocess.Popen[bytes]]
    requests: int
    _asking: Lock = field(default_factory=Lock)

    def ask(self, *numbers: int) -> None:
        """Write one `REQUEST`; the first process that is free takes it, and nobody if all have ended."""
        with self._asking, suppress(BrokenPipeError):
            if self.requests >= 0:
                os.write(self.requests, REQUEST.pack(*numbers))

    def fault(self, connection: Connection[Any, Any]) -> UserError:
        """Why the process that answered here has ended, which it never does by itself."""
        code = self.processes[connection].wait()
        how = f"was killed ({Signals(-code).name})" if code < 0 else f"ended (exit code {code})"
        fewer = max(1, len(self.processes) // 2)
        return UserError(
            f"a process that makes batches {how}; where memory is short, lower --workers to {fewer}"
        )

    def close(self) -> None:
        """End all of them. They have nothing to save."""
        for process in self.processes.values():
            process.kill()  # first of all, as one who asks may wait for a process to take it
        with self._asking:
            os.close(self.requests)
            self.requests = -1
        for process in self.processes.values():
            process.wait()


def launch(count: int, setup: object, memories: Sequence[int]) -> Workers:
    """Start ``count`` processes.

    Args:
        count: how many.
        setup: what each gets, once.
        memories: descriptors that they get.

    Raises:
        OSError: if the system refuses.
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
            start_new_session=True,  # Ctrl-C reaches the parent alone, and that ends them
            env=os.environ | ENVIRONMENT,
        )
    return ours, process
