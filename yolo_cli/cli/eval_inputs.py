"""What `eval` shares with others: the data, renamed classes, sigmas, and what is told of the images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from yolo_cli.cli.progress import track
from yolo_cli.cli.terminal import say
from yolo_cli.errors import UsageError

if TYPE_CHECKING:
    from yolo_cli.pipeline import Outcome
    from yolo_cli.pipeline.evaluating import EvaluationData

__all__ = ["Telling", "open_data", "renamings", "sigmas_option"]


def open_data(path: str, split: str | None, *, image_files: bool = True) -> EvaluationData:
    """The images, with what is wrong with them on stderr."""
    from yolo_cli.pipeline.evaluating import open_evaluation_data

    data = open_evaluation_data(path, split, image_files=image_files)
    for note in data.notes:
        say(note)
    return data


def _numbers(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """``0.05``, or several with commas; a number or a list in a config file."""
    try:
        return None if value is None else tuple(map(float, value.strip("[]").split(",")))
    except ValueError:
        raise click.BadParameter(f"{value} is not 0.05, nor 0.05,0.03 with commas", ctx, param) from None


sigmas_option = click.option(
    "--sigmas",
    metavar="NUMBERS",
    callback=_numbers,
    help="Sigma of key points for OKS: one, or one for each.",
)


def renamings(texts: Iterable[str]) -> dict[str, str]:
    """``--map old=new``, several of them, also with commas.

    Raises:
        UsageError: if one is not a pair, or two have the same old name.

    >>> renamings(["sofa=couch,tvmonitor=tv", "a=b"])
    {'sofa': 'couch', 'tvmonitor': 'tv', 'a': 'b'}
    """
    pairs: dict[str, str] = {}
    for text in (part for word in texts for part in word.split(",")):
        old, equals, new = (part.strip() for part in text.partition("="))
        if not (old and equals and new):
            raise UsageError(f"--map {text}: must be OLD=NEW, two class names")
        if pairs.setdefault(old, new) != new:
            raise UsageError(f"--map {text}: {old} is mapped to {pairs[old]} already; give it one new name")
    return pairs


@dataclass(frozen=True, slots=True)
class Telling:
    """Passes outcomes on, with the progress and the images that cannot be read on stderr.

    Attributes:
        quiet: without the progress.
        errors: what was told.
    """

    quiet: bool
    errors: list[str] = field(default_factory=list)

    def __call__(self, outcomes: Iterable[Outcome], total: int) -> Iterator[Outcome]:
        """A `Watch`, for one run or several."""
        for outcome in outcomes if self.quiet else track(outcomes, total, "images"):
            if outcome.error is not None:
                self.errors.append(outcome.error)
                say(f"error: {outcome.error}")
            yield outcome
