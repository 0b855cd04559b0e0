"""Checkpoints: everything needed to resume a run, in one file that is written atomically.

The only random state in it is that of random layers: all other random numbers depend only on (seed, epoch,
position).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.files import atomic_write
from yolo_cli.framework import keras
from yolo_cli.training.events import State

__all__ = ["checkpoint_of", "load_checkpoint", "restore", "save_checkpoint"]


def checkpoint_of(out: Path) -> Path:
    """The checkpoint of a YOLO run in its folder."""
    return out / "weights" / "checkpoint.npz"


def save_checkpoint(path: Path, model: Any, state: State) -> None:
    """Write weights, optimizer state (averaged weights included), and the state of the run."""
    arrays: dict[str, Any] = {key: _values(v) for key, v in _named(model).items()}
    arrays |= {f"optimizer/{i:04d}": _values(v) for i, v in enumerate(model.optimizer.variables)}
    text = np.frombuffer(json.dumps(asdict(state)).encode(), np.uint8)

    def write(draft: Path) -> None:
        with draft.open("wb") as file:
            np.savez(file, state=text, **arrays)

    atomic_write(path, write)


def load_checkpoint(path: Path) -> tuple[State, dict[str, NDArray[Any]]] | None:
    """The state of the run, and its arrays; None if there is no checkpoint yet.

    Raises:
        DataError: if the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        with np.load(path) as file:
            arrays = dict(file)
        values = json.loads(arrays.pop("state").tobytes())
        return State(**{**values, "history": tuple(values["history"])}), arrays
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as fault:
        raise DataError(f"{path}: is not a checkpoint of this program ({fault}); train again") from None


def restore(model: Any, arrays: Mapping[str, NDArray[Any]], *, optimizer: bool) -> None:
    """Load the arrays of a checkpoint into a model, and optionally into its optimizer.

    Raises:
        DataError: if they belong to another network.
    """
    _assign(_named(model), _part(arrays, "model/"))
    if optimizer:
        variables = {f"optimizer/{i:04d}": v for i, v in enumerate(model.optimizer.variables)}
        _assign(variables, _part(arrays, "optimizer/"))


def _named(model: Any) -> dict[str, Any]:
    """The variables by path, since their order depends on which are trainable.

    The states of random layers are keyed by order instead, since Keras numbers them per process.
    """
    seeds = [v for v in model.variables if "seed_generator" in v.path]
    others = [v for v in model.variables if "seed_generator" not in v.path]
    return {f"model/{v.path}": v for v in others} | {f"model/seed/{i}": v for i, v in enumerate(seeds)}


def _values(variable: Any) -> NDArray[Any]:
    return np.asarray(keras.ops.convert_to_numpy(variable))


def _part(arrays: Mapping[str, NDArray[Any]], beginning: str) -> dict[str, NDArray[Any]]:
    return {key: array for key, array in arrays.items() if key.startswith(beginning)}


def _assign(variables: Mapping[str, Any], values: Mapping[str, NDArray[Any]]) -> None:
    """Assign the values by name; all names and shapes must agree."""
    have = {key: tuple(variable.shape) for key, variable in variables.items()}
    if have != {key: value.shape for key, value in values.items()}:
        raise DataError("the checkpoint belongs to another network; was the data set changed?")
    for key, variable in variables.items():
        variable.assign(values[key])
