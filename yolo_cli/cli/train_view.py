"""What a person sees while a network is trained: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from threading import Timer
from typing import TYPE_CHECKING, Any

from yolo_cli.cli.terminal import say
from yolo_cli.names import printable
from yolo_cli.training import Plan, State, Step, Watcher
from yolo_cli.training.events import clock

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["LiveView", "PlainView", "SilentView", "choose_watcher"]

_IN_A_LOG_S = 30.0  # between two plain lines of steps
_LONG_S = 10.0  # until the first step


def choose_watcher(quiet: bool) -> PlainView:
    """The view that suits where stderr goes."""
    if quiet:
        return SilentView()
    return LiveView() if sys.stderr.isatty() else PlainView()


class PlainView(Watcher):
    """One line an epoch, and one now and then in long ones."""

    def __init__(self) -> None:
        self._told = time.monotonic()
        self._first_step = Timer(0, lambda: None)

    def __enter__(self) -> PlainView:
        """Nothing is opened."""
        return self

    def __exit__(self, *_: object) -> None:
        """Say nothing any more."""
        self._first_step.cancel()

    def start(self, plan: Plan) -> None:
        """The plan, and why nothing follows if the first step takes long."""
        self.say(str(plan))
        self._first_step = Timer(
            _LONG_S, self.say, ("compiling the network; only the first step takes long",)
        )
        self._first_step.daemon = True
        self._first_step.start()

    def say(self, text: str) -> None:
        """A line of its own."""
        say(text)

    def step(self, step: Step) -> None:
        """A line at the end of a part, unless figures follow, and now and then in long ones."""
        self._first_step.cancel()
        ended = step.done == step.total and not step.epoch_follows
        if ended or time.monotonic() - self._told >= _IN_A_LOG_S:
            self._told = time.monotonic()
            self.say(str(step))

    def epoch(self, state: State) -> None:
        """The figures of an epoch."""
        self._told = time.monotonic()
        self.say(str(state))


class SilentView(PlainView):
    """Prints nothing."""

    def say(self, text: str) -> None:
        """Print nothing."""


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
        super().__exit__()
        self._live.stop()

    def say(self, text: str) -> None:
        """A line above the table."""
        self._console.print(printable(text), markup=False, highlight=False)

    def step(self, step: Step) -> None:
        """Renew the table; what a part gave stays above it."""
        self._first_step.cancel()
        if step.done == step.total and not step.epoch_follows:
            self.say(str(step))
        self._live.update(_table(step, self._state))

    def epoch(self, state: State) -> None:
        """The figures of an epoch, above the table."""
        self._state = state
        super().epoch(state)


def _table(step: Step, state: State | None) -> Table:
    """The live view: what was measured, a line each."""
    from rich.progress_bar import ProgressBar

    rate, speed, memory = step.learning_rate, step.images_per_second, step.memory_mib
    left = step.seconds_left
    rows: dict[str, Any] = {
        "part": f"{step.part}, {step.done} of {step.total} {step.unit}",
        "losses": "   ".join(f"{name} {value:.3f}" for name, value in step.losses.items()),
        "learning rate": "" if rate is None else f"{rate:.2g}",
        "speed": "" if speed is None else f"{speed:.1f} images/s",
        "memory": "" if memory is None else f"{memory / 1024:.1f} GiB",
        "time left": "" if left is None else clock(left),
        "best so far": f"mAP50-95 {state.best:.3f}, epoch {state.best_epoch}"
        if state and state.best >= 0
        else "",
        "": ProgressBar(total=1.0, completed=step.progress, width=40),
    }
    return _two_columns({name: value for name, value in rows.items() if value})


def _two_columns(rows: dict[str, Any]) -> Table:
    """Names and values."""
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    for name, value in rows.items():
        table.add_row(name, value)
    return table
