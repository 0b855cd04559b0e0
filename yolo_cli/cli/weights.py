"""``yolo weights``: list and export models, show a model card, import other programs' models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import CommandGroup
from yolo_cli.cli.options import encoding_option, format_option
from yolo_cli.cli.progress import echo_model, echo_result, track
from yolo_cli.cli.table import table
from yolo_cli.cli.terminal import echo, say

if TYPE_CHECKING:
    from yolo_cli.api.models import Model

__all__ = ["weights"]

_TITLE = ("model", "classes", "input", ".keras", ".onnx", "folder")
_FILE = click.Path(path_type=Path)


@click.group(cls=CommandGroup)
def weights() -> None:
    """List, show, fetch, import and export models."""


@weights.command(name="list")
@format_option("table", "json")
def list_(output_format: str) -> None:
    """List the models in ./weights, ./runs and yolo-cli."""
    from yolo_cli.api.models import list_models

    models = list_models(on_error=lambda fault: say(f"warning: {fault}"))
    if output_format == "json":
        echo(json.dumps([model.to_dict() for model in models], ensure_ascii=False, indent=1))
    else:
        echo(table([_TITLE, *map(_row, models)], (0, 5)), end="", painted=True)


@weights.command()
@format_option("text", "json")
def backbones(output_format: str) -> None:
    """Show the backbones of the course: depth, parameters, arithmetic."""
    from yolo_cli.api.models import list_backbones

    echo_result(list_backbones(), output_format)


@weights.command()
@click.argument("name")
@click.option("--verify", is_flag=True, help="Check the files against the SHA-256 in NAME.md.")
@format_option("text", "json")
def show(name: str, verify: bool, output_format: str) -> None:
    """Show the model card of NAME: licence, figures, limits, classes."""
    from yolo_cli.api.models import show_model

    model = show_model(name, verify=verify)
    echo((model.card.to_json() if output_format == "json" else model.to_text()).rstrip())
    if output_format == "text":
        say(f"with --engine auto here: {model.engine_for().sentence}")
    if verify:
        say("the files have the SHA-256 that the card lists")


@weights.command(name="import")
@click.argument("files", type=_FILE, nargs=-1, required=True)
@click.option("--names", required=True, type=_FILE, metavar="FILE", help="Class names, one per line.")
@click.option("--out", required=True, metavar="NAME", help="Model name, or path without a suffix.")
@click.option("--card", type=_FILE, metavar="FILE", help="YAML file with licence, origin and figures.")
@click.option("--half", is_flag=True, help="Store kernels as float16, at half the size.")
@click.option("--sha256", metavar="HASH", help="SHA-256 that WEIGHTS must have.")
@click.option("--exist-ok", is_flag=True, help="Overwrite an existing model.")
@encoding_option
def import_(files: tuple[Path, ...], out: str, **given: Any) -> None:
    """Import a Darknet model, its CFG and WEIGHTS, or a NanoDet-Plus.

    A NanoDet-Plus is PARAM and BIN of ncnn, or one ONNX, PTH or CKPT file.
    Writes NAME.keras, NAME.onnx and the model card NAME.md, in ./weights unless --out is a path.
    """
    from yolo_cli.api.models import import_model

    say(f"reading {' and '.join(map(str, files))}; this takes some seconds")
    model = import_model(files, out=out, **given)
    echo_model(model.keras, model.onnx, model.first.with_suffix(".md"))


@weights.command()
@click.argument("name", metavar="NAME|URL")
@click.option("--sha256", metavar="HASH", help="SHA-256 that the file must have.")
@click.option("--names", type=_FILE, metavar="FILE", help="Class names, one per line, for a URL.")
@click.option("--cfg", type=_FILE, metavar="FILE", help="Network of a Darknet model, for a URL.")
@click.option("--out", metavar="NAME", help="Model name, or path without a suffix.  [default: NAME]")
@click.option("--half", is_flag=True, help="Store kernels as float16, at half the size.")
@click.option("--exist-ok", is_flag=True, help="Overwrite an existing model.")
@encoding_option
def fetch(name: str, out: str | None, **given: Any) -> None:
    """Download a published model, check its hash, import it.

    NAME is one of docs/models.md, such as yolov4 or nanodet-plus-m_416.
    Writes NAME.keras, NAME.onnx and the model card NAME.md, in ./weights unless --out is a path.
    A download that is cut goes on when the command is run again.
    """
    from yolo_cli.api.fetching import fetch_model

    model = fetch_model(name, out, on_start=say, progress=_mebibytes, **given)
    page = model.first.with_suffix(".md")
    echo_model(model.keras, model.onnx, page)
    say(f"to remove the model, delete {' '.join(map(str, [*model.paths, page]))}")


def _mebibytes(blocks: Iterator[bytes], total: int) -> Iterator[bytes]:
    """The blocks of a download, with its progress on stderr."""
    return track(blocks, total, "MiB") if total else blocks


@weights.command()
@click.argument("name")
def export(name: str) -> None:
    """Write the .onnx file of NAME from its .keras file.

    Training writes both, but only the second where TensorFlow is missing.
    """
    from yolo_cli.api.models import export_onnx

    echo(export_onnx(name))


def _row(model: Model) -> tuple[str, ...]:
    files, card = model.files, model.card
    size = f"{card.input_size[0]}x{card.input_size[1]}"  # as --imgsz takes it
    both = [f"{path.stat().st_size / 2**20:.1f} MiB" if path else "-" for path in (files.keras, files.onnx)]
    return files.name, f"{len(card.class_names)}", size, *both, str(files.first.parent)
