"""Programs that tests start beside themselves."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["heeding_ctrl_c"]


@contextmanager
def heeding_ctrl_c() -> Iterator[None]:
    """What is started in this block heeds Ctrl-C.

    In the background of a shell the tests themselves ignore it, and what they start would inherit that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
