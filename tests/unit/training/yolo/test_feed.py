"""Feeds: the same batches in the same order, whoever makes them, and nothing is left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.training_sets import write_shapes
from tests.unit.training.yolo.test_data import maker, same
from yolo_cli.config import AugmentConfig
from yolo_cli.errors import DataError
from yolo_cli.hardware import cores
from yolo_cli.training.yolo import feed as feeding
from yolo_cli.training.yolo.data import Batch
from yolo_cli.training.yolo.feed import ahead, choose_processes, open_feed

EVERYTHING = AugmentConfig(mosaic=0.5, mixup=0.3)


def steps(make: Callable[[int, int, bool], Batch], count: int = 7) -> Callable[[int], Batch | None]:
    """Steps of three batches an epoch; mosaic is closed in the last epoch."""
    return lambda number: make(*divmod(number, 3), number >= 6) if number < count else None


@pytest.mark.parametrize("processes", [0, 1, 2, 3])
def test_batches_are_the_same_whoever_makes_them(tmp_path: Path, processes: int) -> None:
    made = maker(write_shapes(tmp_path), EVERYTHING)
    with open_feed(made, None, processes) as feed:
        found = list(ahead(steps(feed.make), feed.threads, start=1))
    wanted = [steps(made.make)(number) for number in range(1, 7)]
    assert len(found) == 6
    assert all(same(one, other) for one, other in zip(found, wanted, strict=True))
    kinds = [{key: values.dtype for key, values in batch[1].items()} for batch in (found[0], wanted[0])]
    assert kinds[0] == kinds[1]


def test_batches_stay_as_they_are_when_later_ones_are_made(tmp_path: Path) -> None:
    made = maker(write_shapes(tmp_path), EVERYTHING)
    with open_feed(made, None, 1) as feed:
        first = feed.make(0, 0, False)
        for number in range(2 * feed.threads):
            feed.make(1, number % 3, False)
    assert same(first, made.make(0, 0, False))


@pytest.mark.parametrize("processes", [0, 2])
def test_a_missing_image_is_named_and_the_next_batch_is_made(tmp_path: Path, processes: int) -> None:
    made = maker(write_shapes(tmp_path), batch=2)
    gone = made.examples(0, 1, True)  # places 2 and 3
    names = [order_of(made, 0)[example.place] for example in gone]
    for index in names:
        (tmp_path / "images" / "train" / f"train{index}.png").unlink()
    with open_feed(made, None, processes) as feed:
        with pytest.raises(DataError, match=rf"images/train/train{names[0]}.png: no such file"):
            feed.make(0, 1, True)
        assert same(feed.make(0, 0, True), made.make(0, 0, True))


def order_of(made, epoch: int) -> list[int]:
    return np.random.default_rng((made.seed, epoch)).permutation(len(made.images)).tolist()


@pytest.mark.parametrize("processes", [0, 1])
def test_what_a_framework_makes_of_a_fault_is_not_what_the_user_sees(tmp_path: Path, processes: int) -> None:
    """TensorFlow reads batches in a thread of its own, and raises InvalidArgumentError with a traceback."""
    made = maker(write_shapes(tmp_path))
    for path in (tmp_path / "images" / "train").iterdir():
        path.unlink()

    def fit() -> None:
        with open_feed(made, None, processes) as feed:
            try:
                feed.make(0, 0, True)
            except DataError as fault:
                raise ValueError(f"INVALID_ARGUMENT: {fault}\nTraceback ...") from None

    with pytest.raises(DataError, match="no such file"):
        fit()


def test_other_errors_pass_through_a_feed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_feed(maker(write_shapes(tmp_path)), None, 0):
        raise ZeroDivisionError


def test_threads_take_over_where_processes_cannot_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(feeding, "BatchProcesses", refuse)
    made = maker(write_shapes(tmp_path))
    with open_feed(made, 3, 2) as feed:
        assert feed.threads == 3
        assert same(feed.make(0, 0, False), made.make(0, 0, False))


@pytest.mark.parametrize(
    ("workers", "shown", "gpu", "processes"),
    [
        (4, 5000, True, 4),
        (4, 4999, True, 0),  # a short run
        (4, 10**6, False, 0),  # the processor needs its time for the network
        (1, 10**6, True, 0),  # one worker is a thread
        (None, 10**6, True, 6),  # as many as cores
    ],
)
def test_processes_are_chosen_where_a_gpu_trains_long(
    workers: int | None, shown: int, gpu: bool, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "cores", lambda: 6)
    assert choose_processes(workers, shown, gpu=gpu) == processes
    monkeypatch.setattr(feeding, "can_share", lambda: False)  # a system without unnamed memory
    assert choose_processes(workers, shown, gpu=gpu) == 0


def test_cores_are_those_of_the_affinity_and_of_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 5, 6}, raising=False)
    quota = tmp_path / "cpu.max"
    assert cores(quota) == 4
    for text, wanted in (("max 100000\n", 4), ("150000 100000\n", 2), ("800000 100000\n", 4), ("9 100\n", 1)):
        quota.write_text(text)
        assert cores(quota) == wanted


def test_ahead_keeps_the_order_whatever_the_threads_do() -> None:
    def make(number: int):
        time.sleep(0.002 * (number % 3))
        return None if number == 20 else (np.array([number]), {})

    assert [int(batch[0][0]) for batch in ahead(make, 4, start=5)] == list(range(5, 20))


def test_ahead_hands_a_fault_on_and_leaves_no_thread() -> None:
    def make(number: int):
        if number == 3:
            raise OSError("the disk is gone")
        return np.array([number]), {}

    before = threading.active_count()
    with pytest.raises(OSError, match="the disk is gone"):
        list(ahead(make, 2))
    assert threading.active_count() == before


def test_ahead_that_is_left_early_makes_nothing_more() -> None:
    made: list[int] = []

    def make(number: int):
        made.append(number)
        return np.array([number]), {}

    batches = ahead(make, 1)
    next(batches)
    batches.close()
    count = len(made)
    time.sleep(0.05)
    assert len(made) == count <= 3
