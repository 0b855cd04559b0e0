"""Ctrl-C and SIGTERM end a stream of results, so that what is done is written to its end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Self, TypeVar

__all__ = ["Interrupts"]

Item = TypeVar("Item")


class Interrupts:
    """Within ``with``, both signals end the items of `until`; the second signal ends the program.

    Attributes:
        asked: whether there was a signal.
    """

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # no other may set handlers
            for kind in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(kind) != signal.SIG_IGN:  # as it is in the background of a shell
                    self._before[kind] = signal.signal(kind, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for kind, handler in self._before.items():
            signal.signal(kind, handler)

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
