"""A process that makes training images; `launch` starts it. It needs NumPy and OpenCV, no framework."""

from __future__ import annotations

import mmap
import os
import pickle
import traceback
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from struct import Struct
from typing import Any, cast

import cv2
from numpy.typing import NDArray

from yolo_cli.errors import UserError
from yolo_cli.training.yolo.data import BatchMaker, Example
from yolo_cli.training.yolo.memory import Layout, attach
from yolo_cli.training.yolo.shared_images import SharedImages

__all__ = ["REQUEST", "work"]

REQUEST = Struct("<5q")
"""Which example to make, and where to put it: batch, row, epoch, place, whether mosaic is closed.

It is short enough for writes to a pipe to be atomic, so that one read takes one whole request, however many
processes read from the pipe.
"""


def work(setup: int, rows: int, images: int) -> None:
    """Make the examples requested on standard input until it closes; answer each on standard output.

    Args:
        setup: descriptor of a pickled `BatchMaker` and the `Layout` of rows.
        rows: of the memory that examples are written to.
        images: of the memory that decoded images are kept in.
    """
    answers: Connection[Any, Any] = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # output of libraries must not mix with the answers
    cv2.setNumThreads(0)  # there is a process for every core already
    maker, layout = _read(setup)
    shared = SharedImages(maker.images, images)
    with suppress(BrokenPipeError):  # the parent is gone
        _answer(replace(maker, images=shared), shared, attach(rows, layout), answers)


def _read(setup: int) -> tuple[BatchMaker, Layout]:
    with mmap.mmap(setup, 0, access=mmap.ACCESS_READ) as memory:
        maker, layout = pickle.loads(memory)  # noqa: S301 - the parent wrote it
    return maker, layout


def _answer(maker: BatchMaker, shared: SharedImages, rows: dict[str, NDArray[Any]], answers: Any) -> None:
    while request := os.read(0, REQUEST.size):
        batch, row, epoch, place, closed = REQUEST.unpack(request)
        fault = None
        try:
            out = {name: values[batch, row] for name, values in rows.items()}
            maker.write(Example(epoch, place, bool(closed)), out)
        except Exception as error:  # the parent raises it
            fault = _portable(error)
        answers.send((batch, row, shared.take_written(), fault))


def _portable(error: Exception) -> Exception:
    """The error in a form that can be pickled, with its traceback unless the user can fix it."""
    if not isinstance(error, UserError):
        error.add_note("".join(traceback.format_exception(error)))
    try:
        return cast(Exception, pickle.loads(pickle.dumps(error)))  # noqa: S301 - made here
    except Exception:  # pickle raises whatever its objects do
        return RuntimeError("".join(traceback.format_exception(error)))
