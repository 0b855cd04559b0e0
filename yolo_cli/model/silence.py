"""Silence the output of libraries."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["silence"]


@contextmanager
def silence() -> Iterator[None]:
    """Discard everything written to file descriptor 2 inside the block.

    TensorFlow logs about drivers and instruction sets before its log level takes effect, bypassing
    ``sys.stderr``. Errors are not lost: they are Python exceptions.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
