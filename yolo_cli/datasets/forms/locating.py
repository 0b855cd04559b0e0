"""Find the image files that an export names: by path, URL, upload name or stem."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from yolo_cli.datasets.layout import images_below, plain
from yolo_cli.files import find_files
from yolo_cli.images import SUFFIXES
from yolo_cli.text import fixed_slashes, shorten

__all__ = ["Images"]

_UPLOAD = re.compile(r"[0-9a-f]{6,8}-(?=.)")  # Label Studio's uploads: "3f1c09ab-cat.jpg"
_DEEPEST = 8  # parts of a path that are compared
_LONGEST = 4096  # characters of a path


class Images:
    """The image files of a data set's folder, listed when they are first needed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._tails: dict[int, dict[str, list[Path]]] = {}

    def find(self, named: str, near: Path) -> tuple[Path | None, str]:
        """The image that a label file in the folder ``near`` names, or None and why not.

        A relative path is tried from that folder and from the root; else the image below the root whose path
        ends most like the given one is taken, if it is the only one. Suffixes may be missing.
        """
        if not named or len(named) > _LONGEST or "\0" in named:
            return None, "the image's name is empty or too long"
        for text in _spellings(named):
            direct = next((path for path in _direct(text, near, self.root) if path.is_file()), None)
            if direct is not None:
                return direct, ""
        for text in _spellings(named):
            found = self._alike(text)
            if len(found) > 1:
                return None, f"{len(found)} images are called {shorten(Path(text).name)!r}"
            if found:
                return found[0], ""
        return None, "the image is listed but missing"

    def unlisted(self, listed: set[Path]) -> Iterator[Path]:
        """The images that are not listed, but in a folder with one that is."""
        for folder in sorted({path.parent for path in listed}):
            paths = (plain(path) for path in find_files(folder, SUFFIXES, recursive=False))
            yield from (path for path in paths if path not in listed)

    def _alike(self, text: str) -> list[Path]:
        """The images whose path ends most like the given one, at least in the name, else in the stem."""
        parts = text.lower().split("/")
        for depth in range(min(len(parts), _DEEPEST), 0, -1):
            found = self._by_tail(depth).get("/".join(parts[-depth:]))
            if found:
                return found
        return self._by_stem.get(parts[-1], [])

    @cached_property
    def _all(self) -> list[Path]:
        """Every image below the root."""
        return [plain(path) for path in images_below(self.root)]

    def _by_tail(self, depth: int) -> dict[str, list[Path]]:
        """The images by the last ``depth`` parts of their paths, in lower case."""
        if depth not in self._tails:
            found: defaultdict[str, list[Path]] = defaultdict(list)
            for path in self._all:
                found["/".join(path.parts[-depth:]).lower()].append(path)
            self._tails[depth] = dict(found)
        return self._tails[depth]

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        """The images by file name without suffix, in lower case."""
        found: defaultdict[str, list[Path]] = defaultdict(list)
        for path in self._all:
            found[path.stem.lower()].append(path)
        return dict(found)


def _spellings(named: str) -> Iterator[str]:
    """The path in what an export names: as it is, without URL parts, without an upload's prefix."""
    text = fixed_slashes(named)
    yield text
    if "?d=" in text:  # Label Studio's local files: /data/local-files/?d=folder/cat.jpg
        text = text.split("?d=", 1)[1]
    elif "://" in text:
        text = re.split(r"[?#]", text.split("://", 1)[1])[0]
    text = unquote(text.removeprefix("file:"))
    yield text
    folder, _, name = text.rpartition("/")
    bare = _UPLOAD.sub("", name, count=1) if _UPLOAD.match(name) else name
    if bare != name:
        yield f"{folder}/{bare}" if folder else bare


def _direct(text: str, near: Path, root: Path) -> Iterator[Path]:
    """Places that a relative path may mean. Absolute ones come from another computer."""
    if text.startswith("/") or ":" in text or not text.lower().endswith(SUFFIXES):
        return
    for place in dict.fromkeys((near, root)):
        path = plain(place / text)
        if max(map(len, path.parts)) <= 255 and os.path.lexists(path):
            yield path
