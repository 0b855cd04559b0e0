"""Overlapping stages give the same as one after the other: order, faults, and an end."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.pipeline.test_running import Fake
from yolo_cli.errors import DataError
from yolo_cli.images import Image
from yolo_cli.pipeline import run_detector
from yolo_cli.pipeline.overlap import ahead, side_by_side
from yolo_cli.video import Frame


@given(st.lists(st.integers(), max_size=30), st.integers(1, 5))
def test_the_same_items_in_the_same_order(items, most):
    assert list(ahead(items, most)) == items


@given(st.integers(0, 5), st.integers(1, 4), st.sampled_from([ValueError, KeyboardInterrupt]))
def test_a_fault_comes_after_what_was_made_before(count, most, kind):
    def items():
        yield from range(count)
        raise kind

    seen = []
    with pytest.raises(kind):
        seen.extend(ahead(items(), most))
    # list.extend keeps what came before the fault
    assert seen == list(range(count))


def test_it_is_ahead_but_not_by_more_than_it_may():
    made = []

    def items():
        for number in range(9):
            made.append(number)
            yield number

    stream = ahead(items(), 3)
    assert made == []  # nothing before the first is wanted
    assert next(stream) == 0
    deadline = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert made == [0, 1, 2, 3]
    stream.close()


def test_when_it_is_closed_the_thread_ends_and_closes_its_source():
    closed, before = [], threading.active_count()

    def items():
        try:
            yield from iter(int, 1)  # zeros without end
        finally:
            closed.append(threading.current_thread().name)

    stream = ahead(ahead(items(), 2), 2)
    next(stream)
    stream.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
    assert len(closed) == 1
    assert closed[0] != threading.main_thread().name


def items(count, bad=()):
    """Images of different sizes, some of which cannot be read."""
    for number in range(count):
        image = Image(np.full((4 + number, 8, 3), number, np.uint8), f"{number}")
        yield Frame(f"{number}", None, "bad") if number in bad else Frame(f"{number}", image)


@given(st.integers(0, 9), st.integers(1, 4), st.sets(st.integers(0, 8)))
def test_a_detector_gives_the_same(count, batch, bad):
    def outcomes(overlap):
        detector = Fake()
        found = run_detector(detector, items(count, bad), batch=batch, read_ahead=overlap)
        found = list(ahead(found, batch + 1) if overlap else found)
        return detector.seen, [(it.name, it.error, it.detections.xyxy.tolist()) for it in found]

    assert outcomes(overlap=True) == outcomes(overlap=False)


def test_an_error_of_a_source_and_of_a_detector_reach_the_caller():
    def broken():
        yield from items(2)
        raise DataError("the source is gone")

    with pytest.raises(DataError, match="the source is gone"):
        list(run_detector(Fake(), broken(), read_ahead=True))
    outcomes = ahead(run_detector(Fake(stop_after=3), items(9), read_ahead=True), 2)
    seen = []
    with pytest.raises(KeyboardInterrupt):
        seen.extend(outcome.name for outcome in outcomes)
    assert seen == ["0", "1", "2"]


def test_memory_is_bounded():
    """With a slow caller, no more images are read than the queues hold."""
    read = []

    def counted():
        for item in items(99):
            read.append(item.name)
            yield item

    stream = ahead(run_detector(Fake(), counted(), read_ahead=True), 2)
    next(stream)
    time.sleep(0.2)
    assert len(read) <= 1 + 2 + 1 + 2  # taken; found; in the detector; read ahead
    stream.close()


@given(st.lists(st.integers(), max_size=20), st.integers(1, 3))
def test_work_side_by_side_gives_its_results_in_order(items, workers):
    assert list(side_by_side(lambda item: 2 * item, items, workers)) == [2 * item for item in items]


def test_work_side_by_side_is_that_and_no_more():
    """Two workers meet at a barrier, which one alone would never pass; at most two items wait beside them."""
    both, made = threading.Barrier(2, timeout=5), []

    def items():
        for number in range(8):
            made.append(number)
            yield number

    def work(number):
        both.wait()
        return number

    stream = side_by_side(work, items(), 2)
    assert [next(stream), next(stream)] == [0, 1]
    time.sleep(0.05)
    assert len(made) <= 4
    assert list(stream) == [2, 3, 4, 5, 6, 7]


def test_a_fault_of_work_side_by_side_comes_in_its_turn():
    seen = []
    with pytest.raises(ZeroDivisionError):
        seen.extend(side_by_side(lambda number: 1 // number, [1, 1, 0, 1], 2))
    assert seen == [1, 1]
