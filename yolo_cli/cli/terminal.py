"""The only way to a person or a pipe: what goes to a terminal is escaped, what goes to a pipe is exact."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import click

from yolo_cli.errors import UserError
from yolo_cli.names import printable

__all__ = ["CLEAR_LINE", "complain", "complain_of_left_out", "echo", "say", "shown", "tell", "unless"]

CLEAR_LINE = "\r\x1b[K"
_LINES = 10


def shown(text: str) -> str:
    """Text as stdout shows it: on a terminal, no name can command it."""
    return printable(text) if sys.stdout.isatty() else text


def echo(text: object, *, end: str = "\n", painted: bool = False) -> None:
    """Write data to stdout.

    Args:
        text: what to write.
        end: written after it.
        painted: it has colours of ours, and `shown` has seen all that came from outside.
    """
    click.echo(f"{text if painted else shown(str(text))}{end}", nl=False)


def say(text: str) -> None:
    """Write one line to stderr, below no half-written progress line."""
    terminal = sys.stderr.isatty()
    line = " ".join(text.split())  # a file name may hold a line break
    tell(f"{CLEAR_LINE}{printable(line)}\n" if terminal else f"{line}\n")


def unless(quiet: bool) -> Callable[[str], object]:
    """`say`, or what says nothing."""
    return (lambda _: None) if quiet else say


def complain(fault: UserError) -> None:
    """Say an error that does not end the command."""
    say(f"error: {fault.text}")


def complain_of_left_out(lines: Sequence[str]) -> None:
    """Say what was left out, the first of it line by line."""
    for line in lines[:_LINES]:
        say(f"error: left out: {line}")
    if len(lines) > _LINES:
        say(f"error: left out: {len(lines) - _LINES} more; --format json lists all")


def tell(text: str) -> None:
    """Write to stderr, if that is possible: a message that nobody can read ends no work."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()
