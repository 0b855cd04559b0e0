"""Copy a model with another card; the network is unchanged, so no framework is needed."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

from yolo_cli.errors import DataError
from yolo_cli.files import atomic_write
from yolo_cli.weights.archive import write_archive
from yolo_cli.weights.card import ModelCard
from yolo_cli.weights.page import write_page
from yolo_cli.weights.store import CARD_KEY, PAIR_KEY, ModelFiles, model_files, sha256
from yolo_cli.weights.together import model_folder

__all__ = ["copy_model", "save_calibrated"]


def copy_model(files: ModelFiles, card: ModelCard, out: Path, *, page: bool = False) -> ModelFiles:
    """Write ``out.keras`` and ``out.onnx``, as far as the originals exist, with another card.

    They appear together, see `model_folder`.

    Args:
        files: the model.
        card: the card of the copy.
        out: the path without a suffix.
        page: also write the card as ``out.md``.

    Raises:
        DataError: if a file is not a model, or the copy cannot be written.
    """
    with model_folder(out) as draft:
        keras, onnx = (draft / f"{out.name}{suffix}" for suffix in (".keras", ".onnx"))
        if files.keras:
            _copy_keras(files.keras, card, keras)
        if files.onnx:
            _copy_onnx(files.onnx, card, onnx, sha256(keras) if files.keras else None)
        if page:
            write_page(model_files(draft / out.name), card)
    return model_files(out)


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
    written = copy_model(files, card, out, page=True)
    return [*written.paths, out.with_name(f"{out.name}.md")]


def _copy_keras(path: Path, card: ModelCard, out: Path) -> None:
    """Copy every member of the zip except the card."""
    try:
        atomic_write(out, lambda draft: write_archive(path, draft, card))
    except zipfile.BadZipFile:
        raise DataError(f"{path}: is not a Keras model file, or is cut off") from None


def _copy_onnx(path: Path, card: ModelCard, out: Path, keras_sha256: str | None) -> None:
    """Copy the graph with other metadata."""
    import onnx

    try:
        graph = onnx.load(str(path), load_external_data=False)
    except Exception:
        raise DataError(f"{path}: is not an ONNX model, or is cut off") from None
    known = {entry.key: entry.value for entry in graph.metadata_props}
    pair = {PAIR_KEY: keras_sha256} if keras_sha256 else {}
    onnx.helper.set_model_props(graph, {**known, CARD_KEY: card.to_json(), **pair})
    atomic_write(out, lambda draft: onnx.save(graph, str(draft)))
