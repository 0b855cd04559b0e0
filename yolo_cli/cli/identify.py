"""``yolo identify``: which one is it?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import CommandGroup, YoloCommand
from yolo_cli.cli.options import (
    config_option,
    detection_options,
    drawing_options,
    format_option,
    talk_options,
)
from yolo_cli.cli.table import table
from yolo_cli.cli.terminal import echo, say
from yolo_cli.errors import DataError, UsageError
from yolo_cli.text import counted, nearest

if TYPE_CHECKING:
    from yolo_cli.identity import Identification
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

    failed: list[str] = []

    def fail(fault: Any) -> None:
        failed.append(fault.text)
        say(f"error: {fault.text}")

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
@click.option("--save/--no-save", default=False, help="Save images and videos with names.")
@click.option("--save-crops", is_flag=True, help="Save a crop of the image for each box.")
@click.option("--save-txt", is_flag=True, help="Save YOLO label files with identities as classes.")
@click.option("--out", metavar="DIR", help=f"Output folder.  [default: a new {_RUN_FOLDER}]")
@click.option("--exist-ok", is_flag=True, help="Write into an existing folder.")
@drawing_options
@_seeing
def photos(photos: tuple[str, ...], gallery: str, detection: Any, quiet: bool, **given: Any) -> int:
    """Tell who or what is on each PHOTO."""
    from yolo_cli.api.identifying import open_identification
    from yolo_cli.cli.detect import saving_of
    from yolo_cli.files import open_run_folder
    from yolo_cli.identity.saving import save_identified
    from yolo_cli.sources import open_source

    source = open_source(photos)
    how = {"min_score": given["min_score"], "read_ahead": source.reads_ahead}
    chosen = _options(detection, given)
    run = open_identification(source, gallery, say=(lambda _: None) if quiet else say, **how, **chosen)
    saving = saving_of({**given, "segment": None}, ())
    folder = open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"]) if saving.anything else None
    places = {item.name: item.place for item in source.entries}
    found = save_identified(run, folder, saving, places) if folder else iter(run)
    tally = Counter[str]()
    for text in _texts(_told(found, tally, quiet), run, given["output_format"]):
        echo(text, end="", painted=given["output_format"] == "table")
    if folder and tally["done"]:
        say(f"saved in {folder}")
    return (5 if tally["done"] else 3) if tally["failed"] else 0


def _texts(found: Iterator[Each], run: Identification, kind: str) -> Iterator[str]:
    """What is printed, a piece at a time."""
    from yolo_cli.identity.formats import identity_texts
    from yolo_cli.pipeline import Outcome

    if kind != "table":
        yield from identity_texts(kind, found, run)
        return
    records = (each.to_dict() for each in found if not isinstance(each, Outcome))
    rows = [_row(record["image"], detection) for record in records for detection in record["detections"]]
    yield table([_TITLES, *rows], (0, 1, 2, 5))


def _told(found: Iterator[Each], tally: Counter[str], quiet: bool) -> Iterator[Each]:
    """Pass images on, count them, and name on stderr those without a detection, or that failed."""
    from yolo_cli.pipeline import Outcome

    for each in found:
        tally["failed" if isinstance(each, Outcome) else "done"] += 1
        if isinstance(each, Outcome):
            say(f"error: {each.error}")
        elif not each.matches and not quiet:
            say(f"{each.result.image.name}: nothing was detected")
        yield each


def _row(image: str, found: dict[str, Any]) -> tuple[str, ...]:
    rate = found["false_accept"]
    known = "" if rate is None else f"{rate:.2%}" if rate >= _RAREST else f"< {_RAREST:.2%}"
    what = f"{found['class_name']} {found['confidence']:.2f}"
    return image, what, found["identity"] or "unknown", f"{found['score']:.3f}", known, found["nearest"]
