"""Makes batches in several processes, since threads of one process block each other.

Each process receives the `BatchMaker` once, and then only numbers. It writes single images with their targets
into shared memory, from which the parent copies whole batches.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import SimpleQueue
from selectors import EVENT_READ, DefaultSelector
from threading import Condition, Thread
from typing import cast

from yolo_cli.training.yolo.data import Batch, BatchMaker
from yolo_cli.training.yolo.launch import Workers, launch
from yolo_cli.training.yolo.memory import Layout, allocate, attach
from yolo_cli.training.yolo.shared_images import SharedImages, images_layout

__all__ = ["BatchProcesses"]


@dataclass(slots=True)
class _Order:
    """A batch that is being made.

    Attributes:
        left: images without an answer.
        faults: what went wrong, by row.
    """

    left: int
    faults: dict[int, Exception] = field(default_factory=dict)


class BatchProcesses:
    """Makes the same batches as a `BatchMaker`, in other processes, until `close`.

    Args:
        maker: sent to each process.
        count: number of processes.

    Attributes:
        threads: number of threads to call `make` with, so that two batches are ahead and no process idles.

    Raises:
        OSError: if they cannot be started.
    """

    def __init__(self, maker: BatchMaker, count: int) -> None:
        rows = maker.batch // maker.part[1]
        self.threads = max(3, 1 + -(-2 * count // rows))
        self._maker, self._orders = maker, [_Order(0) for _ in range(self.threads)]
        self._changed = Condition()
        self._fault: Exception | None = None
        self._free: SimpleQueue[int] = SimpleQueue()
        for number in range(self.threads):
            self._free.put(number)
        layout = {name: (kind, (self.threads, rows, *shape)) for name, (kind, shape) in maker.layout.items()}
        self._workers = self._start(layout, count)
        self._listener = Thread(target=self._listen, name="answers", daemon=True)
        self._listener.start()

    def _start(self, layout: Layout, count: int) -> Workers:
        images, memories = self._maker.images, []
        try:
            memories.append(allocate(layout))
            memories.append(allocate(images_layout(images)))
            self._rows = attach(memories[0], layout)
            self._images = SharedImages(images, memories[1])
            return launch(count, (self._maker, layout), memories)
        finally:
            for memory in memories:
                os.close(memory)

    def make(self, epoch: int, step: int, mosaic_closed: bool) -> Batch:
        """One batch, as `BatchMaker.make`. Threads may ask at the same time.

        Raises:
            UserError: if a process was killed.
            Exception: whatever `BatchMaker.make` raises, in a process.
        """
        number = self._free.get()
        try:
            self._order(number, epoch, step, mosaic_closed)
            rows = {name: values[number].copy() for name, values in self._rows.items()}
        finally:
            self._free.put(number)
        return rows.pop("images"), rows

    def _order(self, number: int, epoch: int, step: int, mosaic_closed: bool) -> None:
        """Request all examples of one batch, and wait for them."""
        examples = self._maker.examples(epoch, step, mosaic_closed)
        order = self._orders[number] = _Order(len(examples))
        for row, example in enumerate(examples):
            self._workers.ask(number, row, example.epoch, example.place, example.mosaic_closed)
        with self._changed:
            self._changed.wait_for(lambda: self._fault or not order.left)
        if self._fault:
            raise self._fault
        if order.faults:
            raise order.faults[min(order.faults)]

    def _listen(self) -> None:
        """Receive answers until every process has ended."""
        with DefaultSelector() as selector:
            for connection in self._workers.processes:
                selector.register(connection, EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    connection = cast(Connection, key.fileobj)
                    try:
                        self._note(*connection.recv())
                    except (EOFError, OSError):
                        selector.unregister(connection)
                        self._fail(self._workers.fault(connection))

    def _note(self, number: int, row: int, written: list[int], fault: Exception | None) -> None:
        """Record an answer: one example is made or failed, and ``written`` images are in shared memory."""
        self._images.keep(written)
        order = self._orders[number]
        if fault:
            order.faults[row] = fault
        order.left -= 1
        if not order.left:
            with self._changed:
                self._changed.notify_all()

    def _fail(self, fault: Exception) -> None:
        """Let all waiting threads, and all later ones, raise the first fault."""
        with self._changed:
            self._fault = self._fault or fault
            self._changed.notify_all()

    def close(self) -> None:
        """End the processes; threads that wait for a batch get an error."""
        self._fail(RuntimeError("the processes that make batches are closed"))
        self._workers.close()
        self._listener.join()
