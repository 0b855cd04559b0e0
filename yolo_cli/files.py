"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError

__all__ = ["write_whole"]


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` make a draft beside ``path`` that takes its place once it is safe on the disk.

    Raises:
        DataError: if there is no room, or no right to write; ``path`` is then as it was.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as fault:
        reason = fault.strerror or fault
        raise DataError(f"{path}: cannot be written ({reason}); what was saved before is whole") from None
    finally:
        draft.unlink(missing_ok=True)
