"""Watchers for tests."""

from __future__ import annotations

from typing import Any

__all__ = ["CrashError", "Crashing", "Noting"]


class Noting:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.plans: list[Any] = []
        self.lines: list[str] = []
        self.steps: list[Any] = []
        self.states: list[Any] = []

    def start(self, plan: Any) -> None:
        self.plans.append(plan)

    def say(self, text: str) -> None:
        self.lines.append(text)

    def step(self, step: Any) -> None:
        self.steps.append(step)

    def epoch(self, state: Any) -> None:
        self.states.append(state)


class CrashError(BaseException):
    """As sudden as a kill, as far as one process can tell."""


class Crashing(Noting):
    """Ends the run in a given step of a given epoch, both counted from 1."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__()
        self.when = (epoch, step)

    def step(self, step: Any) -> None:
        super().step(step)
        if (step.epoch, step.step) == self.when:
            raise CrashError
