"""The model card as a Markdown page beside its files."""

from __future__ import annotations

from pathlib import Path

from yolo_cli.files import atomic_write_text
from yolo_cli.weights.card import ModelCard, card_text
from yolo_cli.weights.store import ModelFiles, sha256

__all__ = ["model_page", "write_page"]


def model_page(files: ModelFiles, card: ModelCard) -> str:
    """The card as Markdown, with the SHA-256 of each file."""
    return card_text(card, {path.name: sha256(path) for path in files.paths})


def write_page(files: ModelFiles, card: ModelCard) -> Path:
    """Write `model_page` to ``NAME.md`` beside the files.

    Raises:
        DataError: if it cannot be written.
    """
    page = files.first.with_suffix(".md")
    atomic_write_text(page, model_page(files, card))
    return page
