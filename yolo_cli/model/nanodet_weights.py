"""A NanoDet-Plus with the weights that its authors' programs write: ncnn, ONNX, and PyTorch files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.model.nanodet import BINS, STEM, VARIANTS, Variant, build_nanodet
from yolo_cli.model.ncnn_file import read_ncnn
from yolo_cli.model.onnx_steps import read_onnx_steps
from yolo_cli.model.steps import Step, Values, load_values, match
from yolo_cli.model.torch_file import read_torch_file
from yolo_cli.text import counted

__all__ = ["read_nanodet"]

EPSILON = 1e-5  # of PyTorch's batch normalisation
Tensors = Mapping[str, NDArray[Any]]
Shapes = list[tuple[int, ...]]

# The normalisation after a convolution, by the end of that convolution's name.
_NORMS = {"conv": "bn", "depthwise": "dwnorm", "pointwise": "pwnorm"}
_AVERAGED = "avg_model."  # before the names of the averaged weights in a checkpoint
_PREFIXES = ("model.", _AVERAGED)


class _Found(NamedTuple):
    """What a file holds.

    Attributes:
        shapes: of all kernels; the last one is a head's.
        values: given our model, the values of each of its convolutions; raises ValueError.
        input_size: height and width, or nothing.
    """

    shapes: Shapes
    values: Callable[[Any], Mapping[str, Values]]
    input_size: tuple[int, ...] = ()


def read_nanodet(
    files: Sequence[Path], class_count: int, name: str = "nanodet"
) -> tuple[Any, tuple[int, ...]]:
    """The Keras model of a NanoDet-Plus-m or -m-1.5x.

    Args:
        files: its ``.param`` and ``.bin``, or its ``.onnx``, ``.pth`` or ``.ckpt``.
        class_count: the number of classes that the caller has names for.
        name: the name of the Keras model.

    Returns:
        The model; and the height and width of its input, or nothing if the file does not tell.

    Raises:
        DataError: if the file cannot be read, is another network's, or has another number of classes.
    """
    path = files[0]
    found = _READERS[path.suffix.lower()](*files)
    variant = _variant(found.shapes, path)
    _check_classes(found.shapes[-1][0] - 4 * BINS, class_count, path)
    model = build_nanodet(variant, class_count, name)
    try:
        load_values(model, found.values(model))
    except ValueError as fault:
        raise DataError(f"{path}: is not a NanoDet-Plus as its authors export it ({fault})") from None
    return model, found.input_size


def _variant(shapes: Shapes, path: Path) -> Variant:
    for variant in VARIANTS.values():
        first, reduced = (variant.stages[0] // 2, STEM, 1, 1), (variant.width, variant.stages[-1], 1, 1)
        if first in shapes and reduced in shapes:
            return variant
    raise DataError(f"{path}: is not a NanoDet-Plus that is known; known are {', '.join(VARIANTS)}")


def _check_classes(classes: int, named: int, path: Path) -> None:
    if classes != named:
        raise DataError(f"{path}: has {counted(classes, 'class')}, but {counted(named, 'name')} are given")


def _from_steps(steps: Iterable[Step], input_size: tuple[int, ...] = ()) -> _Found:
    steps = list(steps)
    shapes = [step.values.kernel.shape for step in steps if step.values is not None]
    return _Found(shapes, lambda model: match(model, steps), input_size)


def _ncnn(param: Path, binary: Path) -> _Found:
    return _from_steps(read_ncnn(param, binary))


def _onnx(path: Path) -> _Found:
    return _from_steps(*read_onnx_steps(path))


def _torch(path: Path) -> _Found:
    stored = sorted(read_torch_file(path).items(), key=lambda item: item[0].startswith(_AVERAGED))
    tensors = {_plain(name): value for name, value in stored}  # averaged weights replace the last ones
    head = tensors.get("head.gfl_cls.0.weight")
    if head is None:
        raise DataError(f"{path}: has no tensor head.gfl_cls.0.weight, so it is not a NanoDet-Plus")
    kernels = [value.shape for value in tensors.values() if value.ndim == 4]
    return _Found([*kernels, head.shape], lambda model: _by_name(model, tensors))


def _plain(name: str) -> str:
    """The name of a tensor in the network, without what training programs put before it."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _by_name(model: Any, tensors: Tensors) -> dict[str, Values]:
    """The values of each convolution of the model; layers are named after tensors."""
    known = {name.replace(".", "_"): name for name in tensors}
    found = {}
    for layer in model.layers:
        if layer.weights:
            weight = known.get(f"{layer.name}_weight")
            if weight is None:
                raise ValueError(f"it has no tensor for {layer.name}")
            found[layer.name] = _normalised(weight.removesuffix(".weight"), tensors)
    return found


def _normalised(name: str, tensors: Tensors) -> Values:
    """The convolution ``name`` with the normalisation after it, as one convolution."""
    kernel = tensors[f"{name}.weight"].astype(np.float64)  # (out, in / groups, h, w)
    if f"{name}.bias" in tensors:
        return Values(kernel.astype(np.float32), tensors[f"{name}.bias"].astype(np.float32))
    norm = _norm_of(name)
    parts = (f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var"))
    gamma, beta, mean, variance = (_tensor(tensors, part).astype(np.float64) for part in parts)  # (out,) each
    scale = gamma / np.sqrt(variance + EPSILON)  # (out,)
    kernel = kernel * scale[:, None, None, None]
    return Values(kernel.astype(np.float32), (beta - mean * scale).astype(np.float32))


def _norm_of(name: str) -> str:
    """``reduce_layers.0.conv`` → ``reduce_layers.0.bn``, ``conv1.0`` → ``conv1.1``."""
    rest, _, last = name.rpartition(".")
    return f"{rest}.{_NORMS[last] if last in _NORMS else int(last) + 1}"


def _tensor(tensors: Tensors, name: str) -> NDArray[Any]:
    if name not in tensors:
        raise ValueError(f"it has no tensor {name}")
    return tensors[name]


_READERS: Mapping[str, Callable[..., _Found]] = {
    ".param": _ncnn,
    ".onnx": _onnx,
    ".pth": _torch,
    ".ckpt": _torch,
}
