"""The ``.keras`` file: a zip that Keras writes, with the model card as one more member."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from yolo_cli.limits import MAX_MODEL, open_zip, read_member
from yolo_cli.weights.card import ModelCard
from yolo_cli.weights.store import CARD_MEMBER

__all__ = ["write_archive"]

_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold


def write_archive(
    source: Path, target: Path, card: ModelCard, change: Callable[[str, bytes], bytes] = lambda _, data: data
) -> None:
    """Copy a ``.keras`` file with another card, and without the times of its members.

    Args:
        source: the file, with or without a card.
        target: the copy.
        card: its card.
        change: name and content of a member → its content in the copy.

    Raises:
        DataError: if a member of it is damaged, or of a kind that is not read.
        OSError: if a file cannot be read or written.
        zipfile.BadZipFile: if ``source`` is not a zip.
    """
    with open_zip(source, str(source)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name != CARD_MEMBER:
                data = read_member(old, name, str(source), MAX_MODEL)
                new.writestr(_member(name), change(name, data))
        new.writestr(_member(CARD_MEMBER), card.to_json())


def _member(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, _NO_TIME)
