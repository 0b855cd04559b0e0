"""The fields of a model card that other programs' model files do not contain, from a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError
from yolo_cli.text import read_yaml

__all__ = ["card_fields", "read_about"]

_ALLOWED = ("licence", "origin", "training_data", "figures", "limits", "resize", "input_size")
_LISTS = ("figures", "limits")


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
    if not set(about) <= set(_ALLOWED):
        raise DataError(f"{where}: must hold only the fields {', '.join(_ALLOWED)}")
    if about.get("resize", "stretch") not in ("stretch", "letterbox"):
        raise DataError(f"{where}: resize is '{about['resize']}', but must be stretch or letterbox")
    fields: dict[str, Any] = {key: " ".join(str(value).split()) for key, value in about.items()}
    fields |= {key: tuple(map(str, about[key])) for key in _LISTS if key in about}
    if "input_size" in about:
        fields["input_size"] = _size(about["input_size"], where)
    return fields


def _size(given: Any, where: str) -> tuple[int, int]:
    sides = given if isinstance(given, list) else [given, given]
    if len(sides) != 2 or not all(isinstance(side, int) and 32 <= side <= 4096 for side in sides):
        raise DataError(f"{where}: input_size is {given}, but must be a side, or [height, width], in pixels")
    return sides[0], sides[1]
