"""Read Darknet ``.weights`` files."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolo_cli.darknet.cfg import Network, Section
from yolo_cli.darknet.shapes import shapes
from yolo_cli.errors import DataError, unreadable
from yolo_cli.limits import MAX_MODEL, read_file

__all__ = ["Convolution", "read_weights"]


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """The stored values of one convolution.

    Attributes:
        kernel: float32, (out, in / groups, height, width).
        bias: float32, (out,); the beta of batch normalisation, if any.
        gamma, mean, variance: float32, (out,), or None without batch normalisation.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    gamma: NDArray[np.float32] | None = None
    mean: NDArray[np.float32] | None = None
    variance: NDArray[np.float32] | None = None


def read_weights(path: str | Path, network: Network) -> tuple[dict[int, Convolution], str]:
    """Read a Darknet ``.weights`` file.

    Returns:
        The convolutions by layer index, and the SHA-256 of the file.

    Raises:
        DataError: if the file is missing, is too short or too long for the cfg, or holds NaN or infinity.
    """
    path = Path(path)
    try:
        data = read_file(path, most=MAX_MODEL, kind="model")
    except OSError as fault:
        raise unreadable(path, fault) from None
    values = _values(data, path)
    convolutions: dict[int, Convolution] = {}
    position = 0
    channels = [shape.channels for shape in shapes(network)]
    for index, layer in enumerate(network.layers):
        if layer.kind == "convolutional":
            before = channels[index - 1] if index else network.net.integer("channels", 3)
            shape, normalised = _kernel_shape(layer, before), layer.integer("batch_normalize", 0) != 0
            size = shape[0] * (4 if normalised else 1) + math.prod(shape)
            convolutions[index] = _cut(values, position, shape, normalised, layer, path)
            position += size
    if position != len(values):
        raise DataError(
            f"{path}: {4 * (len(values) - position):,} bytes are left over after the last layer "
            f"of {network.net.file}; the weights belong to another cfg"
        )
    return convolutions, hashlib.sha256(data).hexdigest()


def _values(data: bytes, path: Path) -> NDArray[np.float32]:
    """The float32 values after the header, whose length depends on its version."""
    if len(data) < 20:
        raise DataError(f"{path}: {len(data)} bytes are too few for a Darknet weights file")
    major, minor, _ = np.frombuffer(data, "<i4", 3)
    if not (0 <= major < 1000 and 0 <= minor < 1000):
        raise DataError(f"{path}: does not begin like a Darknet weights file (version {major}.{minor})")
    start = 20 if major * 10 + minor >= 2 else 16  # `seen` has 8 bytes since version 0.2, 4 before
    if (len(data) - start) % 4:
        raise DataError(
            f"{path}: {len(data):,} bytes do not hold a whole number of values; is the file cut off?"
        )
    return np.frombuffer(data, "<f4", offset=start).astype(np.float32, copy=False)


def _kernel_shape(layer: Section, channels: int) -> tuple[int, int, int, int]:
    groups, size = layer.integer("groups", 1), layer.integer("size", 1)
    filters = layer.integer("filters", 1)
    if groups < 1 or channels % groups or filters % groups:
        raise layer.fault(
            f"groups={groups} divides neither {channels} input channels nor {filters} filters evenly"
        )
    return filters, channels // groups, size, size


def _cut(
    values: NDArray[np.float32],
    start: int,
    shape: tuple[int, ...],
    normalised: bool,
    layer: Section,
    path: Path,
) -> Convolution:
    """The convolution with values from ``start``: beta, [gamma, mean, variance,] kernel."""
    filters, parts = shape[0], 4 if normalised else 1
    end = start + filters * parts + math.prod(shape)
    if end > len(values):
        raise DataError(
            f"{path}: ends {4 * (end - len(values)):,} bytes early, in the layer at "
            f"{layer.file}:{layer.line}; the weights belong to another cfg, or the file is cut off"
        )
    block = values[start:end]
    if not np.isfinite(block).all():
        raise DataError(f"{path}: holds NaN or infinite values, in the layer at {layer.file}:{layer.line}")
    vectors = block[: filters * parts].reshape(parts, filters)  # (1 or 4, out)
    kernel = block[filters * parts :].reshape(shape)  # (out, in / groups, height, width)
    return Convolution(kernel, *vectors)
