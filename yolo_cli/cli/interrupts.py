"""Ctrl-C, SIGTERM and SIGHUP end a stream of results, so that what is done is written to its end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

__all__ = ["Interrupts", "interruptible"]

Item = TypeVar("Item")

# What ends a program: Ctrl-C, `kill`, and a terminal that is closed. Windows has no SIGHUP.
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside the block, SIGTERM and SIGHUP do what Ctrl-C does, unless they are ignored (`nohup`)."""
    with _handling(lambda *_: signal.default_int_handler(signal.SIGINT, None)):
        yield


@contextmanager
def _handling(handler: Callable[..., Any]) -> Iterator[None]:
    """Handle what ends a program inside the block."""
    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        for kind in _ENDING:
            if signal.getsignal(kind) != signal.SIG_IGN:  # as it is in the background of a shell
                before[kind] = signal.signal(kind, handler)
    try:
        yield
    finally:
        for kind, old in before.items():
            signal.signal(kind, old)


class Interrupts:
    """Within ``with``, these signals end the items of `until`; the second signal ends the program.

    Attributes:
        asked: whether there was a signal.
    """

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False
        self._handling = _handling(self._handle)

    def __enter__(self) -> Self:
        self._handling.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._handling.__exit__(None, None, None)

    def _handle(self, *_: object) -> None:
        """Interrupt the wait for an item at once, but not the writing of what it became."""
        again, self.asked = self.asked, True
        if self._waiting or again:
            raise KeyboardInterrupt

    def until(self, items: Iterable[Item]) -> Iterator[Item]:
        """Pass items on until there is a signal."""
        source = iter(items)
        while not self.asked:
            self._waiting = True
            try:
                item = next(source)
            except StopIteration:
                return
            except KeyboardInterrupt:
                self.asked = True
                return
            finally:
                self._waiting = False
            yield item
        close = getattr(source, "close", None)
        if close:  # so that a video is finished
            close()
