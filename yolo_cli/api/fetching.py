"""`fetch_model`: download a published model and import it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypedDict, Unpack

from yolo_cli.api.options import Path, check_options
from yolo_cli.files import path_of
from yolo_cli.text import text_encoding
from yolo_cli.weights import ModelFiles
from yolo_cli.weights.store import new_model

if TYPE_CHECKING:
    from yolo_cli.downloads import Progress

__all__ = ["FetchOptions", "fetch_model"]


class FetchOptions(TypedDict, total=False):
    """The options of ``yolo weights fetch``.

    Attributes:
        sha256: what the file must have, 64 hexadecimal digits; needed for an address.
        names: a file with its class names, one per line; needed for an address.
        cfg: the network of a Darknet model from an address.
        half: store kernels as float16, which halves the files.
        exist_ok: overwrite an existing model.
        encoding: of text files; None is UTF-8.
    """

    sha256: str | None
    names: Path | None
    cfg: Path | None
    half: bool
    exist_ok: bool
    encoding: str | None


def fetch_model(
    name: str,
    out: str | os.PathLike[str] | None = None,
    *,
    on_start: Callable[[str], object] | None = None,
    progress: Progress | None = None,
    **options: Unpack[FetchOptions],
) -> ModelFiles:
    """Download a model, check its hash, and write it as ``out.keras``, ``out.onnx`` and ``out.md``.

    Apart from addresses that are given, only this and `train` with ``backbone_weights="imagenet"`` use the
    network.

    Args:
        name: a name of ``weights/zoo.yaml``, or the address of a Darknet ``.weights`` file or a NanoDet-Plus.
        out: a name, for a model in ``./weights``, or a path without a suffix; None is the model's own name.
        on_start: called with one line, size and licence, before the download begins.
        progress: passes on the blocks of the download, of 1 MiB, of which it is told the number.
        **options: see `FetchOptions`: ``sha256``, ``names``, ``cfg``, ``half``, ``exist_ok``, ``encoding``.

    Returns:
        The files; ``onnx`` is None if a package that writes it is missing.

    Raises:
        UserError: if the model is unknown, exists, cannot be downloaded, or has another hash.
    """
    from yolo_cli.weights.fetching import fetch, order_of

    check_options(options, FetchOptions)
    names, cfg = (path_of(file, key) if (file := options.get(key)) else None for key in ("names", "cfg"))
    order = order_of(name, options.get("sha256"), names, cfg)
    target = new_model(path_of(out or order.name, "out"), options.get("exist_ok", False))
    if on_start:
        on_start(order.to_text())
    with text_encoding(options.get("encoding")):
        half = options.get("half", False)
        return fetch(order, target, half=half, **({"progress": progress} if progress else {}))
