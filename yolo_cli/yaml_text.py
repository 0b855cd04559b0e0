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
class _Count:
    """Counts values as if aliases were written out, event by event.

    ``open`` has the anchor and the number of values of each collection that is not closed yet.
    """

    open: list[tuple[str | None, int]] = field(default_factory=list)
    anchors: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def add(self, event: Any, yaml: Any) -> None:
        """Count one event; raises ValueError if it is one too many."""
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append((event.anchor, 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(*self.open.pop())
        elif isinstance(event, yaml.AliasEvent):
            self._close(None, self._of(event.anchor))
        elif isinstance(event, yaml.ScalarEvent):
            if not event.style and _LONG_NUMBER.fullmatch(event.value):
                raise ValueError(f"line {event.start_mark.line + 1}: a number of {len(event.value)} digits")
            self._close(event.anchor, 1)
        if len(self.open) > MAX_DEPTH:
            raise ValueError(f"lists in lists, more than {MAX_DEPTH} deep")
        if self.total > MAX_NODES or (self.open and self.open[-1][1] > MAX_NODES):
            raise ValueError(f"over {MAX_NODES:,} values, with those that its aliases repeat")

    def _close(self, anchor: str | None, size: int) -> None:
        """Note a complete value of ``size`` values."""
        if anchor is not None:
            self.anchors[anchor] = size
        if self.open:
            above, count = self.open[-1]
            self.open[-1] = above, count + size
        self.total += 1

    def _of(self, anchor: str) -> int:
        if anchor not in self.anchors:
            raise ValueError(f"the alias *{anchor[:40]} names nothing that is complete before it")
        return self.anchors[anchor]
