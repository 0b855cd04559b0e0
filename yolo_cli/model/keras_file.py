"""Load a ``.keras`` file of a stranger: nothing in it runs, opens a file, or asks for more than it holds.

Keras's safe mode refuses code. The rest is checked before: the archive, the classes that the network's
description names, and the weights that it would make, against those in the file.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError
from yolo_cli.limits import (
    MAX_CONFIG,
    MAX_MODEL,
    check_size,
    network_bytes,
    open_file,
    open_zip,
    read_member,
)

__all__ = ["load_keras"]

MODULES = {"keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints"}
MODULES_BELOW = ("keras.src.", "yolo_cli.model.")
# Layers that run code or read other files. Keras's safe mode refuses them, too, from the version on that
# pyproject.toml asks for: before, it could be got round (CVE-2025-1550, CVE-2025-8747, CVE-2025-9905,
# CVE-2025-9906, CVE-2025-12058, CVE-2025-49655, CVE-2026-0897, CVE-2026-1669).
REFUSED = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "StringLookup"}
REFUSED |= {"IntegerLookup", "TextVectorization", "function"}
SIDE = 416  # height and width at which the largest value within a network is counted
FLOAT = 4  # bytes


def load_keras(path: Path) -> Any:
    """The model in a ``.keras`` file, not compiled.

    Raises:
        DataError: if it is not such a file, names what is refused, or asks for more memory than it holds.
    """
    try:
        _check_file(path)
        from yolo_cli.framework import keras

        return keras.saving.load_model(path, compile=False)
    except (DataError, KeyboardInterrupt):
        raise
    except Exception as fault:  # Keras, h5py and zipfile raise whatever they like
        lines = str(fault).strip().splitlines() or [type(fault).__name__]
        raise DataError(f"{path}: cannot be loaded by Keras ({lines[0][:160]})") from None


def _check_file(path: Path) -> None:
    """Raise a DataError if a file may not be loaded; other exceptions mean that it cannot."""
    import yolo_cli.model.layers  # noqa: F401 - they must be known before a file names them

    name = str(path)
    with open_file(path, name, MAX_MODEL, "model") as file, open_zip(file, name) as archive:
        config = json.loads(read_member(archive, "config.json", name, MAX_CONFIG))
        # Keras drops it, as the model is not compiled. Files of earlier versions have the optimizer in it.
        config.pop("compile_config", None)
        for entry in _objects(config):
            _check_class(entry, name)
        if any(member.startswith("assets/") for member in archive.namelist()):
            raise DataError(f"{name}: holds assets, which no network of this program has")
        stored = _check_values(archive, name)
    _check_network(config, stored, name)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every description of an object in a network's."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value and "module" in value:
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _check_class(entry: dict[str, Any], name: str) -> None:
    """Raise a DataError unless an object is of a class that networks need."""
    module, kind = str(entry["module"]), str(entry["class_name"])
    if kind in REFUSED or not (module in MODULES or module.startswith(MODULES_BELOW)):
        raise DataError(f"{name}: holds {module[:60]}.{kind[:60]}, which is not loaded from files")


def _check_values(archive: zipfile.ZipFile, name: str) -> int:
    """Check the file of weights in the archive; returns its size in bytes."""
    import h5py

    data = read_member(archive, "model.weights.h5", name, MAX_MODEL)
    declared: list[int] = []

    def visit(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise DataError(f"{name}: its weights are in other files, which are not opened")
            declared.append(int(item.nbytes))

    with h5py.File(io.BytesIO(data), "r") as file:
        file.visititems(visit)
    check_size(sum(declared), len(data), name, "its weights")
    return len(data)


def _check_network(config: dict[str, Any], stored: int, name: str) -> None:
    """Raise a DataError if the network would take far more memory than its file holds.

    In a `keras.StatelessScope`, layers know the shapes of their weights, but do not allocate them.
    """
    from yolo_cli.framework import keras

    with keras.StatelessScope(initialize_variables=False):
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
        check_size(FLOAT * _count(model.variables), stored, name, "its network")
        if len(model.inputs) == 1 and model.inputs[0].shape[1:3] == (None, None):
            image = keras.Input(
                batch_shape=(1, SIDE, SIDE, model.inputs[0].shape[3]), dtype=model.inputs[0].dtype
            )
            model = keras.models.clone_model(model, input_tensors=image)
        outputs = [output for step in model.operations for output in _outputs(step)]
    largest = FLOAT * max(map(_size, outputs), default=0)
    if largest > network_bytes(3 * SIDE * SIDE, stored):
        raise DataError(f"{name}: a value within its network would take {largest >> 20:,} MiB")


def _count(variables: Any) -> int:
    return sum(map(_size, variables))


def _size(value: Any) -> int:
    """Values of an array; sides that are not known count as one."""
    return math.prod(side or 1 for side in value.shape)


def _outputs(step: Any) -> list[Any]:
    outputs = step.output if isinstance(step.output, list | tuple) else [step.output]
    return [each for each in outputs if hasattr(each, "shape")]
