"""Label and list files → text and plain values, with one clear line when they are broken."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import yaml

from yolo_cli.errors import DataError

__all__ = ["fixed_slashes", "number", "read_json", "read_text", "read_yaml", "shorten"]

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    r"""The text of a file: UTF-8 with or without byte-order mark, or UTF-16 with one (Windows shells).

    Line ends of every kind become ``\n``.

    Raises:
        DataError: if the file cannot be read or is no text.
    """
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise DataError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as fault:
        raise DataError(f"{path}: is not text in UTF-8 (byte {fault.start}); save it as UTF-8") from fault
    if "\0" in text:
        raise DataError(f"{path}: is not text (it holds NUL bytes); write it again")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, with every scalar as the text that stands there.

    YAML would turn a class called ``no`` or ``on`` into a ground truth value and ``1:30`` into 90.

    Raises:
        DataError: if the file cannot be read, is no YAML, or holds no mapping.
    """
    text = read_text(path)
    try:
        value = yaml.load(text, yaml.BaseLoader)  # noqa: S506  # builds only str, list and dict
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise DataError(f"{path}:{line}: is not YAML: {fault.problem}; fix this line") from fault
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        raise DataError(f"{path}: is not YAML: {shorten(fault)}; fix it") from fault
    if not isinstance(value, dict):
        raise DataError(f"{path}: holds no 'key: value' lines; see `yolo lint --help` for the form")
    return {key: item for key, item in value.items() if isinstance(key, str)}


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        DataError: if the file cannot be read or is no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        place = f"{path}:{fault.lineno}"
        raise DataError(f"{place}: is not JSON (cut short?): {fault.msg}; write it again") from fault
    except (ValueError, RecursionError) as fault:
        raise DataError(f"{path}: is not JSON: {shorten(fault)}; write it again") from fault


def number(value: Any) -> float | None:
    """A JSON number or a numeral as float (NaN and infinities too), or None for anything else.

    >>> number("2.5"), number(7), number(True), number("seven"), number(None)
    (2.5, 7.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and "_" in value:  # Python reads 1_000 as a thousand
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def shorten(value: object, length: int = 80) -> str:
    """The text of a value on one line of at most ``length`` characters, for messages.

    >>> shorten("a  b" + chr(10) + "c", 4)
    'a b…'
    """
    line = " ".join(str(value).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def fixed_slashes(name: str) -> str:
    """A path as a file names it, with Windows' backslashes as slashes.

    >>> fixed_slashes("images" + chr(92) + "a.jpg")
    'images/a.jpg'
    """
    return name.replace("\\", "/")
