"""Keras, on the backend that `yolo_cli.hardware` chooses: the only module that imports it.

Keras takes its backend when it is first imported, so that the choice must come before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from yolo_cli.cache import cache_jax_programs
from yolo_cli.hardware import set_backend
from yolo_cli.runtimes import switch_telemetry_off

__all__ = ["keras", "ops", "silence"]


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


set_backend()
switch_telemetry_off()  # a backend may be OpenVINO
with silence():  # importing Keras imports its backend, which logs
    import keras
    from keras import ops
if keras.backend.backend() == "jax":
    cache_jax_programs()
