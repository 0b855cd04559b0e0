"""Programs that tests start beside themselves."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ending", "heeding_signals"]


@contextmanager
def heeding_signals() -> Iterator[None]:
    """What is started in this block heeds Ctrl-C and the end of the terminal.

    In the background of a shell, or under nohup, the tests themselves ignore them, and what they start would
    inherit that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGHUP, hangup)


@contextmanager
def ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """What was started ends with this block, also when a test fails in it; or others would be told of it."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
