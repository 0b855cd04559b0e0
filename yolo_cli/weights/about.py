"""The fields of a model card that other programs' model files do not contain, from a YAML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError
from yolo_cli.text import read_yaml

__all__ = ["card_fields", "read_about"]


def read_about(path: Path) -> dict[str, Any]:
    """Read fields of a card from a YAML file.

    Raises:
        DataError: if the file cannot be read, is not a mapping, or has other fields or values.
    """
    return card_fields(read_yaml(path), str(path))


def card_fields(about: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields as `ModelCard` has them; ``input_size`` is height and width, or one side, in pixels.

    Raises:
        DataError: if there are other fields or values; ``where`` names their place.
    """
    if not set(about) <= set(_READ):
        raise DataError(f"{where}: must hold only the fields {', '.join(_READ)}")
    if about.get("resize", "stretch") not in ("stretch", "letterbox"):
        raise DataError(f"{where}: resize is '{about['resize']}', but must be stretch or letterbox")
    return {key: _READ[key](key, value, where) for key, value in about.items()}


def _text(key: str, value: Any, where: str) -> str:
    if not isinstance(value, str | int | float | date):
        raise DataError(f"{where}: {key} must be text; fix it")
    return " ".join(str(value).split())


def _texts(key: str, value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str | int | float | date) for each in value):
        raise DataError(f"{where}: {key} must be a list of texts; fix it")
    return tuple(" ".join(str(each).split()) for each in value)


def _size(key: str, given: Any, where: str) -> tuple[int, int]:
    sides = given if isinstance(given, list) else [given, given]
    if len(sides) != 2 or not all(isinstance(side, int) and 32 <= side <= 4096 for side in sides):
        raise DataError(f"{where}: {key} is {given}, but must be a side, or [height, width], in pixels")
    return sides[0], sides[1]


_READ: Mapping[str, Callable[[str, Any, str], Any]] = {
    "licence": _text,
    "origin": _text,
    "training_data": _text,
    "figures": _texts,
    "limits": _texts,
    "resize": _text,
    "input_size": _size,
}
"""The fields, and what reads each."""
