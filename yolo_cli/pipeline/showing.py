"""Outcomes → a window."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence

import cv2

from yolo_cli.errors import UsageError
from yolo_cli.pipeline.outcome import Outcome
from yolo_cli.render import DrawStyle, draw

__all__ = ["check_display", "show_outcomes"]

_TITLE = "yolo (q ends)"
_ENDS = (ord("q"), 27)  # 27: Escape
_TRIAL = (sys.executable, "-c", f"import cv2; cv2.namedWindow({_TITLE!r}); cv2.waitKey(1)")


def check_display() -> None:
    """Open a window for a moment, in a program of its own, since without a display OpenCV ends the program.

    Raises:
        UsageError: if there is no window.
    """
    known = sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if not (known and _opens_a_window()):
        raise UsageError("--show: there is no display to open a window on; leave it out")


def _opens_a_window() -> bool:
    try:
        done = subprocess.run(_TRIAL, capture_output=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def show_outcomes(
    outcomes: Iterable[Outcome], class_names: Sequence[str], style: DrawStyle
) -> Iterator[Outcome]:
    """Pass outcomes on, and show each with its boxes; for the main thread.

    A frame is shown until the next is there, an image until a key is pressed. The key q, Escape and closing
    the window end the outcomes.
    """
    try:
        for outcome in outcomes:
            yield outcome
            if outcome.image is not None:
                drawn = draw(outcome.image, outcome.detections, class_names, style)
                cv2.imshow(_TITLE, cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
                key = cv2.waitKey(1 if outcome.image.frame else 0)
                if key in _ENDS or cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
                    break
        close = getattr(outcomes, "close", None)
        if close:
            close()
    finally:
        cv2.destroyAllWindows()
