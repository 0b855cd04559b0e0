"""Images of different requests form batches: bounded in size and delay, in order, none lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import wait
from dataclasses import replace

import numpy as np
import pytest

from tests.serving import SECONDS, Counting, until
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.images import Image
from yolo_cli.pipeline import Outcome
from yolo_cli.serving.batching import Batcher


def read(name: str = "a", width: int = 8) -> Outcome:
    return Outcome(name, Detections(), image=Image(np.zeros((6, width, 3), np.uint8), name))


def test_what_gathers_while_the_network_runs_is_one_batch() -> None:
    """The first image runs alone; the 5 that come meanwhile form batches of at most 3: 1, 3, 2."""
    gate, detector = threading.Event(), Counting()
    detector.gate = gate
    batcher = Batcher(3, 0.0)
    first = batcher.submit(detector, read())
    until(lambda: len(batcher) == 0)
    others = [batcher.submit(detector, read(str(width), width)) for width in range(1, 6)]
    gate.set()
    batcher.close()
    assert detector.batches == [1, 3, 2]
    assert first.result().detections.xyxy.tolist() == [[0, 0, 8, 6]]
    assert [one.result().detections.xyxy[0, 2] for one in others] == [1, 2, 3, 4, 5]
    assert [one.result().name for one in others] == ["1", "2", "3", "4", "5"]


def test_an_image_waits_for_others_only_as_long_as_it_may() -> None:
    batcher = Batcher(2, 0.2, expected=lambda: 3)
    start = time.monotonic()
    batcher.submit(Counting(), read()).result(SECONDS)
    alone = time.monotonic() - start
    start = time.monotonic()
    wait([batcher.submit(detector, read()) for detector in [Counting()] * 2], SECONDS)
    both = time.monotonic() - start
    batcher.close()
    assert 0.19 <= alone < 1
    assert both < 0.19  # the batch is full


def test_nobody_waits_when_nobody_else_is_coming() -> None:
    batcher = Batcher(2, 10.0, expected=lambda: 0)
    batcher.submit(Counting(), read()).result(5)
    batcher.close()


def test_a_batch_takes_half_of_what_is_under_way() -> None:
    """One waits and one may come: half of two is one, so it does not wait. Of 4 and 2 more, 3 go."""
    gate, detector, coming = threading.Event(), Counting(), [1]
    batcher = Batcher(8, 10.0, expected=lambda: coming[0])
    batcher.submit(detector, read()).result(5)
    detector.gate = gate
    batcher.submit(detector, read())
    until(lambda: len(batcher) == 0)
    coming[0] = 2
    done = [batcher.submit(detector, read()) for _ in range(4)]
    gate.set()
    done[2].result(5)
    batcher.close()
    assert detector.batches == [1, 1, 3, 1]


@pytest.mark.parametrize("change", ["options", "model"])
def test_other_options_and_other_models_are_other_batches(change: str) -> None:
    """a b a: the two a join, as b waited less long than the first of them."""
    gate, one = threading.Event(), Counting()
    one.gate = gate
    other = replace(one, config=DetectConfig(conf=0.5)) if change == "options" else Counting(gate=gate)
    batcher = Batcher(8, 0.0)
    batcher.submit(one, read())
    until(lambda: len(batcher) == 0)
    done = [batcher.submit(detector, read()) for detector in (one, other, one)]
    gate.set()
    wait(done, SECONDS)
    batcher.close()
    assert sorted(one.batches + (other.batches if other.batches is not one.batches else [])) == [1, 1, 2]


def test_a_fault_reaches_those_who_wait_and_nobody_else() -> None:
    class Faulty(Counting):
        def detect_timed(self, images: object) -> object:
            raise MemoryError("no memory for the batch")

    batcher = Batcher(2, 0.0)
    with pytest.raises(MemoryError):
        batcher.submit(Faulty(), read()).result(SECONDS)
    assert len(batcher.submit(Counting(), read()).result(SECONDS).detections) == 1
    batcher.close()


def test_closing_finishes_what_was_submitted() -> None:
    batcher = Batcher(2, 5.0)
    waits = [batcher.submit(Counting(seconds=0.01), read()) for _ in range(7)]
    batcher.close()
    assert all(one.done() for one in waits)
    assert not batcher.alive
    with pytest.raises(RuntimeError, match="stopped"):
        batcher.submit(Counting(), read())


def test_watching_counts_each_batch() -> None:
    seen: list[int] = []
    batcher = Batcher(4, 0.0, watch=lambda images, seconds: seen.append(images))
    for _ in range(3):
        batcher.submit(Counting(), read()).result(SECONDS)
    batcher.close()
    assert sum(seen) == 3


class Parallel(Counting):
    """Notes how many of its calls in streams are under way; its calls for all cores are in ``batches``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.streamed = Counting(gate=threading.Event())

    def in_streams(self) -> tuple[Counting, int]:
        return self.streamed, 2


def test_several_images_are_in_the_network_at_a_time_each_on_its_own() -> None:
    """The first has all cores, as it is alone. Of the five that come meanwhile, two run at a time."""
    detector = Parallel(gate=threading.Event())
    batcher = Batcher(3, 10.0, expected=lambda: 9, workers=2)
    first = batcher.submit(detector, read())
    until(lambda: len(batcher) == 0)
    others = [batcher.submit(detector, read(str(width), width)) for width in range(1, 6)]
    until(lambda: len(batcher) == 4)  # one of them has begun beside the first
    detector.gate.set()
    assert first.result(SECONDS).name == "a"
    until(lambda: len(batcher) == 3)  # and another, once the first was done
    detector.streamed.gate.set()
    batcher.close()
    assert (detector.batches, detector.streamed.batches) == ([1], [1] * 5)
    assert [one.result().name for one in others] == ["1", "2", "3", "4", "5"]
    assert [one.result().time_ms["infer"] for one in (first, others[0])] == [1.0, 0.5]


def test_an_image_that_is_alone_has_all_cores() -> None:
    detector = Parallel()
    batcher = Batcher(1, 0.0, workers=2)
    for _ in range(3):
        batcher.submit(detector, read()).result(SECONDS)
    batcher.close()
    assert (detector.batches, detector.streamed.batches) == ([1, 1, 1], [])
