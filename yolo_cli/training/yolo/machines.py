"""Training on several machines with JAX, with the same command on each.

Every machine reads the data set, makes its part of each batch, evaluates, and has its own run folder, so none
writes for the others, and all end with the same model. Automatic choices are synchronised first, since a
difference would make the machines wait for each other forever.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import TrainConfig
from yolo_cli.errors import DataError, UsageError
from yolo_cli.framework import keras

__all__ = ["ALONE", "Machines", "apart", "join_machines"]

# Keras reads these; see `keras.distribution.initialize`.
ADDRESSES, COUNT, NUMBER = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)


@dataclass(frozen=True, slots=True)
class Machines:
    """The machines that train together.

    Attributes:
        number: index of this machine.
        count: number of machines.
    """

    number: int = 0
    count: int = 1

    def all_reduce_min(self, value: float) -> float:
        """The minimum over all machines."""
        return float(self._all_gather(np.array([value])).min())

    def check_same(self, what: str, value: str) -> None:
        """Raise DataError on every machine if a value differs from that of the first."""
        digest = np.frombuffer(hashlib.sha256(value.encode()).digest(), np.uint8)  # (32,)
        gathered = self._all_gather(digest)  # (machines, 32)
        other = np.flatnonzero((gathered != gathered[0]).any(axis=1))
        if len(other):
            raise DataError(f"machine {other[0]} has {what} than machine 0; all must agree")

    def _all_gather(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values of every machine: (N,) → (machines, N)."""
        if self.count == 1:
            return values[None]
        from jax.experimental import multihost_utils

        return np.asarray(multihost_utils.process_allgather(values))


ALONE = Machines()


def join_machines(config: TrainConfig) -> Machines:
    """Connect to the other machines, if the environment names them; call it before any computation.

    Raises:
        UsageError: if they cannot train together.
    """
    if ADDRESSES not in os.environ:
        return ALONE
    if keras.backend.backend() != "jax":
        raise UsageError(
            f"{ADDRESSES} is set, but only JAX trains on several machines; set KERAS_BACKEND=jax"
        )
    for name in (COUNT, NUMBER):
        if not os.environ.get(name, "").isdecimal():
            raise UsageError(f"{name} must be a number where {ADDRESSES} is set")
    if config.max_minutes is not None or config.patience:
        option = "--patience" if config.max_minutes is None else "--max-minutes"
        raise UsageError(f"{option}: several machines would not stop at the same step; leave it out")
    import jax

    try:
        keras.distribution.initialize()
    except (RuntimeError, ValueError) as fault:
        reason = str(fault).splitlines()[0]
        raise UsageError(
            f"{ADDRESSES}={os.environ[ADDRESSES]}: the other machines were not found ({reason})"
        ) from None
    return Machines(jax.process_index(), jax.process_count())


@contextmanager
def apart() -> Iterator[None]:
    """A context in which each machine computes separately."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)
