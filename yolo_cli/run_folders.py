"""The folders that runs write to: new ones, outside data sets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from yolo_cli.errors import DataError, UsageError
from yolo_cli.names import check_text

__all__ = ["check_outside", "check_run_folder", "open_run_folder"]


def open_run_folder(
    default: str, chosen: str | None, exist_ok: bool, data: str | os.PathLike[str] | None = None
) -> Path:
    """Make the folder of a run: ``chosen``, or else ``default``, ``default2``, … whichever is new.

    Raises:
        UsageError: if the chosen folder holds something, unless ``exist_ok``, or is in the data set ``data``.
        DataError: if no folder can be made there.
    """
    if chosen is not None and data is not None:
        check_outside(Path(chosen), [Path(data)])
    check_text(chosen or default)
    try:
        if chosen is None and not exist_ok:
            return _new_folder(Path(default))
        folder = Path(chosen or default)
        folder.mkdir(parents=True, exist_ok=True)
        check_run_folder(str(folder), exist_ok)
    except OSError as fault:
        raise DataError(f"{fault.filename}: no folder can be made here: {fault.strerror}") from fault
    return folder


def check_run_folder(chosen: str | None, exist_ok: bool) -> None:
    """Raise the UsageError of `open_run_folder` if a folder holds files: before long work. Make nothing."""
    folder = Path(chosen) if chosen is not None else None
    if folder and not exist_ok and folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"--out {folder}: holds files already; name a new folder, or add --exist-ok")


def check_outside(out: Path, data: Iterable[Path]) -> None:
    """Raise UsageError if ``out`` is in one of the folders ``data``, as data sets are never written to."""
    real = out.resolve()
    if any(real.is_relative_to(folder.resolve()) for folder in data):
        raise UsageError(f"{out}: is in the data set, which is never written to; name a folder outside")


def _new_folder(first: Path) -> Path:
    """Make ``first``, or with the lowest number from 2 that is free; safe beside other runs."""
    first.parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = first if number == 1 else first.with_name(f"{first.name}{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("numbers do not end")
