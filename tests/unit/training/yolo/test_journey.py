"""A time budget: what is kept for the end of a run, and all that follows from the steps it allows."""

from __future__ import annotations

import math
import time

import pytest

from tests.unit.training.watchers import Noting
from yolo_cli.config import TrainConfig
from yolo_cli.training import State
from yolo_cli.training.yolo.callbacks import StepCallback
from yolo_cli.training.yolo.choices import Phase
from yolo_cli.training.yolo.journey import WRITING, Ending, Journey
from yolo_cli.training.yolo.network import AVERAGING, RATE, STATISTICS
from yolo_cli.training.yolo.schedule import Schedule


class Clock:
    now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(time, "monotonic", lambda: Clock.now)
    Clock.now = 0.0
    return Clock()


def journey(minutes: float | None, ending: Ending | None = None) -> Journey:
    """Of 100 epochs of 12 steps."""
    config = TrainConfig(max_minutes=minutes, warmup=60, ema=0.1)
    return Journey(Schedule(config, 1e-3, 100, 12), State(), 0.0, ending or Ending())


def walk(run: Journey, steps: int, seconds: float = 2.0) -> None:
    """The first step takes 10 s."""
    for step in range(steps):
        Clock.now += seconds if step else 10.0
        run.pace.count()


def test_writing_belongs_to_the_budget(clock: Clock) -> None:
    assert journey(2.0).time_to_train == 120.0 - WRITING


def test_evaluating_belongs_to_the_budget(clock: Clock) -> None:
    # Steps of 8 images take 2 s, so evaluation of one takes 0.35 · 2 / 8 s, and of 200 of them 17.5 s.
    run = journey(2.0, Ending(200, 8))
    walk(run, 3)
    assert run.time_to_train == pytest.approx(120 - WRITING - 17.5)
    run.evaluated(20.0, 100)  # 0.2 s each, as measured: 40 s
    assert run.time_to_train == pytest.approx(120 - WRITING - 40)
    # Another 50 images take 10 s.
    for now, fits in ((120 - WRITING - 11, True), (120 - WRITING - 9, False)):
        Clock.now = now
        assert run.allows(50) is fits
    # 40 s are left: 10 s for 50 images at the end, and 6 s, or 30 images, for each of five looks before.
    Clock.now = 120 - WRITING - 40
    assert run.images_a_look(5, 50) == pytest.approx(30)
    Clock.now = 120
    assert run.images_a_look(5, 50) == 0


def test_no_epoch_begins_that_is_shorter_than_its_evaluation(clock: Clock) -> None:
    run = journey(2.0, Ending(200, 8))
    run.evaluated(20.0, 100)
    assert run.time_to_train == pytest.approx(120 - WRITING - 40)
    for now, over in ((44, False), (46, True), (119, True)):
        Clock.now = now
        assert run.is_over_after(20.0) is over
    assert not journey(None).is_over_after(20.0)


def test_a_part_of_every_budget_is_for_training(clock: Clock) -> None:
    assert journey(0.1).time_to_train == pytest.approx(0.4 * 6)


def test_steps_that_a_budget_allows(clock: Clock) -> None:
    # 85 s to train: 10 s for the first step, 2 s for each of the others: all in all 38 and a half.
    run = journey((85 + WRITING) / 60)
    assert run.expected_steps(0) == 1200  # nothing is known yet
    walk(run, 1)
    assert run.expected_steps(1) == 1200
    Clock.now += 2.0
    run.pace.count()
    assert run.expected_steps(2) == 2 + 36  # (85 - 12) / 2 = 36.5, which Python rounds to the even number


def test_all_steps_are_expected_without_a_budget(clock: Clock) -> None:
    run = journey(None)
    walk(run, 3)
    assert (run.time_to_train, run.expected_steps(3), run.progress(3)) == (None, 1200, 3 / 1200)
    assert run.allows(10**9)
    assert run.images_a_look(5, 10**9) == math.inf


def test_everything_follows_real_progress(clock: Clock) -> None:
    """Of 1,200 steps the budget allows 30: warm-up is 3 of them, and the averages' window too."""
    run = journey((10 + 29 * 2 + WRITING) / 60)
    callback = StepCallback(run, Noting(), Phase(0, 100, False))
    walk(run, 10)
    settings = callback.settings_of(10)
    assert run.expected_steps(10) == 30
    assert settings[AVERAGING] == pytest.approx(1 - 1 / 3)
    assert settings[STATISTICS] == pytest.approx(0.667)  # its time constant is a tenth of the run, too
    assert settings[RATE] == pytest.approx(
        run.schedule.learning_rate(run.progress(10), 100)
    )  # no warm-up left
    assert run.progress(10) == pytest.approx(28 / 68)


def test_the_second_phase_averages_over_its_own_steps(clock: Clock) -> None:
    # Layers were frozen in the first epoch, so of 42 steps 30 are left, and a tenth of these are 3.
    run = journey((10 + 41 * 2 + WRITING) / 60)
    callback = StepCallback(run, Noting(), Phase(1, 100, False))
    walk(run, 20)
    assert callback.settings_of(20)[AVERAGING] == pytest.approx(1 - 1 / 3)


def test_without_a_budget_only_the_rate_changes(clock: Clock) -> None:
    assert set(StepCallback(journey(None), Noting(), Phase(0, 100, False)).settings_of(5)) == {RATE}


def state(epoch: int, best_epoch: int, *, evaluated: bool) -> State:
    return State(epoch, best_epoch=best_epoch, history=({"evaluation_seconds": 1.0} if evaluated else {},))


@pytest.mark.parametrize(
    ("epoch", "best", "evaluated", "stale"),
    [
        (2, 0, False, False),  # nothing was evaluated yet
        (6, 6, True, False),  # the first evaluation
        (8, 6, False, False),  # no figure says that it got worse
        (9, 6, True, True),
        (7, 6, True, False),
    ],
)
def test_patience_counts_from_an_evaluation_to_another(
    epoch: int, best: int, evaluated: bool, stale: bool
) -> None:
    assert state(epoch, best, evaluated=evaluated).stale(2) is stale
    assert not state(epoch, best, evaluated=evaluated).stale(0)
