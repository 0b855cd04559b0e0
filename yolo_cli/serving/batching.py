"""Micro-batches: images of different requests go through the network together.

An image waits for others at most a bounded time, and not at all if no other request is under way. While the
network runs, images gather for the next batch by themselves, so that a busy server has full batches and an
idle one has no delay (adaptive batching, as in Clipper, Crankshaw et al., 2017).

A batch takes at most half of the images that are there or may come, so that the other half is read, and the
previous one answered, while the network runs.

On a processor with several cores there are no batches: as many images as it has cores go through the network
at a time, each on its own, which is faster (see `StreamedEngine`). One that is alone has all cores.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread

from yolo_cli.detectors import Detector
from yolo_cli.pipeline import Outcome, Parallel, Timed, detect_batch

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
    """Threads that run detectors on the images that requests submit, in the order of their arrival.

    Args:
        batch: maximum number of images in a batch; 1 if there are several workers.
        max_delay: maximum seconds that an image waits for others.
        expected: number of requests that may submit an image soon.
        watch: called with the number of images and the seconds of each batch.
        workers: how many threads; with more than one, detectors must be `Parallel`.
    """

    def __init__(
        self,
        batch: int,
        max_delay: float,
        expected: Callable[[], int] = lambda: 1,
        watch: Callable[[int, float], object] = lambda *_: None,
        workers: int = 1,
    ) -> None:
        self._batch = batch if workers == 1 else 1
        self._max_delay, self._expected, self._watch = max_delay, expected, watch
        self._waiting: deque[_Waiting] = deque()
        self._changed, self._open, self._running = Condition(), True, 0
        self._threads = [Thread(target=self._work, name="yolo-serve", daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        """Number of images that wait."""
        return len(self._waiting)

    @property
    def alive(self) -> bool:
        """Whether its threads run."""
        return all(thread.is_alive() for thread in self._threads)

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
        """Finish what was submitted, and end the threads."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while group := self._next_batch():
            self._run(group)
            del group  # images are not held while the next are awaited

    def _run(self, group: list[_Waiting]) -> None:
        """Detect objects on a batch, and tell those who wait."""
        start = time.perf_counter()
        try:
            outcomes = self._detect(group)
        except Exception as fault:  # a fault of ours or of the runtime; the next batch may be good
            for one in group:
                one.done.set_exception(fault)
            return
        self._watch(len(group), time.perf_counter() - start)
        for one, outcome in zip(group, outcomes, strict=True):
            one.done.set_result(outcome)

    def _detect(self, group: list[_Waiting]) -> list[Outcome]:
        """The outcomes of a batch."""
        try:
            detector, at_a_time = self._suited(group[0].detector)
            return list(detect_batch(detector, [one.outcome for one in group], at_a_time))
        finally:
            with self._changed:
                self._running -= 1

    def _suited(self, detector: Detector) -> tuple[Timed, int]:
        """A detector for all cores if nothing else is to be done, else for one of several runs at a time."""
        alone = self._running == 1 and not self._waiting
        if len(self._threads) > 1 and not alone and isinstance(detector, Parallel):
            return detector.in_streams()
        return detector, 1

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
            self._running += 1
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
