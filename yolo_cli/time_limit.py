"""A time limit on reading one image: it is read in another process, which is ended when it takes longer.

A thread cannot be ended while a decoder or a disk keeps it, and a decoder that crashes takes its process with
it. Without a limit, nothing here runs.
"""

from __future__ import annotations

import math
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Event, Lock, Timer
from typing import TYPE_CHECKING, Any, TypeVar

from yolo_cli.errors import DataError, UsageError

if TYPE_CHECKING:
    import subprocess

__all__ = ["LIMIT", "Limited", "image_timeout", "serve"]

Value = TypeVar("Value")
_LONGEST_S = 86_400
# As for the processes of training, the path is set before anything is imported.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1].split('\\n'); "
    "from yolo_cli.time_limit import serve; serve(sys.argv[2])"
)


class Limited:
    """Calls functions in another process, one at a time, each for so many seconds at most.

    The process starts with the first call, which is not charged for it; if it was ended, with the next.

    Args:
        seconds: for each call.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = Lock()

    def call(self, name: str, function: Callable[..., Value], *arguments: object) -> Value:
        """What a function of a module returns; what it raises is raised.

        Args:
            name: of the image, in messages.
            function: found in the other process by its name.
            *arguments: as pickle can send them.

        Raises:
            DataError: if it took too long, or ended its process.
        """
        with self._turn:
            process = self._process = self._process or _start(function.__module__)
            late = Event()
            timer = Timer(self.seconds, _end, (process, late))
            timer.start()
            try:
                value, fault = _ask(process, (function, arguments))
            except (OSError, EOFError, pickle.UnpicklingError):
                _wait(process)
                raise DataError(f"{name}: {self._why(late, process.returncode)}") from None
            finally:
                timer.cancel()
                timer.join()  # from here on it kills nothing
                if process.poll() is not None or late.is_set():
                    self.close()
        if fault is not None:
            raise fault
        return value  # type: ignore[no-any-return]

    def _why(self, late: Event, code: int | None) -> str:
        if late.is_set():
            return f"was not read within {self.seconds:g} s (--timeout); it is damaged, or its disk is slow"
        return f"ended the process that decoded it (code {code}); save it again"

    def close(self) -> None:
        """End the process; the next call would start another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]


def _end(process: subprocess.Popen[bytes], late: Event) -> None:
    late.set()
    process.kill()


def _wait(process: subprocess.Popen[bytes]) -> None:
    """For a second at most."""
    from subprocess import TimeoutExpired

    with suppress(TimeoutExpired):
        process.wait(1)


def _start(module: str) -> subprocess.Popen[bytes]:
    """A process that has imported a module, and waits for calls."""
    import subprocess  # not needed without a limit, and slow to import

    process = subprocess.Popen(  # noqa: S603 - this program itself
        [sys.executable, "-c", _PROGRAM, "\n".join(sys.path), module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches only the parent, which ends it
    )
    with suppress(EOFError):  # the first call says so, too
        pickle.load(process.stdout)  # type: ignore[arg-type]  # noqa: S301 - from this program itself
    return process


def _ask(process: subprocess.Popen[bytes], request: object) -> Any:
    pickle.dump(request, process.stdin)  # type: ignore[arg-type]
    process.stdin.flush()  # type: ignore[union-attr]
    return pickle.load(process.stdout)  # type: ignore[arg-type]  # noqa: S301 - from this program itself


def serve(module: str) -> None:
    """Answer calls on standard input, until it is closed; runs in the other process."""
    import_module(module)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not mix with answers
    answer: object = None
    with suppress(EOFError):
        while True:
            pickle.dump(answer, answers)
            answers.flush()
            function, arguments = pickle.load(requests)  # noqa: S301 - from this program itself
            try:
                answer = function(*arguments), None
            except Exception as fault:
                answer = None, fault


class _Switch:
    """The limit that holds for the images of this process; None is none."""

    limited: Limited | None = None


LIMIT = _Switch()


@contextmanager
def image_timeout(seconds: float | None) -> Iterator[None]:
    """Within the block, an image that is not read within some seconds is one that cannot be read.

    Args:
        seconds: for reading and decoding each; None sets no limit.

    Raises:
        UsageError: if they are not above 0 and at most a day.
    """
    if seconds is None:
        yield
        return
    if math.isnan(seconds) or not 0 < seconds <= _LONGEST_S:
        raise UsageError(f"--timeout is {seconds:g}; give seconds above 0 and at most {_LONGEST_S}")
    before, LIMIT.limited = LIMIT.limited, Limited(seconds)
    try:
        yield
    finally:
        LIMIT.limited.close()
        LIMIT.limited = before
