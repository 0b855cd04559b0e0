"""Find model files, and check that they belong together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from yolo_cli.config import bundled
from yolo_cli.errors import DataError, UsageError
from yolo_cli.graphs import read_metadata
from yolo_cli.limits import MAX_CARD, MAX_MODEL, open_file, open_zip, read_member
from yolo_cli.names import check_text
from yolo_cli.text import did_you_mean
from yolo_cli.weights.card import ModelCard
from yolo_cli.weights.together import MODEL_SUFFIXES, current, settle, settle_all

__all__ = [
    "CARD_KEY",
    "CARD_MEMBER",
    "EXPORT_KEY",
    "PAIR_KEY",
    "ModelFiles",
    "check_pair",
    "find_model",
    "list_models",
    "model_files",
    "new_model",
    "read_card",
]

BEST = "weights/best"  # the best model in the folder of a training run, without suffix
CARD_MEMBER = "yolo_cli.json"  # the card's member in a .keras file, which is a zip
EXPORT_KEY = "yolo_cli_export"  # in the metadata of what `yolo export` writes: the model it was made from
CARD_KEY, PAIR_KEY = "yolo_cli", "yolo_cli_keras_sha256"  # its key in the metadata of an .onnx file


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of one model; either may be missing."""

    name: str
    keras: Path | None
    onnx: Path | None

    @property
    def first(self) -> Path:
        """One file that exists."""
        return self.keras or self.onnx or Path(self.name)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that exist."""
        return tuple(path for path in (self.keras, self.onnx) if path)


def find_model(name: str) -> ModelFiles:
    """Find a model by its name, by the path of one of its files, or by the folder of a training run.

    A name is looked for in the working directory, in its folder ``weights``, and among the bundled models.
    Of a training run, the best model is used.

    Raises:
        DataError: if there is none.
    """
    path = Path(name)
    stem = path.with_suffix("") if path.suffix in (".keras", ".onnx") else path
    if path != stem and not os.path.isfile(path):  # noqa: PTH113 - false for names that are too long
        raise DataError(f"{name}: no such file")
    places = (
        [stem] if path != stem or stem.is_absolute() else [stem, "weights" / stem, bundled("weights") / stem]
    )
    for place in places if path.name else ():
        files = model_files(place)
        if files.keras or files.onnx:
            return files
    if name and os.path.isdir(path):  # noqa: PTH112
        return _best_of(path)
    known = [files.name for files in list_models()]
    hint = did_you_mean(name, known, f"there are {', '.join(known) or 'none'}")
    raise DataError(f"no model is called '{name}'; {hint} (`yolo weights list` shows all)")


def new_model(name: str | os.PathLike[str], exist_ok: bool = False) -> Path:
    """The path without suffix of a model to write; a plain name is one in ``./weights``.

    Raises:
        UsageError: if it has no name, or one of its files exists, unless ``exist_ok``.
    """
    check_text(name)
    path = Path(name)
    if path.name in ("", ".."):
        raise UsageError(
            f"--out '{name}': is not the name of a model; give a name, or a path that ends with one"
        )
    path = path if path.name != os.fspath(name) else Path("weights") / path
    settle(path)
    files = [path.with_name(path.name + suffix) for suffix in MODEL_SUFFIXES]
    there = [file for file in files if os.path.exists(file)]  # noqa: PTH110
    if there and not exist_ok:
        raise UsageError(f"--out {there[0]}: exists; choose another name, or add --exist-ok")
    return path


def list_models() -> list[ModelFiles]:
    """The models in ``./weights``, of the training runs in ``./runs``, and the bundled ones.

    Each name occurs once, in that order; a run is named by its folder.
    """
    folders = sorted({*Path("runs").glob("*/weights"), *Path("runs").glob("*/*/weights")})
    runs = [folder.parent for folder in folders if any(path.stem == "best" for path in _in_folder(folder))]
    found: dict[str, ModelFiles] = {}
    for files in [*_models_in(Path("weights")), *map(_best_of, runs), *_models_in(bundled("weights"))]:
        found.setdefault(files.name, files)
    return list(found.values())


def _models_in(folder: Path) -> list[ModelFiles]:
    return [model_files(path.with_suffix("")) for path in _in_folder(folder)]


def _best_of(run: Path) -> ModelFiles:
    """The best model of a training run, under the name of its folder."""
    files = model_files(run / BEST)
    if not (files.keras or files.onnx):
        raise DataError(f"{run}: has no {BEST}.keras or .onnx; a training run writes them after an epoch")
    return replace(files, name=run.as_posix())


def read_card(path: Path) -> ModelCard:
    """Read the card inside a ``.keras`` or ``.onnx`` file.

    Raises:
        DataError: if the file is not a model, or has no card.
    """
    if path.suffix == ".onnx":
        return _card_from_metadata(_onnx_metadata(path), path)
    from zipfile import BadZipFile

    try:
        with open_file(path, str(path), MAX_MODEL, "model") as file, open_zip(file, str(path)) as archive:
            return ModelCard.from_json(read_member(archive, CARD_MEMBER, str(path), MAX_CARD), str(path))
    except (OSError, BadZipFile, ValueError):
        raise DataError(f"{path}: is not a Keras model file, or is cut off") from None
    except KeyError:
        raise DataError(f"{path}: has no model card, so its classes and anchors are unknown") from None


def _card_from_metadata(metadata: Mapping[str, str], path: Path) -> ModelCard:
    if EXPORT_KEY in metadata:
        raise DataError(f"{path}: is an export for other programs; give the model, {metadata[EXPORT_KEY]}")
    if CARD_KEY not in metadata:
        raise DataError(f"{path}: has no model card; was it made by this program?")
    return ModelCard.from_json(metadata[CARD_KEY], str(path))


def check_pair(files: ModelFiles) -> None:
    """Check that the ``.onnx`` file was made from the ``.keras`` file beside it.

    Raises:
        DataError: if it was not.
    """
    if files.keras and files.onnx and _onnx_metadata(files.onnx).get(PAIR_KEY) != sha256(files.keras):
        raise DataError(
            f"{files.onnx}: was not made from {files.keras} beside it, but from another version; "
            "export the pair again, or move one of the two away"
        )


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    import hashlib

    digest = hashlib.sha256()
    with open_file(path, str(path)) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def model_files(out: Path) -> ModelFiles:
    """The files of the model at a path without a suffix, as far as there are any."""
    settle(out)
    return ModelFiles(out.name, current(out, ".keras"), current(out, ".onnx"))


def _in_folder(folder: Path) -> list[Path]:
    """The model files in a folder, without drafts; none if it does not exist or cannot be listed."""
    settle_all(folder)
    return sorted(path for path in folder.glob("[!.]*") if path.suffix in (".keras", ".onnx"))


def _onnx_metadata(path: Path) -> Mapping[str, str]:
    try:
        return read_metadata(path)
    except (OSError, ValueError):
        raise DataError(f"{path}: is not an ONNX model, or is cut off") from None
