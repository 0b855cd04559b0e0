"""What was found, as a table for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from yolo_cli.pipeline import Outcome

__all__ = ["table"]

_WIDTH_OF_A_PIPE = 160


def table(results: Iterable[Outcome], class_names: tuple[str, ...]) -> str:
    """One row per box, the image's name in its first row; coloured if the terminal supports it."""
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    rows.add_column("image", overflow="fold")
    rows.add_column("found", overflow="fold")
    for title in ("confidence", "left", "top", "right", "bottom"):
        rows.add_column(title, justify="right", no_wrap=True)
    for result in results:
        for row in _rows(result, class_names):
            rows.add_row(*row)
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE)
    with console.capture() as captured:
        console.print(rows)
    return "\n".join(line.rstrip() for line in captured.get().strip("\n").split("\n")) + "\n"


def _rows(result: Outcome, class_names: tuple[str, ...]) -> list[list[Text]]:
    """The rows of one image: at least one. `Text` takes names with brackets as they are."""
    name = Text(" ".join(result.name.split()))
    if result.error:
        return [[name, Text("could not be read", "red")]]
    found = result.detections
    if not len(found):
        return [[name, Text("nothing", "dim")]]
    return [
        [
            name if index == 0 else Text(),
            Text(class_names[found.class_id[index]], "bold"),
            Text(f"{found.confidence[index]:.2f}"),
            *(Text(f"{edge:.0f}") for edge in found.xyxy[index]),
        ]
        for index in range(len(found))
    ]
