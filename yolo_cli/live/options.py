"""How live sources are followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from yolo_cli.errors import UsageError

__all__ = ["LiveOptions", "LivePolicy"]

LivePolicy = Literal["newest", "all"]


def _warn(text: str) -> None:
    """Tell whoever uses the Python API: on stderr, unless the program has set up logging."""
    import logging  # which nothing else in detection needs

    logging.getLogger("yolo_cli").warning(text)


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How cameras and streams are followed.

    Attributes:
        live: ``newest`` drops frames while the network is busy; ``all`` lets the source wait.
        stall: seconds without a frame after which a source has stalled.
        reconnect: maximum number of tries in a row to reach it again.
        camera_size: height and width to ask a camera for; None is its own.
        camera_rate: frames a second to ask a camera for; None is its own.
        tell: called with a line about what happens on the way: dropped frames, a lost connection.
        stopped: whether to end; asked ten times a second.

    Raises:
        UsageError: if a value is out of range.
    """

    live: LivePolicy = "newest"
    stall: float = 10.0
    reconnect: int = 5
    camera_size: tuple[int, int] | None = None
    camera_rate: float | None = None
    tell: Callable[[str], object] = _warn
    stopped: Callable[[], bool] = bool

    def __post_init__(self) -> None:
        if self.live not in ("newest", "all"):
            raise UsageError(f"--live is {self.live}, but must be newest or all")
        if not 0 < self.stall <= 3600:
            raise UsageError(f"--stall is {self.stall:g}, but must be above 0 and at most 3600 seconds")
        if not 0 <= self.reconnect <= 1000:
            raise UsageError(f"--reconnect is {self.reconnect}, but must be from 0 to 1000")
        if self.camera_size is not None and not all(16 <= side <= 20000 for side in self.camera_size):
            raise UsageError(f"--camera-size is {self.camera_size}, but sides must be 16 to 20000 pixels")
        if self.camera_rate is not None and not 0 < self.camera_rate <= 1000:
            raise UsageError(f"--camera-rate is {self.camera_rate:g}, but must be above 0 and at most 1000")
