"""A ``.cfg`` as plain data.

The rules are those of AlexeyAB/darknet. Where a section or an option is unknown, the error names its
line: silently skipping one would give a network that runs and is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yolo_cli.darknet.options import ACTIVATIONS, OPTIONS, REFUSED
from yolo_cli.errors import DataError

__all__ = ["Network", "Section", "read_cfg", "read_names", "shapes"]


@dataclass(frozen=True, slots=True)
class Section:
    """One ``[section]`` of a cfg.

    Attributes:
        kind: the word in brackets.
        options: what it says, as text.
        line: where it begins, counted from 1.
        file: the cfg's name, for messages.
    """

    kind: str
    options: Mapping[str, str]
    line: int
    file: str

    def integer(self, key: str, default: int | None = None) -> int:
        """The whole number under ``key``."""
        return int(self._number(key, default))

    def real(self, key: str, default: float | None = None) -> float:
        """The number under ``key``."""
        return float(self._number(key, default))

    def text(self, key: str, default: str) -> str:
        """The word under ``key``."""
        return self.options.get(key, default)

    def reals(self, key: str) -> tuple[float, ...]:
        """The numbers under ``key``, which are separated by commas."""
        words = [word for word in self.options.get(key, "").split(",") if word.strip()]
        try:
            return tuple(float(word) for word in words)
        except ValueError:
            raise self.fault(f"{key}={self.options[key]} is not a list of numbers") from None

    def integers(self, key: str) -> tuple[int, ...]:
        """The whole numbers under ``key``, which are separated by commas."""
        return tuple(int(value) for value in self.reals(key))

    def fault(self, what: str) -> DataError:
        """An error that says where in the cfg the fault lies."""
        return DataError(f"{self.file}:{self.line}: [{self.kind}] {what}")

    def _number(self, key: str, default: float | None) -> float:
        if key not in self.options and default is not None:
            return default
        try:
            return float(self.options[key])
        except KeyError:
            raise self.fault(f"needs {key}=") from None
        except ValueError:
            raise self.fault(f"{key}={self.options[key]} is not a number") from None


@dataclass(frozen=True, slots=True)
class Network:
    """A cfg: ``[net]`` and the layers that follow it, counted from 0."""

    net: Section
    layers: tuple[Section, ...]

    def references(self, index: int, key: str) -> tuple[int, ...]:
        """The absolute indices that layer ``index`` names under ``key``; a negative one counts back."""
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
        DataError: if the file cannot be read, or holds a section, option or activation that is not known.
    """
    path = Path(path)
    drafts: list[_Draft] = []
    for number, raw in enumerate(_lines(path), start=1):
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
            drafts[-1].options[key.strip()] = value.strip()
    sections = tuple(Section(d.kind, d.options, d.line, path.name) for d in drafts)
    _check_sections(sections, path.name)
    return Network(sections[0], sections[1:])


def read_names(path: str | Path) -> tuple[str, ...]:
    """Read class names, one a line; empty lines at the end do not count."""
    names = [line.strip() for line in _lines(Path(path))]
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise DataError(f"{path}: holds {'an empty line between names' if names else 'no class names'}")
    return tuple(names)


def shapes(network: Network) -> list[tuple[int, float]]:
    """(channels, stride) of every layer's output; the stride is in pixels of the network's input.

    After ``[avgpool]``, which leaves one cell, the stride is infinite.
    """
    found: list[tuple[int, float]] = []
    for index, layer in enumerate(network.layers):
        before = found[-1] if found else (network.net.integer("channels", 3), 1.0)
        found.append(_shape_of(network, index, layer, before, found))
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror})") from None


def _check_option(section: _Draft, key: str, value: str, where: str) -> None:
    known = OPTIONS.get(section.kind)
    if known is None:
        return  # the section itself is refused, with its own line
    if key not in known:
        raise DataError(f"{where}: [{section.kind}] has no option '{key}' that this program knows")
    if key == "activation" and value not in ACTIVATIONS:
        raise DataError(
            f"{where}: the activation '{value}' is not known; known are {', '.join(sorted(ACTIVATIONS))}"
        )
    allowed = REFUSED.get((section.kind, key))
    if allowed is not None and value != allowed:
        raise DataError(f"{where}: [{section.kind}] {key}={value} is not supported, only {key}={allowed}")


def _check_sections(sections: tuple[Section, ...], name: str) -> None:
    if not sections or sections[0].kind not in ("net", "network"):
        raise DataError(f"{name}: does not begin with a [net] section; is this a Darknet cfg?")
    for section in sections[1:]:
        if section.kind not in OPTIONS or section.kind == "net":
            raise section.fault("is a section that this program does not know")
    if not any(section.kind in ("yolo", "region") for section in sections):
        raise DataError(f"{name}: has no [yolo] or [region] section, so it detects nothing")


def _shape_of(
    network: Network, index: int, layer: Section, before: tuple[int, float], found: list[tuple[int, float]]
) -> tuple[int, float]:
    channels, stride = before
    match layer.kind:
        case "convolutional":
            return layer.integer("filters", 1), stride * layer.integer("stride", 1)
        case "maxpool":
            return channels, stride * layer.integer("stride", 1)
        case "avgpool":
            return channels, float("inf")
        case "upsample":
            return channels, stride / layer.integer("stride", 2)
        case "reorg" | "reorg3d":
            step = layer.integer("stride", 1)
            return channels * step**2, stride * step
        case "route":
            sources = [found[n] for n in network.references(index, "layers")]
            return sum(c // layer.integer("groups", 1) for c, _ in sources), sources[0][1]
        case "scale_channels":
            return found[network.references(index, "from")[0]]
    return before
