"""Fetch a model: download its file, check its hash, and import it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

from yolo_cli.cache import cache_folder
from yolo_cli.downloads import Digest, Progress, check_address, download
from yolo_cli.errors import DataError, UsageError
from yolo_cli.names import masked_address
from yolo_cli.weights.importing import import_files
from yolo_cli.weights.store import ModelFiles
from yolo_cli.weights.zoo import zoo_model

__all__ = ["Order", "fetch", "order_of"]

COPIES = 5  # bytes that download, import and result take together, for each byte of the file


@dataclass(frozen=True, slots=True)
class Order:
    """What is fetched, and how it is imported.

    Attributes:
        name: what it is saved as, unless the user names it.
        url: the address.
        digest: the hash of its file.
        size: bytes of its file; None if not known.
        names: the file with its class names.
        cfg: of Darknet's ``.weights``, the file with the network; else None.
        about: fields of its model card.
    """

    name: str
    url: str
    digest: Digest
    size: int | None
    names: Path
    cfg: Path | None
    about: Mapping[str, Any]

    def to_text(self) -> str:
        """What is about to be downloaded, its size and its licence, in one line."""
        size = f"{self.size / 2**20:.1f} MiB" if self.size else "size not known"
        origin, licence = masked_address(self.url), self.about.get("licence", "not stated")
        return f"{self.name}: {size} from {origin}; licence: {licence}"


def order_of(
    name: str, digest: str | None = None, names: Path | None = None, cfg: Path | None = None
) -> Order:
    """The order for a name of the zoo, or for an address.

    Args:
        name: the name or address.
        digest: its SHA-256; needed for an address, and where the zoo knows none.
        names: class names, one a line; needed for an address.
        cfg: the network of Darknet's ``.weights`` from an address.

    Raises:
        UsageError: if there is no such name, or something that is needed is missing.
    """
    if "://" in name:
        return _from_address(name, digest, names, cfg)
    model = zoo_model(name)
    given = Digest("sha256", digest) if digest else model.digest
    if given is None:
        raise UsageError(f"{name}: no public hash of {model.url} is known; give the file's own with --sha256")
    return Order(name, model.url, given, model.size, names or model.names, cfg or model.cfg, model.about)


def _from_address(url: str, digest: str | None, names: Path | None, cfg: Path | None) -> Order:
    check_address(url)
    shown = masked_address(url)
    if digest is None:
        raise UsageError(f"{shown}: give the file's hash with --sha256; without it, nobody knows what came")
    if names is None:
        raise UsageError(f"{shown}: give its class names, one a line, with --names")
    if _file_name(url).endswith(".weights") and cfg is None:
        raise UsageError(f"{shown}: give the network of this Darknet model with --cfg")
    about = {"origin": f"Downloaded from {shown}."}
    return Order(Path(_file_name(url)).stem, url, Digest("sha256", digest), None, names, cfg, about)


def fetch(
    order: Order, out: Path, *, half: bool = False, progress: Progress = lambda blocks, _: blocks
) -> ModelFiles:
    """Download, check and import a model, as ``out.keras``, ``out.onnx`` and ``out.md``.

    Nothing else is left: the download is deleted when it is imported or cannot be. Only of a download that
    was cut is the first part kept in the cache, for the next try.

    Raises:
        DataError: if it cannot be downloaded, has another hash, or cannot be imported.
    """
    with _folder(order.url) as folder:
        _check_space(folder, order)
        file = folder / _file_name(order.url)
        download(order.url, order.digest, file, progress)
        files = [order.cfg, file] if order.cfg else [file]
        try:
            return import_files(files, order.names, out, half=half, about=dict(order.about))
        finally:
            file.unlink(missing_ok=True)


@contextmanager
def _folder(url: str) -> Iterator[Path]:
    """A folder for the download of ``url``: the same one every time, or without a cache a temporary one."""
    cache = cache_folder(f"downloads/{sha256(url.encode()).hexdigest()[:16]}")
    if cache is None:
        with TemporaryDirectory() as folder:
            yield Path(folder)
        return
    try:
        yield cache
    finally:
        if not any(cache.iterdir()):
            cache.rmdir()


def _check_space(folder: Path, order: Order) -> None:
    """Raise a DataError if the disk is too full for what is fetched."""
    free, needed = shutil.disk_usage(folder).free, COPIES * (order.size or 0)
    if free < needed:
        sizes = f"{needed / 2**20:.0f} MiB to fetch {order.name}, but {free / 2**20:.0f} are free"
        raise DataError(f"{folder}: needs {sizes}")


def _file_name(url: str) -> str:
    """The last part of an address's path: it ends in what the file is."""
    return Path(unquote(urlsplit(url).path)).name
