"""Run an iterator in a thread, ahead of the one that uses what it gives; work on several items at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TypeVar

__all__ = ["ahead", "side_by_side"]

Item = TypeVar("Item")
Made = TypeVar("Made")


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


def side_by_side(work: Callable[[Item], Made], items: Iterable[Item], workers: int) -> Iterator[Made]:
    """What ``work`` makes of each item, in the items' order, while threads work on the next ones.

    Errors are raised in their turn. If this generator is closed, what has begun is finished first.

    Args:
        work: called by several threads at a time.
        items: iterated over in a thread of its own.
        workers: the number of items that are worked on at a time; as many more wait, made or not.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        for begun in ahead((pool.submit(work, item) for item in items), workers):
            yield begun.result()
            del begun


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
