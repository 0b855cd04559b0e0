"""Makes batches ahead of time, in order: in threads, or in processes where threads are too slow."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count

from yolo_cli.errors import UserError
from yolo_cli.hardware import cores
from yolo_cli.training.yolo.data import Batch, BatchMaker
from yolo_cli.training.yolo.memory import can_share
from yolo_cli.training.yolo.processes import BatchProcesses

__all__ = ["Feed", "ahead", "choose_processes", "open_feed"]

THREADS = 2  # more threads only wait for each other
AHEAD = 4  # batches that are made while the network is busy with a step, or with an evaluation
MANY_IMAGES = 5000  # of a whole run; threads make them in about 20 s, and processes take 1 s to start


@dataclass(frozen=True, slots=True)
class Feed:
    """Makes batches.

    Attributes:
        make: epoch, step, whether mosaic is closed → batch, as `BatchMaker.make`.
        threads: the number of threads that should call ``make``.
    """

    make: Callable[[int, int, bool], Batch]
    threads: int


def choose_processes(workers: int | None, shown: int, *, gpu: bool) -> int:
    """The number of processes that make batches; 0 means threads.

    On a CPU a step takes so long that threads keep up. On a GPU, and if the run is long enough, there is one
    process per core, or the requested number. A single worker is always a thread.

    Args:
        workers: the requested number, or None.
        shown: number of images of the whole run, over all epochs.
        gpu: whether training runs on a GPU.
    """
    processes = workers or cores()
    able = can_share() and bool(sys.executable) and not hasattr(sys, "frozen")
    return processes if able and gpu and shown >= MANY_IMAGES and processes > 1 else 0


@contextmanager
def open_feed(maker: BatchMaker, workers: int | None, processes: int) -> Iterator[Feed]:
    """A feed of the batches of ``maker``; its processes end with the block.

    Args:
        maker: makes batches.
        workers: number of threads; None means two.
        processes: from `choose_processes`. If the system cannot start them, threads are used.

    Raises:
        UserError: if a batch could not be made. TensorFlow hides such an error in one of its own, from which
            it is recovered.
    """
    pool = _started(maker, processes) if processes else None
    faults: list[UserError] = []

    def make(epoch: int, step: int, mosaic_closed: bool) -> Batch:
        try:
            return (pool or maker).make(epoch, step, mosaic_closed)
        except UserError as fault:
            faults.append(fault)
            raise

    try:
        yield Feed(make, pool.threads if pool else workers or THREADS)
    except Exception as error:
        if faults and not isinstance(error, UserError):
            raise faults[0] from error
        raise
    finally:
        if pool:
            pool.close()


def _started(maker: BatchMaker, processes: int) -> BatchProcesses | None:
    with suppress(OSError):
        return BatchProcesses(maker, processes)
    return None


def ahead(make: Callable[[int], Batch | None], workers: int, start: int = 0) -> Iterator[Batch]:
    """``make(start)``, ``make(start + 1)`` … in this order, made ahead by threads, until one is None."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="images")
    waiting: deque[Future[Batch | None]] = deque()
    try:
        for number in count(start):
            waiting.append(pool.submit(make, number))
            if len(waiting) > max(AHEAD, workers):
                batch = waiting.popleft().result()
                if batch is None:
                    break
                yield batch
    finally:
        pool.shutdown(cancel_futures=True)
