"""Replace all files of a model together: ``NAME.keras``, ``NAME.onnx`` and ``NAME.md``.

A file system renames one file at a time. So the new files are written into a hidden folder beside the model,
which is renamed to ``.NAME.yolo-new`` when they are whole and on the disk: from this moment on, they are the
model. Then they move to their places one by one. What a crash between these moves leaves is finished by
`settle`, which everything that looks for models calls; where it may not write, readers find the rest with
`current`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST, ENOTEMPTY
from pathlib import Path

from yolo_cli.errors import DataError
from yolo_cli.files import draft_of, make_folder, remove_folder, unwritable
from yolo_cli.locks import locked
from yolo_cli.names import short_name

__all__ = ["MODEL_SUFFIXES", "current", "model_folder", "settle", "settle_all"]

MODEL_SUFFIXES = (".keras", ".onnx", ".md")
_GONE = ".gone"  # NAME.onnx.gone: the new model has no such file, so the old one is removed
_STAGED = ".yolo-new"


@contextmanager
def model_folder(out: Path) -> Iterator[Path]:
    """A temporary folder whose files become those of the model ``out`` when the block ends.

    Files of the old model whose kind is not among them are removed. On failure the old model stays.

    Args:
        out: the path of the model without a suffix; the files are called after it.

    Raises:
        DataError: if a file cannot be written.
    """
    draft = draft_of(make_folder(out.parent) / out.name)
    try:
        draft.mkdir()
        yield draft
        _mark_missing(draft, out)
        _commit(draft, out)
    except OSError as fault:
        raise unwritable(out, fault) from None
    finally:
        remove_folder(draft)


def settle(out: Path) -> None:
    """Finish what a crash interrupted: move the files of ``.NAME.yolo-new`` to their places."""
    staged = _staged(out)
    if os.path.isdir(staged):  # noqa: PTH112 - false for names that are too long
        with suppress(OSError), locked(out.parent):  # a folder that only others may write
            _move(staged)


def settle_all(folder: Path) -> None:
    """`settle` every model of a folder."""
    for staged in folder.glob(f".*{_STAGED}"):
        if staged.is_dir():
            with suppress(OSError), locked(folder):
                _move(staged)


def current(out: Path, suffix: str) -> Path | None:
    """Where a file of a model is; None if it has no such file."""
    name = out.name + suffix
    staged, place = _staged(out), out.with_name(name)
    if os.path.exists(staged / (name + _GONE)):  # noqa: PTH110
        return None
    return next((path for path in (staged / name, place) if os.path.isfile(path)), None)  # noqa: PTH113


def _staged(out: Path) -> Path:
    return out.with_name(short_name(f".{out.name}", _STAGED))


def _mark_missing(draft: Path, out: Path) -> None:
    """Leave a mark for each old file that has no successor, and flush the names to the disk."""
    for suffix in MODEL_SUFFIXES:
        name = out.name + suffix
        if out.with_name(name).is_dir():
            raise DataError(f"{out.with_name(name)}: is a folder; move it away, or choose another name")
        if not (draft / name).exists():
            (draft / (name + _GONE)).touch()
    with suppress(OSError):  # Windows opens no folders
        descriptor = os.open(draft, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _commit(draft: Path, out: Path) -> None:
    """Make the draft the model."""
    staged = _staged(out)
    with locked(out.parent):
        while True:
            _move(staged)
            try:
                draft.rename(staged)
                break
            except OSError as fault:
                if fault.errno not in (EEXIST, ENOTEMPTY):  # another one's, where there are no locks
                    raise
        _move(staged)


def _move(staged: Path) -> None:
    """Move the files of a staged folder to their places; whatever is interrupted can be repeated."""
    if staged.is_symlink() or not staged.is_dir():
        return
    for file in sorted(staged.iterdir()):
        place = staged.parent / file.name.removesuffix(_GONE)
        with suppress(FileNotFoundError):
            if file.name.endswith(_GONE):
                place.unlink(missing_ok=True)
                file.unlink()
            else:
                file.replace(place)
    with suppress(OSError):
        staged.rmdir()
