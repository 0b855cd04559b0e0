"""Sources → shards: parts of the work that are done, written and repeated as a whole."""

from __future__ import annotations

import glob
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import find_files, locate
from yolo_cli.images import SUFFIXES, decode_image, read_image
from yolo_cli.inputs import InputItem
from yolo_cli.sources import open_source

__all__ = ["Shard", "plan_shards"]

_ARCHIVES = (".parquet", ".tar")
_PATHS = ("path", "file", "file_name", "image")  # columns of paths, in order of preference
_MAX_BYTES = 1 << 30  # of a member that can be an image
_BYTES = ("bytes", "image_bytes", "content", "jpg", "png")  # columns of the content of image files


@dataclass(frozen=True, slots=True)
class Shard:
    """Images that become one file of the output.

    Attributes:
        number: its place among all, from 0.
        names: image files; empty if the images are in an archive.
        archive: a Parquet file of paths or bytes, or a webdataset tar; "" if there is none.
        row_group: of a Parquet file.
    """

    number: int
    names: tuple[str, ...] = ()
    archive: str = ""
    row_group: int = 0

    def items(self) -> Iterator[InputItem]:
        """Its images, in order, not read yet."""
        if not self.archive:
            yield from (InputItem(name, partial(read_image, name)) for name in self.names)
            return
        try:
            items = _in_tar(self.archive) if self.archive.endswith(".tar") else _in_parquet(self)
            yield from items
        except (DataError, OSError, tarfile.TarError) as fault:
            yield _unreadable(self.archive, fault)


def plan_shards(arguments: Sequence[str], *, recursive: bool = False, size: int = 256) -> list[Shard]:
    """The shards of sources, in order.

    Args:
        arguments: Parquet files, tars, folders or globs of these; else folders, globs, lists and files of
            images, as for ``yolo detect``.
        recursive: search folders within folders for images.
        size: maximum number of image files in a shard. An archive has shards of its own: a row group, or all
            of a tar.

    Raises:
        UserError: if there is nothing to detect on, or a source gives frames.
    """
    archives = [path for argument in arguments for path in _archives(argument)]
    others = [argument for argument in arguments if not _archives(argument)]
    parts: list[dict[str, Any]] = [part for path in archives for part in _parts(path)]
    if others or not arguments:
        source = open_source(others, recursive=recursive)
        if source.has_frames:
            raise UsageError("--ray: takes images, not videos or streams; run `yolo detect` on those")
        names = [entry.name for entry in source.entries]
        parts += [{"names": tuple(names[start : start + size])} for start in range(0, len(names), size)]
    return [Shard(number, **part) for number, part in enumerate(parts)]


def _archives(argument: str) -> list[str]:
    """The Parquet files and tars that an argument names, sorted."""
    if Path(argument).is_dir():
        return sorted(find_files(Path(argument), _ARCHIVES))
    paths = glob.glob(argument) if glob.has_magic(argument) else [argument]  # noqa: PTH207 - absolute, too
    return sorted(path for path in paths if path.lower().endswith(_ARCHIVES))


def _parts(path: str) -> Iterator[dict[str, Any]]:
    """What the shards of an archive are made of."""
    groups = 1 if path.lower().endswith(".tar") else _open_parquet(path).num_row_groups
    for group in range(groups):
        yield {"archive": path, "row_group": group}


def _in_tar(path: str) -> Iterator[InputItem]:
    """The images of a webdataset shard, in the order in which they were written."""
    with tarfile.open(path, "r|") as archive:
        for member in archive:
            if not member.isfile() or not member.name.lower().endswith(SUFFIXES):
                continue
            name = f"{path}/{member.name}"
            if member.size > _MAX_BYTES:
                yield _unreadable(name, "is too large for an image")
                continue
            data = archive.extractfile(member)
            yield _from_bytes(name, data.read() if data else b"")


def _in_parquet(shard: Shard) -> Iterator[InputItem]:
    """The images of a row group: their bytes, or the files that its paths name."""
    file = _open_parquet(shard.archive)
    names = file.schema_arrow.names
    of_bytes = next((name for name in _BYTES if name in names), None)
    of_paths = next((name for name in _PATHS if name in names), None)
    wanted = [name for name in (of_bytes, of_paths) if name]
    if not wanted:
        raise DataError(f"{shard.archive}: needs a column {' or '.join((*_PATHS[:1], *_BYTES[:1]))}")
    rows = file.read_row_group(shard.row_group, columns=wanted).to_pylist()
    for number, row in enumerate(rows):
        value: Any = row.get(of_paths or "")
        data = row.get(of_bytes or "")
        if isinstance(value, dict):  # an image of Hugging Face
            value, data = value.get("path"), value.get("bytes")
        name = value or f"{shard.archive}#{shard.row_group}-{number}"
        if data is not None:
            yield _from_bytes(name, data)
        else:
            place = locate(name, Path(shard.archive).parent, Path())
            yield InputItem(name, partial(read_image, place, name))


def _open_parquet(path: str) -> Any:
    """A Parquet file.

    Raises:
        DataError: if it cannot be read.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(path)
    except (pa.ArrowException, OSError) as fault:
        raise DataError(f"{path}: is not a Parquet file that can be read ({str(fault)[:80]})") from None


def _from_bytes(name: str, data: bytes) -> InputItem:
    return InputItem(name, partial(decode_image, data, name))


def _unreadable(name: str, fault: object) -> InputItem:
    """An item whose reading fails."""
    text = fault.text if isinstance(fault, DataError) else f"{name}: {fault}"

    def read() -> Any:
        raise DataError(text)

    return InputItem(name, read)
