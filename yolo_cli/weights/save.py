"""Write a model: ``NAME.keras``, and ``NAME.onnx`` made from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_write
from yolo_cli.weights.archive import write_archive
from yolo_cli.weights.canonical import canonical_config, canonical_graph
from yolo_cli.weights.card import ModelCard
from yolo_cli.weights.page import write_page
from yolo_cli.weights.store import (
    CARD_KEY,
    PAIR_KEY,
    ModelFiles,
    model_files,
    read_card,
    sha256,
)
from yolo_cli.weights.together import model_folder

__all__ = [
    "export_graph",
    "export_onnx",
    "halve_kernels",
    "missing_for_onnx",
    "save_keras",
    "save_model",
    "save_onnx",
]

# The script of the process that exports ONNX when the backend is not TensorFlow.
_EXPORT = """
import sys, pathlib
from yolo_cli.model.keras_file import load_keras
from yolo_cli.weights.save import export_graph
export_graph(load_keras(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]))
"""


def save_model(
    model: Any, card: ModelCard, out: Path, *, half: bool = False, page: bool = False
) -> ModelFiles:
    """Write ``out.keras`` and ``out.onnx``, which appear together.

    If a package needed for ONNX is missing, only the first is written; see `missing_for_onnx`.

    Args:
        model: a Keras model built by `yolo_cli.model`.
        card: the model card.
        out: the path without a suffix.
        half: store kernels as float16. Biases and batch-norm values stay float32, as variances can be
            outside float16's range.
        page: also write the card as ``out.md``.
    """
    with model_folder(out) as draft:
        keras_file, onnx_file = (draft / f"{out.name}{suffix}" for suffix in (".keras", ".onnx"))
        save_keras(model, card, keras_file, half=half)
        if not missing_for_onnx():
            save_onnx(model, card, onnx_file, sha256(keras_file), half=half)
        if page:
            write_page(model_files(draft / out.name), card)
    return model_files(out)


def missing_for_onnx() -> list[str]:
    """The missing packages that writing ONNX needs."""
    return [name for name in ("tensorflow", "onnx", "tf2onnx") if find_spec(name) is None]


def export_onnx(files: ModelFiles, out: Path | None = None) -> Path:
    """Write the ``.onnx`` file of a model from its ``.keras`` file.

    Args:
        files: the model.
        out: where to write; None is beside the other file.

    Returns:
        The path of the file.

    Raises:
        DataError: if there is no ``.keras`` file, or TensorFlow cannot read or export it.
        UsageError: if packages are missing.
    """
    if files.keras is None:
        raise DataError(f"{files.first}: has no .keras file beside it to export from")
    if missing := missing_for_onnx():
        raise UsageError(f"ONNX files need missing packages: pip install {' '.join(missing)}")
    from yolo_cli.model.keras_file import load_keras

    model = load_keras(files.keras)
    out = out or files.keras.with_suffix(".onnx")
    save_onnx(model, read_card(files.keras), out, sha256(files.keras))
    return out


def save_keras(model: Any, card: ModelCard, path: Path, *, half: bool = False) -> None:
    """Write one ``.keras`` file with the card inside."""

    def write(draft: Path) -> None:
        with _scratch(draft) as folder:
            model.save(folder / "model.keras")
            write_archive(folder / "model.keras", draft, card, partial(_stored, folder=folder, half=half))

    atomic_write(path, write)


def save_onnx(model: Any, card: ModelCard, path: Path, keras_sha256: str, *, half: bool = False) -> None:
    """Write one ``.onnx`` file with the card and the hash of its ``.keras`` file in its metadata."""
    import onnx

    with _scratch(path) as folder:
        export_graph(model, folder / "model.onnx")
        graph = onnx.load(str(folder / "model.onnx"))
    canonical_graph(graph)
    if half:
        halve_kernels(graph)
    onnx.helper.set_model_props(graph, {CARD_KEY: card.to_json(), PAIR_KEY: keras_sha256})
    atomic_write(path, lambda draft: onnx.save(graph, str(draft)))


def export_graph(model: Any, path: Path) -> None:
    """Export the network as an ONNX graph with dynamic batch, height and width.

    Keras exports from TensorFlow graphs; with another backend, a process with TensorFlow does it.
    """
    from yolo_cli.framework import keras, silence

    if keras.backend.backend() != "tensorflow":
        _export_elsewhere(model, path)
        return
    import tf2onnx.utils

    # It numbers through the whole process and works in the order of names as texts, where 1000 is before 999:
    # how it simplifies a graph would depend on what was exported before. From here on all have six digits.
    tf2onnx.utils.INTERNAL_NAME = 100_000
    size = 128  # Keras exports only a model that was called; any size divisible by the strides works
    empty = [
        keras.ops.zeros((1, *(side or size for side in given.shape[1:])), dtype=given.dtype)
        for given in model.inputs
    ]
    model(empty if len(empty) > 1 else empty[0])
    with warnings.catch_warnings(), silence():
        warnings.simplefilter("ignore")  # tf2onnx and Keras use old NumPy names
        model.export(str(path), format="onnx", verbose=False)


def _export_elsewhere(model: Any, path: Path) -> None:
    with _scratch(path) as folder:
        file = folder / "model.keras"
        model.save(file)
        command = [sys.executable, "-c", _EXPORT, str(file), str(path)]
        environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
        done = subprocess.run(  # noqa: S603 - this very Python, and a text of ours
            command, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(f"{path.name}: TensorFlow could not write it ({reason})")


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path``: a disk that holds the result holds what it is made from."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".yolo-") as folder:
        yield Path(folder)


def _stored(name: str, data: bytes, folder: Path, half: bool) -> bytes:
    """A member of a ``.keras`` file as it is stored: equal for equal models."""
    if name == "metadata.json":
        values = json.loads(data)
        values.pop("date_saved", None)  # Keras writes it, and nothing reads it
        return json.dumps(values).encode()
    if name == "config.json":
        return canonical_config(data)
    return _half_h5(data, folder) if half and name.endswith(".weights.h5") else data


def _half_h5(data: bytes, folder: Path) -> bytes:
    """A copy of the weights file with every kernel as float16; Keras casts them back on loading."""
    import h5py

    whole, halved = folder / "whole.h5", folder / "half.h5"
    whole.write_bytes(data)
    with h5py.File(whole) as source, h5py.File(halved, "w") as target:
        target.attrs.update(source.attrs)

        def copy(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                values = item[()]
                stored = values.astype(np.float16) if _is_kernel(values) else values
                target.create_dataset(name, data=stored).attrs.update(item.attrs)
            else:
                target.require_group(name).attrs.update(item.attrs)

        source.visititems(copy)
    return halved.read_bytes()


def halve_kernels(graph: Any) -> None:
    """Store every kernel of an ONNX graph as float16, with a cast to float32 in the graph."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for initializer in graph.graph.initializer:
        values = numpy_helper.to_array(initializer)
        if _is_kernel(values):
            name = initializer.name
            initializer.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def _is_kernel(values: Any) -> bool:
    return getattr(values, "dtype", None) == np.float32 and values.ndim >= 2 and values.size > 64
