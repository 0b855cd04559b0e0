"""Rows of cells as a table for terminals."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from itertools import zip_longest

__all__ = ["columns"]

_NARROWEST = 8  # characters of a column that is wrapped


def columns(
    rows: Sequence[Sequence[str]],
    *,
    left: Container[int] = (0,),
    width: int | None = None,
    paint: Callable[[int, int, str], str] | None = None,
) -> str:
    """Rows as lines, with each column as wide as its widest cell.

    Args:
        rows: the head and what is below it; each has the same number of cells.
        left: places of the columns that are aligned to the left, the others to the right.
        width: characters of a line, or None; if need be, the widest columns of ``left`` are wrapped.
        paint: gives a cell its colours, from the numbers of its row and column and its padded text.

    >>> print(columns([["class", "AP"], ["traffic light", "0.5"]]), end="")
    class           AP
    traffic light  0.5
    >>> print(columns([["class", "AP"], ["traffic light", "0.5"]], width=13), end="")
    class      AP
    traffic   0.5
    light
    """
    widths = _widths(rows, left, width)
    lines = []
    for number, row in enumerate(rows):
        wrapped = [_wrap(cell, most) for cell, most in zip(row, widths, strict=True)]
        for pieces in zip_longest(*wrapped, fillvalue=""):
            cells = [_pad(piece, widths[at], at in left) for at, piece in enumerate(pieces)]
            cells[-1] = cells[-1].rstrip()
            painted = [paint(number, at, cell) for at, cell in enumerate(cells)] if paint else cells
            lines.append("  ".join(painted).rstrip() + "\n")
    return "".join(lines)


def _widths(rows: Sequence[Sequence[str]], left: Container[int], width: int | None) -> list[int]:
    """Characters of each column: the widest that may be wrapped give way until lines fit."""
    widths = [max(map(_length, column)) for column in zip(*rows, strict=True)]
    wrappable = [at for at in range(len(widths)) if at in left]
    while width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        widest = max(wrappable, key=lambda at: widths[at])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _wrap(cell: str, width: int) -> list[str]:
    if _length(cell) <= width:
        return [cell]
    import textwrap

    return textwrap.wrap(cell, width, break_on_hyphens=False)


def _pad(cell: str, width: int, left: bool) -> str:
    blanks = " " * (width - _length(cell))
    return cell + blanks if left else blanks + cell


def _length(text: str) -> int:
    """Columns of a terminal that a text takes; those of China, Japan and Korea take two a character."""
    if text.isascii():
        return len(text)
    import unicodedata

    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
