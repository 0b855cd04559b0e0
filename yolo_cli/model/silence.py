"""Silence the output of libraries."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from yolo_cli.errors import UsageError

__all__ = ["check_backend", "silence"]

BACKENDS = ("tensorflow", "jax", "torch", "openvino")


def check_backend() -> None:
    """Check ``KERAS_BACKEND`` before the import of Keras, which would fail with a traceback.

    Raises:
        UsageError: if ``KERAS_BACKEND`` names a backend that is unknown or not installed.
    """
    name = os.environ.get("KERAS_BACKEND")
    if name and (name not in BACKENDS or find_spec(name) is None):
        raise UsageError(
            f"KERAS_BACKEND={name}: no such backend is installed; install it, or name another "
            f"({', '.join(BACKENDS)})"
        )


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
