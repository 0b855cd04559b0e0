"""``yolo identify``: which one is it?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import CommandGroup, YoloCommand, exit_code
from yolo_cli.cli.options import config_option, detection_options, format_option, talk_options
from yolo_cli.cli.output_options import out_options, save_run, saving_options
from yolo_cli.cli.table import table
from yolo_cli.cli.terminal import complain, echo, say, unless
from yolo_cli.errors import DataError, UsageError, UserError
from yolo_cli.text import counted, nearest

if TYPE_CHECKING:
    from yolo_cli.identity.identify_run import IdentifyRun
    from yolo_cli.identity.running import Each

__all__ = ["identify"]

_RUN_FOLDER = "runs/identify"
_NEAR = 0.7  # likeness of a misspelt command
_RAREST = 0.0001  # rate that is printed
_TITLES = ("image", "object", "who", "score", "false accept", "nearest")

# \b keeps click from filling a paragraph.
_HELP = """Tell which one it is, from one photo of each or more.

\b
yolo identify learn mug mug1.jpg mug2.jpg    put photos into gallery.json
yolo identify photo.jpg                      who or what is on it, or unknown
yolo identify verify a.jpg b.jpg             the same one, or not

PHOTO... after `identify` has the options of `yolo identify photos --help`.
"""


class _PhotosOrCommand(CommandGroup):
    """A group whose command ``photos`` need not be written."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As for any group, but with ``photos`` before what is not a command."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            self._check_spelling(ctx, args[0])
            args = ["photos", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; where it lacks something, say how a folder of its name is meant."""
        try:
            return super().invoke(ctx)
        except (click.MissingParameter, DataError) as fault:
            name = ctx.invoked_subcommand or ""
            if not Path(name).exists() or (name != "list" and isinstance(fault, DataError)):
                raise
            hint = f"{name} is a command here; for the folder of that name, write ./{name}"
            raise UsageError(f"`yolo identify {name}`: {hint}") from fault

    def _check_spelling(self, ctx: click.Context, word: str) -> None:
        """Raise click.UsageError if a word is not a file, and nearly a command."""
        near = nearest(word, [name for name in self.commands if name != "photos"], _NEAR)
        if near and word.isalpha() and not Path(word).exists():
            raise click.UsageError(f"no such file or command: '{word}'; did you mean '{near}'?", ctx)


@click.group(cls=_PhotosOrCommand, help=_HELP)
def identify() -> None:
    """Tell which one it is, from one photo of each or more."""


_gallery_option = click.option(
    "--gallery", metavar="FILE", default="gallery.json", show_default=True, help="Gallery of those known."
)


def _seeing(command: Callable[..., Any]) -> Any:
    """Options of what looks at photos."""
    embedding = click.option(
        "--embedding", metavar="NAME", help="Embedding network.  [default: objects-embedding]"
    )
    whole = click.option("--whole", is_flag=True, help="Take the whole image, without detection.")
    return embedding(whole(detection_options(config_option(talk_options(command)))))


def _options(detection: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The options of the API; photos are read one by one."""
    detection.pop("batch", None)
    return {**detection, "embedding": given["embedding"], "whole": given["whole"]}


@identify.command(cls=YoloCommand)
@click.argument("name")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)
@_gallery_option
@_seeing
def learn(name: str, photos: tuple[str, ...], gallery: str, detection: Any, quiet: bool, **given: Any) -> int:
    """Put photos of NAME into the gallery."""
    from yolo_cli.api.identifying import learn as put

    failed: list[UserError] = []

    def fail(fault: UserError) -> None:
        failed.append(fault)
        complain(fault)

    learnt = put(name, photos, gallery, on_error=fail, say=say, **_options(detection, given))
    for result in () if quiet else learnt:
        found = result[0]
        say(f"{result.image.name}: learnt as {name}: {found.class_name} {found.confidence:.2f}")
    echo(gallery)
    return 5 if failed else 0


