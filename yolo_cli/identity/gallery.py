"""The gallery: embeddings with the names of those whom they show, in one JSON file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, unreadable
from yolo_cli.files import atomic_write_text, make_folder
from yolo_cli.limits import name_fault
from yolo_cli.locks import locked
from yolo_cli.text import counted, read_json

__all__ = ["MAX_ENTRIES", "Entry", "Gallery", "changed_gallery", "read_gallery", "twins"]

FORMAT = "yolo-cli gallery 1"
MAX_ENTRIES, MAX_DIMENSIONS = 1_000_000, 65_536
LARGEST = 1e6  # value in an embedding
ROUNDING = 1e-4  # of an embedding's length: by how much two of one photo differ

_ENTRY, _GALLERY = {"name", "photo", "embedding"}, {"format", "model", "model_sha256", "entries"}


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One photo of somebody or something.

    Attributes:
        name: who or what it is.
        photo: the photo's file name, to be told from others; nothing is read from it.
        embedding: (D,).
    """

    name: str
    photo: str
    embedding: NDArray[np.float32]


@dataclass(slots=True)
class Gallery:
    """Those who are known.

    Attributes:
        model: the name of the model of the embeddings.
        digest: the SHA-256 of its file.
        entries: in the order in which they were learnt.
    """

    model: str
    digest: str
    entries: list[Entry] = field(default_factory=list)

    @property
    def names(self) -> dict[str, int]:
        """The names, in the order in which they were learnt, with their number of photos."""
        return dict(Counter(entry.name for entry in self.entries))

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """Of all entries, (N, D)."""
        return np.stack([entry.embedding for entry in self.entries])

    def forget(self, name: str) -> int:
        """Remove a name; return how many photos it had."""
        before = len(self.entries)
        self.entries = [entry for entry in self.entries if entry.name != name]
        return before - len(self.entries)


def twins(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of the embeddings (N, D) and (M, D) are equal, up to rounding: those of one photo, (N, M)."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    squares = (a**2).sum(axis=1)[:, None], (b**2).sum(axis=1)[None]
    apart = squares[0] + squares[1] - 2 * a @ b.T
    return np.asarray(apart <= ROUNDING**2 * np.maximum(*squares))


def read_gallery(path: Path, digest: str | None = None, length: int | None = None) -> Gallery:
    """Read a gallery.

    Args:
        path: the file.
        digest: the SHA-256 that its model must have; None accepts any.
        length: of its embeddings; None accepts any.

    Raises:
        DataError: if the file cannot be read, is not a gallery, or is one of another model.
    """
    if not path.is_file() and not path.exists():
        hint = "`yolo identify learn NAME PHOTO` makes one"
        raise unreadable(path, FileNotFoundError(), hint)
    gallery = _parsed(read_json(path, "utf-8"), path)
    if digest is not None and gallery.digest != digest:
        raise DataError(
            f"{path}: was made with another embedding, a model called {gallery.model!r}; "
            "name that one with --embedding, or learn the photos into a new gallery"
        )
    if length is not None and any(len(entry.embedding) != length for entry in gallery.entries):
        has = counted(len(gallery.entries[0].embedding), "number")
        raise DataError(
            f"{path}: its embeddings have {has}, those of {gallery.model!r} {length}; "
            "learn the photos into a new gallery"
        )
    return gallery


@contextmanager
def changed_gallery(path: Path, model: str = "", digest: str | None = None) -> Iterator[Gallery]:
    """A gallery that is written back at the end of the block, unless it raises; nobody else writes meanwhile.

    Args:
        path: the file; if it does not exist, and ``digest`` is given, a new gallery is begun.
        model: the name of a new gallery's model.
        digest: the SHA-256 that the model must have.

    Raises:
        DataError: as `read_gallery`, or if it cannot be written.
    """
    with locked(make_folder(path.resolve().parent)):
        begin = digest is not None and not path.exists()
        gallery = Gallery(model, digest or "") if begin else read_gallery(path, digest)
        yield gallery
        atomic_write_text(path, _text(gallery))


def _text(gallery: Gallery) -> str:
    """The file's text: a line an entry."""
    rows = [json.dumps(_values(entry), ensure_ascii=False) for entry in gallery.entries]
    head = {"format": FORMAT, "model": gallery.model, "model_sha256": gallery.digest}
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "entries": [\n' + ",\n".join(rows) + "\n]}\n"


def _values(entry: Entry) -> dict[str, Any]:
    rounded = [float(f"{value:.6g}") for value in entry.embedding]
    return {"name": entry.name, "photo": entry.photo, "embedding": rounded}


def _parsed(values: Any, path: Path) -> Gallery:
    """A gallery from JSON; DataError names what is wrong."""
    if not isinstance(values, dict) or values.get("format") != FORMAT or set(values) != _GALLERY:
        raise DataError(f"{path}: is not a gallery of this program's `yolo identify learn`")
    rows = values["entries"]
    if not isinstance(rows, list) or len(rows) > MAX_ENTRIES:
        raise DataError(f"{path}: its entries are not a list of at most {MAX_ENTRIES:,}")
    entries = [_entry(row, f"{path}: entry {number}") for number, row in enumerate(rows, start=1)]
    lengths = {len(entry.embedding) for entry in entries}
    if len(lengths) > 1:
        raise DataError(f"{path}: its embeddings have {counted(len(lengths), 'length')}; learn them again")
    return Gallery(str(values["model"]), str(values["model_sha256"]), entries)


def _entry(row: Any, where: str) -> Entry:
    if not isinstance(row, Mapping) or set(row) != _ENTRY:
        raise DataError(f"{where}: does not have the fields {', '.join(sorted(_ENTRY))}")
    for key in ("name", "photo"):
        if fault := name_fault(row[key]):
            raise DataError(f"{where}: {key} {fault}")
    return Entry(row["name"], row["photo"], _vector(row["embedding"], where))


def _vector(values: Any, where: str) -> NDArray[np.float32]:
    fine = isinstance(values, Sequence) and 0 < len(values) <= MAX_DIMENSIONS
    if not fine or not all(_is_number(value) for value in values):
        raise DataError(f"{where}: embedding is not a list of numbers")
    return np.array(values, np.float32)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
