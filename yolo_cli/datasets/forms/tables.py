"""Tables as text: CSV with commas, semicolons or tabs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from yolo_cli.datasets.forms.form import head_of
from yolo_cli.errors import DataError
from yolo_cli.text import read_text

__all__ = ["Line", "first_line", "read_table"]

_LONGEST = 1 << 24  # characters of a field; an outline can be long


class Line(NamedTuple):
    """One line of a table: its number in the file, from 1, and its fields without outer blanks."""

    number: int
    fields: list[str]


def first_line(path: Path) -> list[str]:
    """The fields of the first line, from the beginning of the file; [] if it cannot be read."""
    text = head_of(path).decode("utf-8", "replace").lstrip().split("\n", 1)[0]
    try:
        return next(_lines([text], _separator(text)), Line(1, [])).fields
    except csv.Error:
        return []


def read_table(path: Path) -> Iterator[Line]:
    """The lines of a table that are not blank.

    Raises:
        DataError: if the file is not text or not a table.
    """
    lines = read_text(path).split("\n")
    csv.field_size_limit(_LONGEST)
    try:
        yield from _lines([line + "\n" for line in lines], _separator(lines[0]))
    except csv.Error as fault:
        raise DataError(f"{path}: is not a table (CSV): {fault}; write it again") from fault


def _lines(lines: list[str], separator: str) -> Iterator[Line]:
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    for fields in reader:
        if any(map(str.strip, fields)):
            yield Line(reader.line_num, [field.strip() for field in fields])


def _separator(line: str) -> str:
    """The separator that splits a line into most fields."""
    return max(",;\t", key=line.count)
