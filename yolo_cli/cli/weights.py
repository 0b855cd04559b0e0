"""``yolo weights``: list and export models, show a model card, import Darknet models."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from yolo_cli.cli.group import CommandGroup
from yolo_cli.cli.options import encoding_option, format_option
from yolo_cli.cli.progress import echo_model, say
from yolo_cli.errors import DataError
from yolo_cli.text import columns

if TYPE_CHECKING:
    from yolo_cli.weights import ModelCard, ModelFiles

__all__ = ["weights"]

_TITLE = ("model", "classes", "input", ".keras", ".onnx", "folder")
_WIDTH_OF_A_PIPE = 160
_FILE = click.Path(path_type=Path)


@click.group(cls=CommandGroup)
def weights() -> None:
    """List, show, export and import models."""


@weights.command(name="list")
@format_option("table", "json")
def list_(output_format: str) -> None:
    """List the models in ./weights, ./runs and yolo-cli."""
    import json

    from yolo_cli.weights import list_models

    rows = list(_cards(list_models()))
    if output_format == "json":
        click.echo(json.dumps([_summary(files, card) for files, card in rows], ensure_ascii=False, indent=1))
        return
    table = [_TITLE, *(_row(files, card) for files, card in rows)]
    click.echo(_fitting(table), nl=False)


@weights.command()
@click.argument("name")
@format_option("text", "json")
def show(name: str, output_format: str) -> None:
    """Show the model card of NAME: licence, figures, limits, classes."""
    from yolo_cli.weights import find_model, read_card
    from yolo_cli.weights.card import card_text

    files = find_model(name)
    card = read_card(files.first)
    text = card.to_json() if output_format == "json" else card_text(card, _digests(files))
    click.echo(text.rstrip())


@weights.command(name="import")
@click.argument("cfg", type=_FILE)
@click.argument("trained", metavar="WEIGHTS", type=_FILE)
@click.option("--names", required=True, type=_FILE, metavar="FILE", help="Class names, one per line.")
@click.option("--out", required=True, metavar="NAME", help="Model name, or path without a suffix.")
@click.option("--card", type=_FILE, metavar="FILE", help="YAML file with licence, origin and figures.")
@click.option("--half", is_flag=True, help="Store kernels as float16, at half the size.")
@click.option("--exist-ok", is_flag=True, help="Overwrite an existing model.")
@encoding_option
def import_(
    cfg: Path, trained: Path, names: Path, out: str, card: Path | None, half: bool, exist_ok: bool
) -> None:
    """Import a Darknet model: its CFG and WEIGHTS.

    Writes NAME.keras, NAME.onnx and the model card NAME.md, in ./weights unless --out is a path.
    """
    from yolo_cli.errors import UsageError
    from yolo_cli.files import atomic_write_text
    from yolo_cli.weights import read_card
    from yolo_cli.weights.card import card_text
    from yolo_cli.weights.darknet_import import import_darknet, read_about

    target = Path(out) if Path(out).name != out else Path("weights") / out
    if not exist_ok and any(
        target.with_name(target.name + end).exists() for end in (".keras", ".onnx", ".md")
    ):
        raise UsageError(f"--out {out}: {target} exists already; choose another name, or add --exist-ok")
    about = read_about(card) if card else None
    click.echo(f"reading {cfg} and {trained}; this takes some seconds", err=True)
    files = import_darknet(cfg, trained, names, target, half=half, about=about)
    page = target.with_name(f"{target.name}.md")
    atomic_write_text(page, card_text(read_card(files.first), _digests(files)))
    echo_model(files.keras, files.onnx, page)


@weights.command()
@click.argument("name")
def export(name: str) -> None:
    """Write the .onnx file of NAME from its .keras file.

    Training writes both, but only the second where TensorFlow is missing.
    """
    from yolo_cli.weights import find_model
    from yolo_cli.weights.save import export_onnx

    click.echo(export_onnx(find_model(name)))


def _cards(models: Sequence[ModelFiles]) -> Iterator[tuple[ModelFiles, ModelCard]]:
    """Models with their cards; those that cannot be read are named on stderr and left out."""
    from yolo_cli.weights import read_card

    for files in models:
        try:
            yield files, read_card(files.first)
        except DataError as fault:
            say(f"warning: {fault}")


def _summary(files: ModelFiles, card: ModelCard) -> dict[str, object]:
    return {
        "name": files.name,
        "keras": str(files.keras) if files.keras else None,
        "onnx": str(files.onnx) if files.onnx else None,
        "classes": len(card.class_names),
        "input_size": list(card.input_size),
        "licence": card.licence,
    }


def _row(files: ModelFiles, card: ModelCard) -> tuple[str, ...]:
    size = f"{card.input_size[0]}x{card.input_size[1]}"  # as --imgsz takes it
    both = [f"{path.stat().st_size / 2**20:.1f} MiB" if path else "-" for path in (files.keras, files.onnx)]
    return files.name, f"{len(card.class_names)}", size, *both, str(files.first.parent)


def _fitting(rows: Sequence[Sequence[str]]) -> str:
    """The rows as a table, without the last columns where the terminal is too narrow for them."""
    width = shutil.get_terminal_size((_WIDTH_OF_A_PIPE, 24)).columns
    tables = [columns([row[:count] for row in rows]) for count in range(len(rows[0]), 0, -1)]
    return next((text for text in tables if max(map(len, text.splitlines())) <= width), tables[-1])


def _digests(files: ModelFiles) -> dict[str, str]:
    from yolo_cli.weights.store import sha256

    return {path.name: sha256(path) for path in (files.keras, files.onnx) if path}