@identify.command(name="list")
@_gallery_option
@format_option("table", "json")
def list_(gallery: str, output_format: str) -> None:
    """List the names in the gallery."""
    from yolo_cli.api.identifying import list_identities

    names = list_identities(gallery)
    if output_format == "json":
        echo(json.dumps(names, ensure_ascii=False, indent=1))
    else:
        echo(table([("name", "photos"), *((k, str(v)) for k, v in names.items())]), end="", painted=True)


@identify.command()
@click.argument("name")
@_gallery_option
def forget(name: str, gallery: str) -> None:
    """Remove NAME from the gallery."""
    from yolo_cli.api.identifying import forget as remove

    count = remove(name, gallery)
    say(f"{gallery}: {name} is forgotten, with {counted(count, 'photo')}")


@identify.command(cls=YoloCommand)
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--false-accept", type=float, default=0.01, show_default=True, help="Rate of different taken for same."
)
@format_option("text", "json")
@_seeing
def verify(a: str, b: str, false_accept: float, output_format: str, detection: Any, **given: Any) -> None:
    """Tell whether A and B show the same one."""
    from yolo_cli.api.identifying import verify as compare

    verdict = compare(a, b, false_accept=false_accept, **_options(detection, given))
    if output_format == "json":
        echo(verdict.to_json())
        return
    word = "same" if verdict.same else "different"
    echo(f"{word}: score {verdict.score:.3f}, same from {verdict.min_score:.3f} on")
    say(f"at a false-accept rate of {verdict.false_accept:.2%} by the model card")


@identify.command(cls=YoloCommand)
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)
@_gallery_option
@click.option("--min-score", type=float, help="Lowest score of one known.  [default: by the gallery]")
@format_option("table", "json", "ndjson", "csv", "coco", "yolo", "label-studio", "cvat")
@saving_options(
    "Save images and videos with names.",
    "Save YOLO label files with identities as classes.",
    default=False,
)
@out_options(_RUN_FOLDER)
@_seeing
def photos(photos: tuple[str, ...], gallery: str, detection: Any, quiet: bool, **given: Any) -> int:
    """Tell who or what is on each PHOTO."""
    from yolo_cli.api.identifying import identify as find

    tell = unless(quiet)
    how: Any = {"on_error": complain, "say": tell, "watch": lambda found, _: _told(found, tell)}
    run = find(photos, gallery, min_score=given["min_score"], **how, **_options(detection, given))
    folder = save_run(run, _RUN_FOLDER, given)
    for text in _texts(run, given["output_format"]):
        echo(text, end="", painted=given["output_format"] == "table")
    if folder and run.images > run.failed:
        say(f"saved in {folder}")
    return exit_code(run.failed, run.images)


def _told(found: Iterable[Each], tell: Callable[[str], object]) -> Iterator[Each]:
    """Pass images on, and name those on which nothing is."""
    from yolo_cli.identity import Identified

    for each in found:
        if isinstance(each, Identified) and not each.matches:
            tell(f"{each.result.image.name}: nothing was detected")
        yield each


def _texts(run: IdentifyRun, output_format: str) -> Iterator[str]:
    """What is printed, a piece at a time."""
    if output_format != "table":
        yield from run.texts(output_format)
        return
    records = (each.to_dict() for each in run)
    rows = [_row(record["image"], detection) for record in records for detection in record["detections"]]
    yield table([_TITLES, *rows], (0, 1, 2, 5))


def _row(image: str, found: dict[str, Any]) -> tuple[str, ...]:
    rate = found["false_accept"]
    known = "" if rate is None else f"{rate:.2%}" if rate >= _RAREST else f"< {_RAREST:.2%}"
    what = f"{found['class_name']} {found['confidence']:.2f}"
    return image, what, found["identity"] or "unknown", f"{found['score']:.3f}", known, found["nearest"]
