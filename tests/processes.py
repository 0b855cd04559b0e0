"""Programs that tests start beside themselves."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["heeding_signals"]


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
