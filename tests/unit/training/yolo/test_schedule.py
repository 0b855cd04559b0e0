"""How the learning rate goes."""

from __future__ import annotations

import pytest

from yolo_cli.config import TrainConfig
from yolo_cli.errors import UsageError
from yolo_cli.training.yolo.schedule import Schedule


def schedule(epochs: int = 10, steps: int = 20, **options: object) -> Schedule:
    values = {"final_rate": 0.0, "warmup": 4, **options}
    return Schedule(TrainConfig(**values), 1.0, epochs, steps)


def test_the_cosine_by_hand() -> None:
    # At the middle of the run cos(π / 2) = 0: half the rate. At a third cos(π / 3) = 1/2: 3/4.
    s = schedule()
    assert s.learning_rate(0.5, 100) == pytest.approx(0.5)
    assert s.learning_rate(1 / 3, 100) == pytest.approx(0.75)
    assert s.learning_rate(1.0, 100) == pytest.approx(0.0)


def test_the_final_rate_is_a_fraction_of_the_peak() -> None:
    assert schedule(final_rate=0.1).learning_rate(1.0, 100) == pytest.approx(0.1)
    # In the middle halfway between the two: 0.1 + 0.9 / 2.
    assert schedule(final_rate=0.1).learning_rate(0.5, 100) == pytest.approx(0.55)


def test_a_run_too_short_for_a_warm_up_has_none() -> None:
    assert schedule(epochs=1, steps=5).learning_rate(0.0, 0) == 1.0  # a tenth of 5 steps is none


def test_warm_up_by_hand() -> None:
    # Four steps: a quarter, a half, three quarters, all of it.
    s = schedule()
    assert [s.learning_rate(0.0, n) for n in range(5)] == pytest.approx([0.25, 0.5, 0.75, 1, 1])


def test_warm_up_is_at_most_a_tenth_of_the_run() -> None:
    assert schedule(epochs=2, steps=10, warmup=100).warmup() == 2
    assert schedule(epochs=20, steps=10, warmup=100).warmup(50) == 5  # all that a time budget allows
    assert schedule(epochs=1, steps=99, warmup=100).warmup() == 9  # whole steps: 9.9 rounded down


def test_progress_counts_steps() -> None:
    assert schedule().progress(50, 1e9, None) == 0.25


def test_progress_counts_time_where_minutes_are_limited() -> None:
    s = schedule()
    assert s.progress(50, 6.0, 120.0) == 0.25  # 6 of 120 seconds are less than a quarter of the steps
    assert s.progress(50, 60.0, 120.0) == 0.5
    assert s.progress(50, 600.0, 120.0) == 1.0


def test_mosaic_closes_at_the_end() -> None:
    s = schedule(close_mosaic=0.2)
    assert [s.mosaic_closed(p) for p in (0.0, 0.79, 0.81, 1.0)] == [False, False, True, True]
    assert schedule(close_mosaic=0.25).mosaic_closed(0.75)  # the first step of the last quarter


@pytest.mark.parametrize(
    ("minutes", "step", "seconds", "epochs"),
    [
        (None, 50, 600.0, 10),  # no budget: all of them
        (10, 20, 6.0, 10),  # 10 epochs of 6 s are less than 600 s
        (2, 20, 24.0, 5),  # 120 s / 24 s an epoch
        (2, 30, 36.0, 5),  # the same speed in the middle of an epoch
        (2, 20, 26.0, 5),  # 4.6: the fifth is begun
        (2, 200, 119.0, 10),
        (2, 20, 120 / 5.000002, 6),  # a little more than 5: the sixth is begun
        (2, 20, 120 / 5.0000001, 5),  # less than a millionth is taken for an error of rounding
    ],
)
def test_epochs_that_fit(minutes: float | None, step: int, seconds: float, epochs: int) -> None:
    s = schedule()
    progress = s.progress(step, seconds, None if minutes is None else 60 * minutes)
    assert s.epochs_that_fit(step, progress) == epochs


@pytest.mark.parametrize(
    ("options", "name"),
    [({"epochs": 0}, "epochs"), ({"learning_rate": -1.0}, "learning_rate"), ({"ema": 2.0}, "ema"),
     ({"max_minutes": float("nan")}, "max_minutes")],
)  # fmt: skip
def test_values_out_of_range_are_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(UsageError, match=name):
        TrainConfig(**options)
