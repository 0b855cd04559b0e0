"""How images are read: damaged ones, too, which are named at the end; with a time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from yolo_cli.cli.terminal import say

__all__ = ["accept_damaged_option", "timeout_option"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
_MOST = 20  # lines


def accept_damaged_option(command: Decorated) -> Decorated:
    """The option."""
    return click.option(
        "--accept-damaged",
        is_flag=True,
        expose_value=False,
        callback=lambda ctx, _, on: ctx.with_resource(_accepting(on)),
        help="Read damaged images, too, and name them.",
    )(command)


def timeout_option(command: Decorated) -> Decorated:
    """The option ``--timeout``."""
    return click.option(
        "--timeout",
        type=float,
        metavar="SECONDS",
        expose_value=False,
        callback=_limit,
        help="Seconds to read an image in.  [default: no limit]",
    )(command)


def _limit(ctx: click.Context, _: click.Parameter, seconds: float | None) -> None:
    if seconds is not None:
        from yolo_cli.time_limit import image_timeout

        ctx.with_resource(image_timeout(seconds))


@contextmanager
def _accepting(on: bool) -> Iterator[None]:
    if not on:
        yield
        return
    from yolo_cli.damage import accept_damaged

    with accept_damaged(on) as notes:
        yield
    for note in notes[:_MOST]:
        say(f"note: {note}")
    if len(notes) > _MOST:
        say(f"note: {len(notes) - _MOST} more images are damaged")
