"""Watchers for tests."""

from __future__ import annotations

from yolo_cli.training import Plan, State, Step, Watcher

__all__ = ["CrashError", "Crashing", "Noting"]


class Noting(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.lines: list[str] = []
        self.steps: list[Step] = []
        self.states: list[State] = []

    def start(self, plan: Plan) -> None:
        self.plans.append(plan)

    def say(self, text: str) -> None:
        self.lines.append(text)

    def step(self, step: Step) -> None:
        self.steps.append(step)

    def epoch(self, state: State) -> None:
        self.states.append(state)


class CrashError(BaseException):
    """As sudden as a kill, as far as one process can tell."""


class Crashing(Noting):
    """Ends the run when so much of a part, such as "epoch 2 of 3", is done."""

    def __init__(self, part: str, done: int) -> None:
        super().__init__()
        self.when = (part, done)

    def step(self, step: Step) -> None:
        super().step(step)
        if (step.part, step.done) == self.when:
            raise CrashError
