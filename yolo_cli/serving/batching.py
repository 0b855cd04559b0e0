"""Micro-batches: images of different requests go through the network together.

An image waits for others at most a bounded time, and not at all if no other request is under way. While the
network runs, images gather for the next batch by themselves, so that a busy server has full batches and an
idle one has no delay (adaptive batching, as in Clipper, Crankshaw et al., 2017).

A batch takes at most half of the images that are there or may come, so that the other half is read, and the
previous one answered, while the network runs.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread

from yolo_cli.detectors import Detector
from yolo_cli.pipeline import Outcome, detect_batch

__all__ = ["Batcher"]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """An image that waits for the network."""

    detector: Detector
    outcome: Outcome
    done: Future[Outcome] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)

    def joins(self, first: _Waiting) -> bool:
        """Whether it can go into one batch with another: the same network and the same options."""
        return self.detector.card is first.detector.card and self.detector.config == first.detector.config


class Batcher:
    """One thread that runs detectors on the images that requests submit, in the order of their arrival.

    Args:
        batch: maximum number of images in a batch.
        max_delay: maximum seconds that an image waits for others.
        expected: number of requests that may submit an image soon.
        watch: called with the number of images and the seconds of each batch.
    """

    def __init__(
        self,
        batch: int,
        max_delay: float,
        expected: Callable[[], int] = lambda: 1,
        watch: Callable[[int, float], object] = lambda *_: None,
    ) -> None:
        self._batch, self._max_delay, self._expected, self._watch = batch, max_delay, expected, watch
        self._waiting: deque[_Waiting] = deque()
        self._changed, self._open = Condition(), True
        self._thread = Thread(target=self._work, name="yolo-serve", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Number of images that wait."""
        return len(self._waiting)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def submit(self, detector: Detector, outcome: Outcome) -> Future[Outcome]:
        """The outcome of an image that was read, with what the detector finds on it.

        Raises:
            RuntimeError: if the batcher is closed.
        """
        waiting = _Waiting(detector, outcome)
        with self._changed:
            if not self._open:
                raise RuntimeError("the server has stopped")
            self._waiting.append(waiting)
            self._changed.notify()
        return waiting.done

    def close(self) -> None:
        """Finish what was submitted, and end the thread."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while group := self._next_batch():
            start = time.perf_counter()
            try:
                outcomes = list(detect_batch(group[0].detector, [one.outcome for one in group]))
            except Exception as fault:  # a fault of ours or of the runtime; the next batch may be good
                for one in group:
                    one.done.set_exception(fault)
                continue
            self._watch(len(group), time.perf_counter() - start)
            for one, outcome in zip(group, outcomes, strict=True):
                one.done.set_result(outcome)
            del group, outcomes, one, outcome  # images are not held while the next are awaited

    def _next_batch(self) -> list[_Waiting]:
        """The oldest image, and others that can join it; nothing once all is done and the batcher closed."""
        with self._changed:
            while self._open and not self._waiting:
                self._changed.wait()
            if not self._waiting:
                return []
            until = self._waiting[0].since + self._max_delay
            while (left := until - time.monotonic()) > 0 and self._may_grow():
                self._changed.wait(left)
            group = self._oldest()
            for one in group:
                self._waiting.remove(one)
            return group

    def _oldest(self) -> list[_Waiting]:
        """The images of the next batch, as far as they are there."""
        first = self._waiting[0]
        return [one for one in self._waiting if one.joins(first)][: self._most()]

    def _most(self) -> int:
        """How many images the next batch may have."""
        half = (max(0, self._expected()) + len(self._waiting) + 1) // 2
        return min(self._batch, half)

    def _may_grow(self) -> bool:
        return self._open and self._expected() > 0 and len(self._oldest()) < self._most()
