"""What a person sees while a network learns: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from yolo_cli.cli.progress import say

if TYPE_CHECKING:
    from rich.table import Table

    from yolo_cli.checkpoint import State
    from yolo_cli.region_training.run import Stage
    from yolo_cli.training.callbacks import Plan, Step

__all__ = ["LiveView", "PlainView", "SilentView", "choose_watcher", "clock"]

_IN_A_LOG_S = 30.0  # between two plain lines of steps


def choose_watcher(quiet: bool) -> PlainView:
    """The view that suits where stderr goes."""
    if quiet:
        return SilentView()
    return LiveView() if sys.stderr.isatty() else PlainView()


class PlainView:
    """One line an epoch, and one now and then in long ones."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __enter__(self) -> PlainView:
        """Nothing is opened."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is closed."""

    def start(self, plan: Plan) -> None:
        """What is about to be done."""
        self.say(plan_line(plan))

    def say(self, text: str) -> None:
        """A line of its own."""
        say(text)

    def step(self, step: Step) -> None:
        """A line, if the last one is long ago."""
        if time.monotonic() - self._told >= _IN_A_LOG_S:
            self._told = time.monotonic()
            self.say(step_line(step))

    def epoch(self, state: State) -> None:
        """The figures of an epoch."""
        self._told = time.monotonic()
        self.say(epoch_line(state))

    def stage(self, stage: Stage) -> None:
        """A line at the end of a part of a region detector's run, and now and then in long ones."""
        if stage.done == stage.total or time.monotonic() - self._told >= _IN_A_LOG_S:
            self._told = time.monotonic()
            self.say(stage_line(stage))


class SilentView(PlainView):
    """Says nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""


class LiveView(PlainView):
    """A table that renews itself; what an epoch gave stays above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__()
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._state: State | None = None

    def __enter__(self) -> LiveView:
        """Take the lower part of the terminal."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._live.stop()

    def say(self, text: str) -> None:
        """A line above the table."""
        self._console.print(text, markup=False, highlight=False)

    def step(self, step: Step) -> None:
        """Renew the table."""
        self._live.update(_table(step, self._state))

    def epoch(self, state: State) -> None:
        """The figures of an epoch, above the table."""
        self._state = state
        super().epoch(state)

    def stage(self, stage: Stage) -> None:
        """Renew the bar; what a part gave stays above it."""
        if stage.done == stage.total:
            self.say(stage_line(stage))
        self._live.update(_stage_table(stage))


def plan_line(plan: Plan) -> str:
    """What is about to be done, in words."""
    names = ", ".join(plan.class_names[:6]) + (", …" if len(plan.class_names) > 6 else "")
    height, width = plan.size
    return (
        f"{plan.origin}: {len(plan.class_names)} classes ({names}), {plan.images} images to learn from, "
        f"{plan.judged} to validate on; {plan.epochs} epochs at {height}x{width} (height x width), "
        f"{plan.batch} images a step, {plan.precision}"
    )


def step_line(step: Step) -> str:
    """How far an epoch is, in words."""
    losses = ", ".join(f"{name} {value:.3f}" for name, value in step.losses.items())
    return (
        f"epoch {step.epoch} of {step.epochs}, step {step.step} of {step.steps}: {losses}, "
        f"{step.speed:.1f} images a second, {step.memory / 1024:.1f} GiB, {clock(step.seconds_left)} left"
    )


def epoch_line(state: State) -> str:
    """What an epoch gave, in words."""
    row = state.history[-1]
    line = f"epoch {state.epoch}: loss {row['loss']:.3f}, {row['images_per_second']:.1f} images a second"
    if "map50_95" in row:
        best = (
            " (best)"
            if state.best_epoch == state.epoch
            else f" (best {state.best:.3f}, epoch {state.best_epoch})"
        )
        line += f", mAP50 {row['map50']:.3f}, mAP50-95 {row['map50_95']:.3f}{best}"
    return line


def stage_line(stage: Stage) -> str:
    """How far a part of a region detector's run is, in words."""
    loss = "" if stage.loss is None else f"loss {stage.loss:.3f}, "
    count = f"{stage.done} of {stage.total} {stage.unit}"
    return f"{stage.name}: {count}, {loss}{clock(stage.seconds_left)} left"


def clock(seconds: float) -> str:
    """A time in words.

    >>> clock(75), clock(600), clock(9000)
    ('75 s', '10 min', '2 h 30 min')
    """
    if seconds < 120:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _table(step: Step, state: State | None) -> Table:
    """The live view."""
    from rich.progress_bar import ProgressBar

    rows: dict[str, Any] = {
        "epoch": f"{step.epoch} of {step.epochs}, step {step.step} of {step.steps}",
        "losses": "   ".join(f"{name} {value:.3f}" for name, value in step.losses.items()),
        "learning rate": f"{step.learning_rate:.2g}",
        "speed": f"{step.speed:.1f} images a second",
        "memory": f"{step.memory / 1024:.1f} GiB",
        "time left": clock(step.seconds_left),
        "best so far": f"mAP50-95 {state.best:.3f}, epoch {state.best_epoch}"
        if state and state.best >= 0
        else "-",
        "": ProgressBar(total=1.0, completed=step.progress, width=40),
    }
    return _two_columns(rows)


def _stage_table(stage: Stage) -> Table:
    """The live view of a region detector's training."""
    from rich.progress_bar import ProgressBar

    rows: dict[str, Any] = {
        "doing": f"{stage.name}, {stage.done} of {stage.total} {stage.unit}",
        "loss": "-" if stage.loss is None else f"{stage.loss:.3f}",
        "time left": clock(stage.seconds_left),
        "": ProgressBar(total=float(stage.total), completed=float(stage.done), width=40),
    }
    return _two_columns(rows)


def _two_columns(rows: dict[str, Any]) -> Table:
    """Names and what they stand for."""
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    for name, value in rows.items():
        table.add_row(name, value)
    return table
