"""Where tests find Keras's other backends; they skip where one is not at hand."""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest

__all__ = ["python_of"]


def python_of(backend: str) -> str:
    """A Python that has the backend: the one that ``YOLO_CLI_BACKEND_PYTHONS`` names, or this one.

    A backend lives in an environment of its own, as in ``jax=/a/bin/python:torch=/b/bin/python``.
    """
    pairs = os.environ.get("YOLO_CLI_BACKEND_PYTHONS", "").split(os.pathsep)
    named = dict(pair.split("=", 1) for pair in pairs if pair)
    if backend in named:
        return named[backend]
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed, and YOLO_CLI_BACKEND_PYTHONS names no interpreter with it")
    return sys.executable
