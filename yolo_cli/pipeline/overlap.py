"""Run an iterator in a thread, ahead of the one that uses what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TypeVar

__all__ = ["ahead"]

Item = TypeVar("Item")


class _End:
    """The last thing in the queue: what ended the iterator, or None."""

    def __init__(self, fault: BaseException | None) -> None:
        self.fault = fault


def ahead(items: Iterable[Item], most: int) -> Iterator[Item]:
    """Pass items on in their order, while a thread makes the next ones.

    What the iterator raises is raised here, after the items before it. If this generator is closed, the
    thread ends after the item that it is at, and closes ``items``.

    Args:
        items: iterated over in the thread.
        most: the maximum number of items that are made and not yet taken, the one in the making included.
    """
    made: SimpleQueue[Item | _End] = SimpleQueue()
    free, stop = Semaphore(most), Event()
    thread = Thread(target=_make, args=(items, made.put, free, stop), daemon=True)
    thread.start()
    try:
        while True:
            item = made.get()
            if isinstance(item, _End):
                if item.fault is not None:
                    raise item.fault
                return
            free.release()
            yield item
            del item  # an image is not held while the next is awaited
    finally:
        stop.set()
        free.release()
        thread.join()


def _make(items: Iterable[Item], put: Callable[[Item | _End], None], free: Semaphore, stop: Event) -> None:
    """Put items into a queue until there are no more, or it is to stop."""
    fault = None
    try:
        source = iter(items)
        while free.acquire() and not stop.is_set():
            try:
                put(next(source))
            except StopIteration:
                break
        close = getattr(source, "close", None)
        if close:
            close()
    except BaseException as raised:  # KeyboardInterrupt, too: whoever takes the items is to get it
        fault = raised
    put(_End(fault))
