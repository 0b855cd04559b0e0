"""What, how far, how fast, how long still: on stderr, and never in the way of data."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from yolo_cli.cli.terminal import CLEAR_LINE, echo, say, tell

__all__ = ["echo_model", "echo_result", "track", "watched"]

Item = TypeVar("Item")

_ON_TERMINAL_S = 0.1  # a line that renews itself
_IN_A_LOG_S = 10.0  # plain lines


class Printable(Protocol):
    """What a verb of the API returns."""

    def to_json(self) -> str: ...
    def to_text(self) -> str: ...


def echo_result(result: Printable, output_format: str) -> None:
    """A result on stdout, as JSON or as text."""
    echo(result.to_json() + "\n" if output_format == "json" else result.to_text(), end="")


def echo_model(keras: Path | None, onnx: Path | None, *more: Path) -> None:
    """The files of a model, a line each, on stdout; and how to make the ONNX file, if there is none."""
    for file in (keras, onnx, *more):
        if file is not None:
            echo(file)
    if onnx is None:
        from yolo_cli.weights.save import missing_for_onnx

        packages, export = " ".join(missing_for_onnx()), f"yolo weights export {shlex.quote(str(keras))}"
        say(f"no .onnx file yet: pip install {packages}, and then {export}; detection runs the .keras file")


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Pass items on, and tell the progress between them.

    Args:
        items: any number of things to come.
        total: how many.
        what: their name in the plural, such as "images".
    """
    terminal = sys.stderr.isatty()
    pause = _ON_TERMINAL_S if terminal else _IN_A_LOG_S
    start = told = time.monotonic()
    for done, item in enumerate(items, start=1):
        now = time.monotonic()
        if now - told >= pause:
            told = now
            line = _line(done, total, what, now - start)
            tell(f"{CLEAR_LINE}{line}" if terminal else f"{line}\n")
        yield item
    if terminal and told > start:
        tell(CLEAR_LINE)


def watched(quiet: bool, what: str, items: Iterable[Item], total: int) -> Iterable[Item]:
    """`track` in the order in which `functools.partial` gives the API its ``watch``."""
    return items if quiet else track(items, total, what)


def _line(done: int, total: int, what: str, seconds: float) -> str:
    """The progress in words.

    >>> _line(30, 120, "images", 15)
    '30 of 120 images, 2.0 a second, 45 s left'
    """
    left = max(round(seconds / done * (total - done)), 0)  # the header of a video may promise too little
    clock = f"{left} s" if left < 120 else f"{left // 60} min"
    return f"{done} of {total} {what}, {done / seconds:.1f} a second, {clock} left"
