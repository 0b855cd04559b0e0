"""How far a run has come, by its steps or by its time budget, and what is still to come."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from yolo_cli.training.events import Pace, State
from yolo_cli.training.yolo.schedule import Schedule

__all__ = ["FORWARD_COST", "Ending", "Journey"]

FORWARD_COST = 0.35  # time to evaluate an image, as a fraction of the time to train on it
WRITING = 15.0  # seconds in which the model is written in both formats, with its page
MOST_RESERVED = 0.6  # of a time budget, so that a short one still trains


@dataclass(frozen=True, slots=True)
class Ending:
    """What a run does after its last step.

    Attributes:
        images: the number of images that are evaluated, some more than once.
        batch: images a step of training.
    """

    images: int = 0
    batch: int = 1


@dataclass(slots=True)
class Journey:
    """The mutable state of a run.

    Attributes:
        schedule: the plan.
        state: after the last complete epoch.
        started: start of this session, by `time.monotonic`, minus the seconds of earlier sessions.
        ending: what follows the last step.
        pace: of this session's steps.
        seconds_an_image: of evaluation; None before the first one.
    """

    schedule: Schedule
    state: State
    started: float
    ending: Ending = Ending()
    pace: Pace = field(default_factory=Pace)
    seconds_an_image: float | None = None

    @property
    def seconds(self) -> float:
        """Time of the run in seconds, over all sessions."""
        return time.monotonic() - self.started

    @property
    def limit(self) -> float | None:
        """The time budget in seconds, or None."""
        minutes = self.schedule.config.max_minutes
        return None if minutes is None else 60 * minutes

    @property
    def time_to_train(self) -> float | None:
        """The part of the time budget that is not needed after the last step, in seconds, or None."""
        if self.limit is None:
            return None
        return self.limit - min(self._time_for(self.ending.images) + WRITING, MOST_RESERVED * self.limit)

    def resume(self, state: State) -> None:
        """Go on from a state of an earlier session, if it is not that of a new run."""
        self.state, self.started = state, self.started - state.seconds

    def progress(self, step: int) -> float:
        """The progress in [0, 1] before ``step``, counted over all epochs, from 0."""
        return self.schedule.progress(step, self.seconds, self.time_to_train)

    def expected_steps(self, step: int) -> int:
        """The steps of the whole run, at its pace, after ``step`` of them: all, without a time budget."""
        total, time_to_train = self.schedule.total, self.time_to_train
        one = self.pace.seconds_for(1)
        if time_to_train is None or one is None:
            return total
        return min(total, step + max(0, round((time_to_train - self.seconds) / one)))

    def evaluated(self, seconds: float, images: int) -> None:
        """Take the speed of an evaluation for that of those to come."""
        self.seconds_an_image = seconds / max(1, images)

    def is_over_after(self, evaluation_seconds: float) -> bool:
        """Whether to stop after an evaluation, since another would take more time than there is to train."""
        return self.time_to_train is not None and self.time_to_train - self.seconds < evaluation_seconds

    def allows(self, images: int) -> bool:
        """Whether there is time to evaluate that number of images, and to write the model then."""
        return self.limit is None or self.seconds + self._time_for(images) + WRITING < self.limit

    def images_a_look(self, looks: int, after: int) -> float:
        """The images that each of some evaluations may have, so that there is time for the end.

        Args:
            looks: the number of evaluations.
            after: images that are evaluated after them, before the model is written.
        """
        one = self._time_for(1)
        if self.limit is None or not one:
            return math.inf
        left = self.limit - self.seconds - WRITING - self._time_for(after)
        return max(0.0, left / one / looks)

    def _time_for(self, images: int) -> float:
        """Estimate of the seconds to evaluate images; 0 before the second step of the run."""
        if self.seconds_an_image is not None:
            return images * self.seconds_an_image
        return images * FORWARD_COST * (self.pace.seconds_for(1) or 0.0) / self.ending.batch
