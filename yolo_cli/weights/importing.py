"""Import the models of other programs: Darknet, and NanoDet-Plus as ncnn, ONNX or PyTorch files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from yolo_cli.errors import UsageError
from yolo_cli.weights.card import ModelCard
from yolo_cli.weights.darknet_import import darknet_model
from yolo_cli.weights.nanodet_import import nanodet_model
from yolo_cli.weights.save import save_model
from yolo_cli.weights.store import ModelFiles

__all__ = ["import_files"]

_ONE_FILE = (".onnx", ".pth", ".ckpt")


def import_files(
    files: Sequence[Path],
    names: Path,
    out: Path,
    *,
    half: bool = False,
    about: dict[str, Any] | None = None,
) -> ModelFiles:
    """Write ``out.keras``, ``out.onnx`` and ``out.md`` for a model of another program.

    Args:
        files: a Darknet ``.cfg`` and ``.weights``; or of a NanoDet-Plus the ``.param`` and ``.bin``, or the
            ``.onnx``, ``.pth`` or ``.ckpt``.
        names: its class names, one per line.
        out: path of the result, without a suffix.
        half: store kernels as float16, which halves the files.
        about: fields of the card that the files do not contain; see `about.read_about`.

    Raises:
        UsageError: if the files are of no such kind.
        DataError: if they do not fit together.
    """
    model, card = _model(files, names, out.name)
    return save_model(model, replace(card, **(about or {})), out, half=half, page=True)


def _model(files: Sequence[Path], names: Path, name: str) -> tuple[Any, ModelCard]:
    suffixes = tuple(file.suffix.lower() for file in files)
    if suffixes == (".param", ".bin") or (len(files) == 1 and suffixes[0] in _ONE_FILE):
        return nanodet_model(files, names, name)
    if len(files) == 2:  # Darknet's files may have any suffix
        return darknet_model(files[0], files[1], names, name)
    raise UsageError(
        f"{' '.join(map(str, files))}: give the CFG and WEIGHTS of Darknet; or the .param and .bin, "
        "or the .onnx, .pth or .ckpt of a NanoDet-Plus"
    )
