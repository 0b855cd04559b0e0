"""Import the models of other programs: Darknet, and NanoDet-Plus as ncnn, ONNX or PyTorch files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yolo_cli.errors import UsageError
from yolo_cli.weights.darknet_import import import_darknet
from yolo_cli.weights.nanodet_import import import_nanodet
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
        about: fields of the card; see `about.read_about`.

    Raises:
        UsageError: if the files are of no such kind.
        DataError: if they do not fit together.
    """
    suffixes = tuple(file.suffix.lower() for file in files)
    if suffixes == (".param", ".bin") or (len(files) == 1 and suffixes[0] in _ONE_FILE):
        return import_nanodet(files, names, out, half=half, about=about)
    if len(files) == 2:  # Darknet's files may have any suffix
        return import_darknet(files[0], files[1], names, out, half=half, about=about)
    raise UsageError(
        f"{' '.join(map(str, files))}: give the CFG and WEIGHTS of Darknet; or the .param and .bin, "
        "or the .onnx, .pth or .ckpt of a NanoDet-Plus"
    )
