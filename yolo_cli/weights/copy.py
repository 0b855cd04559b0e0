"""Copy a model with another card; the network is unchanged, so no framework is needed."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

from yolo_cli.errors import DataError
from yolo_cli.files import atomic_write, make_folder
from yolo_cli.weights.card import ModelCard
from yolo_cli.weights.page import write_page
from yolo_cli.weights.store import CARD_KEY, CARD_MEMBER, PAIR_KEY, ModelFiles, sha256

__all__ = ["copy_model", "save_calibrated"]


def copy_model(files: ModelFiles, card: ModelCard, out: Path) -> ModelFiles:
    """Write ``out.keras`` and ``out.onnx``, as far as the originals exist, with another card.

    Args:
        files: the model.
        card: the card of the copy.
        out: the path without a suffix.

    Raises:
        DataError: if a file is not a model, or the copy cannot be written.
    """
    keras, onnx = (out.with_name(out.name + suffix) for suffix in (".keras", ".onnx"))
    make_folder(out.parent)
    if files.keras:
        _copy_keras(files.keras, card, keras)
    if files.onnx:
        _copy_onnx(files.onnx, card, onnx, sha256(keras) if files.keras else None)
    return ModelFiles(out.name, keras if files.keras else None, onnx if files.onnx else None)


def save_calibrated(
    files: ModelFiles,
    card: ModelCard,
    out: Path,
    knots: tuple[tuple[float, ...], tuple[float, ...]],
    figure: str,
) -> list[Path]:
    """Write a copy of a model with a calibration, and its card as Markdown.

    Args:
        files: the model.
        card: its card.
        out: the path without a suffix.
        knots: the calibration, see `ModelCard.calibration`.
        figure: its measured figures, one line.

    Raises:
        DataError: if a file is not a model, or the copy cannot be written.
    """
    card = replace(card, name=out.name, calibration=knots, figures=(*card.figures, figure))
    written = copy_model(files, card, out)
    return [*written.paths, write_page(written, card)]


def _copy_keras(path: Path, card: ModelCard, out: Path) -> None:
    """Copy every member of the zip except the card."""

    def write(draft: Path) -> None:
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(draft, "w") as target:
            for member in source.infolist():
                if member.filename != CARD_MEMBER:
                    target.writestr(member, source.read(member))
            target.writestr(CARD_MEMBER, card.to_json())

    try:
        atomic_write(out, write)
    except zipfile.BadZipFile:
        raise DataError(f"{path}: is not a Keras model file, or is cut off") from None


def _copy_onnx(path: Path, card: ModelCard, out: Path, keras_sha256: str | None) -> None:
    """Copy the graph with other metadata."""
    import onnx

    try:
        graph = onnx.load(str(path))
    except Exception:
        raise DataError(f"{path}: is not an ONNX model, or is cut off") from None
    known = {entry.key: entry.value for entry in graph.metadata_props}
    pair = {PAIR_KEY: keras_sha256} if keras_sha256 else {}
    onnx.helper.set_model_props(graph, {**known, CARD_KEY: card.to_json(), **pair})
    atomic_write(out, lambda draft: onnx.save(graph, str(draft)))
