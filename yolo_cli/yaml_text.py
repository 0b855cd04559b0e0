"""Parse YAML of strangers: bounded in values, depth and what its aliases repeat, before anything is built."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from yolo_cli.limits import MAX_DEPTH, MAX_NODES, MAX_YAML

__all__ = ["parse_yaml"]

_LONG_NUMBER = re.compile(r"[-+0-9:_.]{100,}")  # in base 60, time would grow with the square of the length


def parse_yaml(text: str, strings: bool = False) -> Any:
    """The value in a YAML text.

    Args:
        text: the text.
        strings: return every scalar as a string.

    Raises:
        ValueError: if it has too many values, counting those that aliases repeat, or is too long or deep.
        yaml.YAMLError: if it is not YAML.

    >>> parse_yaml("a: [1, no]"), parse_yaml("a: [1, no]", strings=True)
    ({'a': [1, False]}, {'a': ['1', 'no']})
    """
    import yaml

    if len(text) > MAX_YAML:
        raise ValueError(f"over {MAX_YAML >> 20} MiB are not read")
    # libyaml is ten times as fast; a PyYAML built without it has only the others.
    kind = "BaseLoader" if strings else "SafeLoader"
    loader = getattr(yaml, f"C{kind}", getattr(yaml, kind))
    count = _Count()
    for event in yaml.parse(text, loader):
        count.add(event, yaml)
    return yaml.load(text, loader)  # noqa: S506 - both are safe


@dataclass(slots=True)
class _Open:
    """A collection that is not closed yet.

    Attributes:
        anchor: its name for aliases, or None.
        keys: those of a mapping so far; None of a list.
        size: the number of its values so far, itself included.
        is_key: whether the next thing in a mapping is a key.
    """

    anchor: str | None
    keys: set[str] | None
    size: int = 1
    is_key: bool = True


@dataclass(slots=True)
class _Count:
    """Counts values as if aliases were written out, event by event; of mappings, it checks the keys."""

    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def add(self, event: Any, yaml: Any) -> None:
        """Count one event; raises ValueError if it is one too many, or a key for the second time."""
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append(
                _Open(event.anchor, set() if isinstance(event, yaml.MappingStartEvent) else None)
            )
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self.open.pop()
            self._close(closed.anchor, closed.size)
        elif isinstance(event, yaml.AliasEvent):
            self._close(None, self._of(event.anchor))
        elif isinstance(event, yaml.ScalarEvent):
            self._check(event)
            self._close(event.anchor, 1)
        if len(self.open) > MAX_DEPTH:
            raise ValueError(f"lists in lists, more than {MAX_DEPTH} deep")
        if self.total > MAX_NODES or (self.open and self.open[-1].size > MAX_NODES):
            raise ValueError(f"over {MAX_NODES:,} values, with those that its aliases repeat")

    def _check(self, scalar: Any) -> None:
        """Raise a ValueError for a number that is too long, and a key that its mapping has already."""
        line = scalar.start_mark.line + 1
        if not scalar.style and _LONG_NUMBER.fullmatch(scalar.value):
            raise ValueError(f"line {line}: a number of {len(scalar.value)} digits")
        above = self.open[-1] if self.open else None
        if above and above.keys is not None and above.is_key:
            if scalar.value in above.keys:  # YAML 1.2, 3.2.1.3; PyYAML would keep the last
                raise ValueError(f"line {line}: the key {scalar.value[:40]!r} is there twice; remove one")
            above.keys.add(scalar.value)

    def _close(self, anchor: str | None, size: int) -> None:
        """Note a complete value of ``size`` values."""
        if anchor is not None:
            self.anchors[anchor] = size
        if self.open:
            above = self.open[-1]
            above.size, above.is_key = above.size + size, not above.is_key
        self.total += 1

    def _of(self, anchor: str) -> int:
        if anchor not in self.anchors:
            raise ValueError(f"the alias *{anchor[:40]} names nothing that is complete before it")
        return self.anchors[anchor]
