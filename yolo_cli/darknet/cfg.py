"""Parse Darknet ``.cfg`` files.

The rules are those of AlexeyAB/darknet. Unknown sections and options are errors: ignoring one silently could
give a network that runs, but is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yolo_cli.darknet.options import ACTIVATIONS, LISTS, MAX_LAYERS, OPTIONS, RANGE, REFUSED
from yolo_cli.errors import DataError
from yolo_cli.limits import check_class_names
from yolo_cli.text import read_lines, shorten

__all__ = ["Network", "Section", "read_cfg", "read_names"]


@dataclass(frozen=True, slots=True)
class Section:
    """One ``[section]`` of a cfg.

    Attributes:
        kind: the name in brackets.
        options: its options, as text.
        line: its first line, counted from 1.
        file: the cfg's name, for messages.
    """

    kind: str
    options: Mapping[str, str]
    line: int
    file: str

    def integer(self, key: str, default: int | None = None) -> int:
        """The option ``key`` as an integer."""
        value = self.real(key, default)
        if not value.is_integer():
            raise self.fault(f"{key}={self.options[key]} is not a whole number")
        return int(value)

    def real(self, key: str, default: float | None = None) -> float:
        """The option ``key`` as a number."""
        if key not in self.options and default is None:
            raise self.fault(f"needs {key}=")
        value = _number(self.options[key]) if key in self.options else float(default or 0)
        if not math.isfinite(value):
            raise self.fault(f"{key}={self.options[key]} is not a number")
        return value

    def text(self, key: str, default: str) -> str:
        """The option ``key`` as text."""
        return self.options.get(key, default)

    def reals(self, key: str) -> tuple[float, ...]:
        """The comma-separated numbers of the option ``key``."""
        words = [word for word in self.options.get(key, "").split(",") if word.strip()]
        values = tuple(_number(word) for word in words)
        if not all(math.isfinite(value) for value in values):
            raise self.fault(f"{key}={self.options[key]} is not a list of numbers")
        return values

    def integers(self, key: str) -> tuple[int, ...]:
        """The comma-separated integers of the option ``key``."""
        values = self.reals(key)
        if not all(value.is_integer() for value in values):
            raise self.fault(f"{key}={self.options[key]} is not a list of whole numbers")
        return tuple(int(value) for value in values)

    def fault(self, what: str) -> DataError:
        """A DataError with file, line and section."""
        return DataError(f"{self.file}:{self.line}: [{self.kind}] {what}")


@dataclass(frozen=True, slots=True)
class Network:
    """A cfg: ``[net]`` and the layers that follow it, counted from 0."""

    net: Section
    layers: tuple[Section, ...]

    def references(self, index: int, key: str) -> tuple[int, ...]:
        """The absolute layer indices in the option ``key`` of layer ``index``; negative ones are relative."""
        layer = self.layers[index]
        found = tuple(index + n if n < 0 else n for n in layer.integers(key))
        if not found or not all(0 <= n < index for n in found):
            raise layer.fault(f"{key}={layer.text(key, '')} does not name layers before layer {index}")
        return found

    def heads(self) -> tuple[int, ...]:
        """The indices of the detection layers."""
        return tuple(i for i, layer in enumerate(self.layers) if layer.kind in ("yolo", "region"))


@dataclass(slots=True)
class _Draft:
    kind: str
    line: int
    options: dict[str, str] = field(default_factory=dict)


def read_cfg(path: str | Path) -> Network:
    """Read a Darknet ``.cfg``.

    Raises:
        DataError: if the file cannot be read, or has an unknown section, option or activation.
    """
    path = Path(path)
    drafts: list[_Draft] = []
    for number, raw in enumerate(read_lines(path, "latin-1"), start=1):  # only comments are not ASCII
        line = raw.split("#")[0].split(";")[0].strip()
        where = f"{path.name}:{number}"
        if line.startswith("[") and line.endswith("]"):
            drafts.append(_Draft(line[1:-1].strip(), number))
        elif line:
            key, equals, value = line.partition("=")
            if not equals or not drafts:
                raise DataError(
                    f"{where}: '{line[:40]}' is neither a [section] nor key=value; is this a Darknet cfg?"
                )
            _check_option(drafts[-1], key.strip(), value.strip(), where)
            drafts[-1].options.setdefault(key.strip(), value.strip())  # of duplicates, Darknet uses the first
    sections = tuple(Section(d.kind, d.options, d.line, path.name) for d in drafts)
    _check_sections(sections, path.name)
    return Network(sections[0], sections[1:])


def read_names(path: str | Path) -> tuple[str, ...]:
    """Read class names, one per line; empty lines at the end are ignored."""
    names = read_lines(Path(path))
    if not all(names):
        raise DataError(f"{path}: holds {'an empty line between names' if any(names) else 'no class names'}")
    check_class_names(names, str(path))
    return tuple(names)


def _number(word: str) -> float:
    """``word`` as a number; NaN if it is not one."""
    try:
        return float(word)
    except ValueError:
        return math.nan


def _check_option(section: _Draft, key: str, value: str, where: str) -> None:
    known = OPTIONS.get(section.kind)
    if known is None:
        return  # the section itself is refused elsewhere
    if key not in known:
        raise DataError(f"{where}: [{section.kind}] has no option '{key}' that this program knows")
    if key == "activation" and value not in ACTIVATIONS:
        raise DataError(
            f"{where}: the activation '{value}' is not known; known are {', '.join(sorted(ACTIVATIONS))}"
        )
    _check_numbers(section, key, value, where)
    allowed = REFUSED.get((section.kind, key))
    if allowed is not None and value != allowed:
        raise DataError(f"{where}: [{section.kind}] {key}={value} is not supported, only {key}={allowed}")


def _check_numbers(section: _Draft, key: str, value: str, where: str) -> None:
    """Raise a DataError if the numbers of an option are outside its range."""
    low, high = RANGE.get((section.kind, key), (0, -1))
    number = _number(value)
    if low <= high and not (number.is_integer() and low <= number <= high):
        wanted = f"a whole number, at least {low} and at most {high}"
        raise DataError(f"{where}: [{section.kind}] {key}={shorten(value, 40)} must be {wanted}")
    most, largest = LISTS.get((section.kind, key), (0, 0.0))
    words = [word for word in value.split(",") if word.strip()]
    if most and (len(words) > most or any(largest < abs(_number(word)) < math.inf for word in words)):
        raise DataError(
            f"{where}: [{section.kind}] {key}={shorten(value, 40)} must be at most {most} numbers, "
            f"none beyond {largest:g}"
        )


def _check_sections(sections: tuple[Section, ...], name: str) -> None:
    if len(sections) > MAX_LAYERS:
        raise DataError(f"{name}: has {len(sections):,} sections, but at most {MAX_LAYERS:,} are read")
    if not sections or sections[0].kind not in ("net", "network"):
        raise DataError(f"{name}: does not begin with a [net] section; is this a Darknet cfg?")
    for section in sections[1:]:
        if section.kind not in OPTIONS or section.kind == "net":
            raise section.fault("is a section that this program does not know")
    if not any(section.kind in ("yolo", "region") for section in sections):
        raise DataError(f"{name}: has no [yolo] or [region] section, so it detects nothing")
