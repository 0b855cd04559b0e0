"""Models on disk: `list_models`, `show_model`, `import_model` and `export_onnx`."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from yolo_cli import weights as store
from yolo_cli.api.options import Path, check_options
from yolo_cli.errors import DataError, OnError, report
from yolo_cli.files import path_of
from yolo_cli.text import counted, text_encoding
from yolo_cli.weights import ModelCard, ModelFiles
from yolo_cli.weights.page import model_page
from yolo_cli.weights.store import new_model
from yolo_cli.weights.verifying import check_sha256, verify_files

if TYPE_CHECKING:
    from yolo_cli.engines import Choice, EngineKind, RunPrecision
    from yolo_cli.hardware import Device
    from yolo_cli.weights.backbone_table import Backbones

__all__ = [
    "ImportOptions",
    "Model",
    "export_onnx",
    "import_model",
    "list_backbones",
    "list_models",
    "show_model",
]


class ImportOptions(TypedDict, total=False):
    """The options of ``yolo weights import``.

    Attributes:
        card: a YAML file with licence, origin and figures.
        half: store kernels as float16, which halves the files.
        sha256: what the weights must have, 64 hexadecimal digits; None accepts any.
        exist_ok: overwrite an existing model.
        encoding: of text files; None is UTF-8.
    """

    card: Path | None
    half: bool
    sha256: str | None
    exist_ok: bool
    encoding: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Model:
    """A model on disk.

    Attributes:
        files: its name and files, for `load_detector`.
        card: its model card.
    """

    files: ModelFiles
    card: ModelCard

    def __repr__(self) -> str:
        height, width = self.card.input_size
        return f"<Model {self.files.name} {width}x{height}: {counted(len(self.card.class_names), 'class')}>"

    def to_text(self) -> str:
        """The model card as Markdown, with the SHA-256 of each file."""
        return model_page(self.files, self.card)

    def engine_for(
        self, engine: EngineKind = "auto", device: Device = "auto", precision: RunPrecision = "float32"
    ) -> Choice:
        """The ``engine`` in which `load_detector` runs it with these options, and the ``reason``.

        Raises:
            UserError: if the model has no file for it, it is not installed, or options do not go together.
        """
        from yolo_cli.detectors import engine_for  # which lists of models do not need

        return engine_for(self.files, engine, device, precision)

    def to_dict(self) -> dict[str, Any]:
        """The model as plain data."""
        return {
            "name": self.files.name,
            "keras": str(self.files.keras) if self.files.keras else None,
            "onnx": str(self.files.onnx) if self.files.onnx else None,
            "classes": len(self.card.class_names),
            "input_size": list(self.card.input_size),
            "licence": self.card.licence,
        }


def list_models(*, on_error: OnError | None = None) -> list[Model]:
    """The models in ``./weights``, of the training runs in ``./runs``, and the bundled ones.

    Args:
        on_error: called with the error of each model whose card cannot be read, which is then left out;
            None raises the error.

    Raises:
        DataError: if a card cannot be read.
    """
    found = []
    for files in store.list_models():
        try:
            found.append(Model(files, store.read_card(files.first)))
        except DataError as fault:
            report(fault, on_error)
    return found


def list_backbones() -> Backbones:
    """The backbones of the course with depth, parameters and arithmetic, without classifiers."""
    from yolo_cli.weights.backbone_table import course_backbones

    return course_backbones()


def show_model(weights: str | os.PathLike[str], *, verify: bool = False) -> Model:
    """A model with its card: licence, figures, limits, classes.

    Args:
        weights: the name of a model, the path of one of its files, or the folder of a training run.
        verify: whether its files must have the SHA-256 that its ``NAME.md`` lists.

    Raises:
        UserError: if there is no such model, its card cannot be read, or a file is another.
    """
    files = store.find_model(str(path_of(weights, "weights")))
    if verify:
        verify_files(files)
    return Model(files, store.read_card(files.first))


def import_model(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    names: str | os.PathLike[str],
    out: str | os.PathLike[str],
    **options: Unpack[ImportOptions],
) -> ModelFiles:
    """Write another program's model as ``out.keras``, ``out.onnx`` and the model card ``out.md``.

    Args:
        files: a Darknet ``.cfg`` and ``.weights``; or of a NanoDet-Plus the ``.param`` and ``.bin``, or the
            ``.onnx``, ``.pth`` or ``.ckpt``.
        names: a file with its class names, one per line.
        out: a name, for a model in ``./weights``, or a path without a suffix.
        **options: see `ImportOptions`: ``card``, ``half``, ``sha256``, ``exist_ok``, ….

    Returns:
        The files; ``onnx`` is None if a package that writes it is missing.

    Raises:
        UserError: if the files do not fit together, the weights are others, or the model exists.
    """
    from yolo_cli.weights.about import read_about
    from yolo_cli.weights.importing import import_files

    check_options(options, ImportOptions)
    given = [files] if isinstance(files, str | os.PathLike) else files
    paths, named = [path_of(file, "files") for file in given], path_of(names, "names")
    if options.get("sha256"):
        check_sha256(paths[-1], str(options["sha256"]))
    target, card = new_model(path_of(out, "out"), options.get("exist_ok", False)), options.get("card")
    with text_encoding(options.get("encoding")):
        about = read_about(path_of(card, "card")) if card else None
        return import_files(paths, named, target, half=options.get("half", False), about=about)


def export_onnx(weights: str | os.PathLike[str]) -> pathlib.Path:
    """Write the ``.onnx`` file of a model from its ``.keras`` file, as after a training without TensorFlow.

    Args:
        weights: the name of a model, the path of its file, or the folder of a training run.

    Returns:
        The new file, beside the other one.

    Raises:
        UserError: if there is no ``.keras`` file, or a package that writes ONNX is missing.
    """
    from yolo_cli.weights.save import export_onnx as export

    return export(store.find_model(str(path_of(weights, "weights"))))
