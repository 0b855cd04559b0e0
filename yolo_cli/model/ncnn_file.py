"""Networks of ncnn (Tencent): a text of layers, ``.param``, and their values, ``.bin``.

Each line of the text is: kind, name, number of inputs and of outputs, their names, and options ``key=value``
by number. The values of the convolutions follow each other in the order of the lines. Kernels are float32,
float16, or int8 with a scale for each output channel; all are read as float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, unreadable
from yolo_cli.limits import MAX_MODEL, read_file
from yolo_cli.model.steps import PASSES, Step, Values, leaky, with_values
from yolo_cli.text import read_text

__all__ = ["read_ncnn"]

MAGIC = "7767517"
MOST_LAYERS = 10_000

# Options of convolutions, by number, and what they are where they are missing.
OUTPUTS, SIZE, STRIDE, BIAS, WEIGHTS, SCALES, ACTIVATION = 0, 1, 3, 5, 6, 8, 9
SLOPE = -23310  # a list: its length, and the slope of LeakyReLU
LEAKY = 2

FLOAT16, INT8, FLOAT32 = 0x01306B47, 0x000D4B38, (0, 0x0002C056)

CONVOLUTIONS = ("Convolution", "ConvolutionDepthWise")
KINDS = {"Concat": "concat", "BinaryOp": "add"}
KINDS |= dict.fromkeys(("Input", "Split", "Slice", "Crop", "ShuffleChannel", "Pooling", "Interp"), PASSES)
KINDS |= dict.fromkeys(("Sigmoid", "Reshape", "Permute"), PASSES)  # after the heads


@dataclass(frozen=True, slots=True)
class _Layer:
    """One line of a ``.param`` file."""

    step: Step
    options: dict[int, tuple[float, ...]]

    def integer(self, key: int, default: int = 0) -> int:
        """The option with this number."""
        return int(self.options.get(key, (default,))[-1])

    def slope(self) -> float:
        """Of LeakyReLU; raises ValueError if there is none."""
        if SLOPE not in self.options:
            raise ValueError("its LeakyReLU has no slope")
        return self.options[SLOPE][-1]


def read_ncnn(param: Path, binary: Path) -> list[Step]:
    """The steps of a ``.param`` file, with the values of its ``.bin`` file.

    Raises:
        DataError: if a file cannot be read, or the two do not fit together.
    """
    lines = read_text(param).splitlines()
    try:
        values = _Values(read_file(binary, most=MAX_MODEL, kind="model"))
    except OSError as fault:
        raise unreadable(binary, fault) from None
    if not lines or lines[0].strip() != MAGIC or len(lines) > MOST_LAYERS:
        raise DataError(f"{param}: is not a text .param file of ncnn, which begins with {MAGIC}")
    steps: list[Step] = []
    for number, line in enumerate(lines[2:], start=3):
        try:
            steps += _steps(_layer(line), values) if line.strip() else ()
        except (ValueError, IndexError, OverflowError) as fault:
            raise DataError(
                f"{param}: line {number}: {fault}; is {binary.name} the file that belongs to it?"
            ) from None
    if values.left:
        raise DataError(f"{binary}: is {values.left} bytes longer than {param.name} says")
    return steps


def _layer(line: str) -> _Layer:
    kind, name, taken, given, *words = line.split()
    first, second = int(taken), int(taken) + int(given)
    options = {}
    for word in words[second:]:
        key, _, value = word.partition("=")
        options[int(key)] = tuple(float(part) for part in value.split(","))
    step = Step(name, KINDS.get(kind, kind), tuple(words[:first]), tuple(words[first:second]))
    return _Layer(step, options)


def _steps(layer: _Layer, values: _Values) -> Iterator[Step]:
    """The layer as one step, or as two if it activates its output."""
    step = layer.step
    if step.kind not in CONVOLUTIONS:
        yield step
        return
    yield with_values(step, values.convolution(layer), layer.integer(STRIDE, 1))
    if activation := layer.integer(ACTIVATION):
        kind = leaky(layer.slope()) if activation == LEAKY else f"activation {activation}"
        yield Step(step.name, kind, step.outputs, step.outputs)


def _kernel_shape(layer: _Layer) -> tuple[int, int, int, int]:
    """(out, in / groups, height, width); raises ValueError if the layer's options contradict each other."""
    filters, size, count = layer.integer(OUTPUTS), layer.integer(SIZE), layer.integer(WEIGHTS)
    area = filters * size * size
    if min(filters, size, count) < 1 or count % area:
        raise ValueError(f"{count} weights are not a kernel of {filters} x {size} x {size}")
    return filters, count // area, size, size


class _Values:
    """The bytes of a ``.bin`` file, read from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        """Number of bytes that were not read."""
        return len(self._data) - self._at

    def convolution(self, layer: _Layer) -> Values:
        """The next convolution: kernel, bias, and scales if it is quantised."""
        shape = _kernel_shape(layer)
        filters = shape[0]
        kernel, quantised = self._kernel(math.prod(shape))
        bias = self._take(filters, "<f4") if layer.integer(BIAS) else np.zeros(filters, np.float32)
        kernel = kernel.reshape(shape)
        if scales := layer.integer(SCALES):
            scale = self._take(filters, "<f4")[:, None, None, None]
            self._take(2 if scales > 100 else 1, "<f4")  # of its input and output, which we do not quantise
            with np.errstate(all="ignore"):  # `load_values` refuses what is not finite
                kernel = kernel / scale if quantised else kernel
        return Values(kernel, bias)

    def _kernel(self, count: int) -> tuple[NDArray[np.float32], bool]:
        """The next kernel, and whether it must be divided by scales."""
        tag = int(self._take(1, "<u4")[0])
        if tag in FLOAT32:
            return self._take(count, "<f4"), False
        if tag not in (FLOAT16, INT8):
            raise ValueError(f"its values are stored in a way that is not known (tag {tag:#010x})")
        values = self._take(count, "<f2" if tag == FLOAT16 else "i1").astype(np.float32)
        self._at += -self._at % 4  # padded to whole words
        return values, tag == INT8

    def _take(self, count: int, dtype: str) -> NDArray[np.float32]:
        """The next values; raises ValueError at the end of the file."""
        size = count * np.dtype(dtype).itemsize
        if size > self.left:
            raise ValueError(f"needs {size} bytes, but {self.left} are left")
        self._at += size
        return np.frombuffer(self._data, dtype, count, self._at - size)
