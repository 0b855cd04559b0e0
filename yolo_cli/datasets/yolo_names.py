"""Class names of a YOLO data set: in its description, or in files beside its labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import below, name_findings
from yolo_cli.errors import DataError
from yolo_cli.files import locate
from yolo_cli.text import fixed_slashes, number, read_lines, read_yaml, shorten

__all__ = [
    "NAME_FILES",
    "count_findings",
    "described_names",
    "name_lines",
    "names_beside",
    "names_inside",
    "names_of",
    "numbered_names",
    "text_value",
]

NAME_FILES = ("classes.txt", "labels.txt", "obj.names", "_darknet.labels")
"""Files of other tools beside labels, with one class name per line."""


def names_of(value: Any, place: Path) -> tuple[str, ...] | None:
    """Class names from a list, a mapping from numbers, or a file with one name per line."""
    if not value:
        return None
    if isinstance(value, str):
        return _name_file(value, place)
    if isinstance(value, dict):
        value = _by_number(value, place)
    return tuple(text_value(name, place, "names").strip() for name in value)


def _name_file(text: str, place: Path) -> tuple[str, ...]:
    """Class names from the file that ``names`` names; raises DataError if it cannot mean a file."""
    path = locate(fixed_slashes(text), place.parent)
    if not path.is_file() and not re.search(r"[/\\]|\.\w{2,5}$", text):
        blank = "; after a colon there must be a blank" if re.match(r"\d+:", text) else ""
        raise DataError(
            f"{place}: names must be a list, such as names: [cat, dog], not {shorten(text, 40)!r}{blank}"
        )
    return name_lines(path)


def _by_number(names: Mapping[Any, Any], place: Path) -> list[Any]:
    """The values of ``names`` in the order of their keys, which must be 0, 1, 2 …."""
    numbers = {number(key): name for key, name in names.items()}
    missing = next((i for i in range(len(names)) if i not in numbers), None)
    if missing is not None:
        raise DataError(f"{place}: names has no class {missing}; number its classes 0, 1, 2 … without gaps")
    return [numbers[i] for i in range(len(names))]


def names_beside(
    root: Path, names: tuple[str, ...] | None, source: str
) -> tuple[tuple[str, ...] | None, list[Finding]]:
    """The class names, if None from a file beside the labels; and findings if the two differ."""
    findings = []
    for folder in (root, root / "labels"):
        for path in (folder / name for name in NAME_FILES):
            if path.is_file():
                others = name_lines(path)
                if names is None:
                    names, source = others, below(path, root)
                elif names != others:
                    what = f"names {_differ(names, others)} than {source}"
                    findings.append(Finding("Y402", below(path, root), what))
    return names, findings + name_findings(names or (), source)


def names_inside(root: Path, folders: Iterable[Path]) -> tuple[str, ...] | None:
    """The class names of the files in folders of one data set, or None if there are none.

    Raises:
        DataError: if two of them differ, other than that one has more.
    """
    paths = [path for folder in folders for name in NAME_FILES if (path := folder / name).is_file()]
    found = {path: name_lines(path) for path in paths}
    longest = max(found, key=lambda path: len(found[path]), default=None)
    for path, names in found.items():
        if longest and names != found[longest][: len(names)]:
            what = f"{below(path, root)} names {_differ(found[longest], names)} than {below(longest, root)}"
            raise DataError(f"{root}: {what}; make them agree, or name one folder with --data")
    return found[longest] if longest else None


def described_names(folder: Path) -> tuple[tuple[str, ...] | None, str]:
    """The class names of a ``data.yaml`` that names no images, as supervision writes it, and its name."""
    path = folder / "data.yaml"
    if not path.is_file():
        return None, ""
    return names_of(read_yaml(path, strings=True).get("names"), path), path.name


def _differ(names: Sequence[str], others: Sequence[str]) -> str:
    """A description of how two lists of names differ."""
    if len(names) != len(others):
        return f"{len(others)} classes, other"
    at = next(i for i, pair in enumerate(zip(names, others, strict=True)) if pair[0] != pair[1])
    return f"class {at} {shorten(others[at])!r}, otherwise"


def name_lines(path: Path) -> tuple[str, ...]:
    """Class names from a file with one per line; blank lines at the end are ignored."""
    return tuple(read_lines(path))


def numbered_names(count: Any) -> tuple[str, ...] | None:
    """Numbers as names, if a description has only the number of classes."""
    value = number(count)
    return tuple(str(i) for i in range(int(value))) if value and 0 < value <= 100_000 else None


def count_findings(count: Any, names: tuple[str, ...] | None, source: str) -> Iterator[Finding]:
    """A finding if ``nc`` is not the number of names."""
    if count is not None and names is not None and number(count) != len(names):
        yield Finding("Y402", source, f"nc is {shorten(count)}, but there are {len(names)} names")


def text_value(value: Any, place: Path, key: str) -> str:
    """A text of a description; raises DataError for a list or mapping."""
    if not isinstance(value, str):
        raise DataError(f"{place}: {key} must hold text, not a {type(value).__name__}; fix it")
    return value
