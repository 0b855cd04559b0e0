"""`yolo devices`: what there is to run networks on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import format_option
from yolo_cli.cli.terminal import echo

if TYPE_CHECKING:
    from yolo_cli.inventory import Inventory

__all__ = ["devices"]

# The sign \b keeps click from filling a paragraph.
_HELP = """Show devices, engines, and what is missing to use them.

\b
yolo devices
yolo devices --format json

It shows the processor and NVIDIA GPUs with their memory, the engines that are installed, which of them
"auto" takes, and what to install for the others. No framework is imported, so it takes less than a second;
`yolo detect photo.jpg --engine keras --device gpu -v` tries one.

Exit codes: 0 done, 2 KERAS_BACKEND names a backend that is not installed.
"""


@click.command("devices", cls=YoloCommand, help=_HELP)
@format_option("table", "json")
def devices(output_format: str) -> None:
    """Ask and print."""
    from yolo_cli.inventory import devices as ask

    found = ask()
    echo(found.to_json() if output_format == "json" else _text(found), painted=True)


def _text(found: Inventory) -> str:
    """The inventory for people."""
    from yolo_cli.cli.table import table

    things = [("device", "model", "memory", "free", "driver")]
    things += [
        (each.name, each.model, _gib(each.memory), _gib(each.free), each.driver) for each in found.devices
    ]
    engines = [("engine", "computes with", "version", "runs on", "to install")]
    engines += [
        (each.name, each.package, each.version or "-", ", ".join(each.runs_on) or "-", each.install or "")
        for each in found.engines
    ]
    parts = [table(things, left=(0, 1, 4)), table(engines, left=(0, 1, 3, 4)), _choice(found)]
    return "\n".join(parts)


def _choice(found: Inventory) -> str:
    """What is chosen, and what was not asked."""
    lines = [
        f"auto detects with {found.engine}: {found.reason}",
        f"Keras, which trains, computes with {found.backend}",
    ]
    if found.advice:
        lines.append(f"{found.backend} cannot use the NVIDIA GPU here; {found.advice}")
    return "\n".join([*lines, "not asked: the frameworks themselves, and GPUs that are not NVIDIA's"])


def _gib(size: int | None) -> str:
    return "" if size is None else f"{size / 2**30:.1f} GiB"
