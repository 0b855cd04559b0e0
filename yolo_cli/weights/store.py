"""Where model files lie, and whether they belong together."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from yolo_cli.config import bundled
from yolo_cli.errors import DataError
from yolo_cli.graphs import read_metadata
from yolo_cli.text import did_you_mean
from yolo_cli.weights.card import ModelCard

__all__ = [
    "CARD_KEY",
    "CARD_MEMBER",
    "PAIR_KEY",
    "ModelFiles",
    "check_pair",
    "find_model",
    "list_models",
    "read_card",
]

CARD_MEMBER = "yolo_cli.json"  # the card's place inside a .keras file, which is a zip
CARD_KEY, PAIR_KEY = "yolo_cli", "yolo_cli_keras_sha256"  # and in the metadata of an .onnx file


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of one model; one of the two may be missing."""

    name: str
    keras: Path | None
    onnx: Path | None

    @property
    def first(self) -> Path:
        """One file that is there."""
        return self.keras or self.onnx or Path(self.name)


def find_model(name: str) -> ModelFiles:
    """Find a model by its name, or by the path of one of its files.

    A name is looked for in the working directory, in its folder ``weights``, and among the bundled models.

    Raises:
        DataError: if there is none.
    """
    path = Path(name)
    stem = path.with_suffix("") if path.suffix in (".keras", ".onnx") else path
    if path != stem and not path.is_file():
        raise DataError(f"{name}: there is no such model file")
    places = (
        [stem] if path != stem or stem.is_absolute() else [stem, "weights" / stem, bundled("weights") / stem]
    )
    for place in places:
        files = _files(place)
        if files.keras or files.onnx:
            return files
    known = [files.name for files in list_models()]
    hint = did_you_mean(name, known, f"there are {', '.join(known) or 'none'}")
    raise DataError(f"no model is called '{name}'; {hint} (`yolo weights list` shows all)")


def list_models() -> list[ModelFiles]:
    """The models in ``./weights`` and those that come with the program, each name once, in that order."""
    found: dict[str, ModelFiles] = {}
    for folder in (Path("weights"), bundled("weights")):
        for path in _model_files_in(folder):
            found.setdefault(path.stem, _files(path.with_suffix("")))
    return list(found.values())


def read_card(path: Path) -> ModelCard:
    """Read the card inside a ``.keras`` or ``.onnx`` file.

    Raises:
        DataError: if the file is no such model, or carries no card.
    """
    if path.suffix == ".onnx":
        return _card_from_metadata(_onnx_metadata(path), path)
    try:
        with zipfile.ZipFile(path) as archive:
            return ModelCard.from_json(archive.read(CARD_MEMBER), str(path))
    except (OSError, zipfile.BadZipFile):
        raise DataError(f"{path}: is not a Keras model file, or is cut off") from None
    except KeyError:
        raise DataError(f"{path}: carries no model card, so its classes and anchors are unknown") from None


def _card_from_metadata(metadata: Mapping[str, str], path: Path) -> ModelCard:
    if CARD_KEY not in metadata:
        raise DataError(f"{path}: carries no model card; was it made by this program?")
    return ModelCard.from_json(metadata[CARD_KEY], str(path))


def check_pair(files: ModelFiles) -> None:
    """Make sure that the ``.onnx`` file was made from the ``.keras`` file beside it.

    Raises:
        DataError: if it was made from another one.
    """
    if files.keras and files.onnx and _onnx_metadata(files.onnx).get(PAIR_KEY) != sha256(files.keras):
        raise DataError(
            f"{files.onnx}: was not made from {files.keras} beside it, but from another version; "
            "make the pair anew, or move one of the two away"
        )


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(stem: Path) -> ModelFiles:
    keras, onnx = (stem.with_name(stem.name + suffix) for suffix in (".keras", ".onnx"))
    return ModelFiles(stem.name, keras if keras.is_file() else None, onnx if onnx.is_file() else None)


def _model_files_in(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.suffix in (".keras", ".onnx"))


def _onnx_metadata(path: Path) -> Mapping[str, str]:
    try:
        return read_metadata(path)
    except (OSError, ValueError):
        raise DataError(f"{path}: is not an ONNX model, or is cut off") from None
