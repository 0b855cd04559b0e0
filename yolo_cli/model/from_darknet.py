"""A Darknet network as a Keras functional model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from yolo_cli.darknet import Convolution, Network, Section
from yolo_cli.framework import keras
from yolo_cli.model.layers import (
    ChannelGroup,
    GroupedConv2D,
    PaddedMaxPool,
    Reorg,
    ShortcutAdd,
    SpaceToDepth,
)

__all__ = ["build_model", "load_convolutions"]

EPSILON = 1e-5  # AlexeyAB's epsilon of batch normalisation, inside the square root

ACTIVATIONS: Mapping[str, Callable[[str], Any]] = {
    "leaky": lambda name: keras.layers.LeakyReLU(negative_slope=0.1, name=name),
    "relu": lambda name: keras.layers.ReLU(name=name),
    "relu6": lambda name: keras.layers.ReLU(max_value=6.0, name=name),
    "mish": lambda name: keras.layers.Activation("mish", name=name),
    "swish": lambda name: keras.layers.Activation("silu", name=name),
    "logistic": lambda name: keras.layers.Activation("sigmoid", name=name),
}


def build_model(
    network: Network, convolutions: Mapping[int, Convolution] | None = None, name: str = "darknet"
) -> Any:
    """Build the Keras model of ``network``, with the weights of ``convolutions`` if given.

    Returns:
        A functional model: uint8 (B, H, W, 3) → a list of float32 (B, h, w, anchors × (5 + classes)).
        Height and width are dynamic; both must be multiples of the largest stride.

    Raises:
        DataError: if a section does not fit those before it.
    """
    image = keras.Input((None, None, 3), dtype="uint8", name="rgb")
    x = keras.layers.Rescaling(1 / 255, dtype="float32", name="scale")(image)
    outputs: list[Any] = []  # of every layer, as [route] and [shortcut] may refer to any
    heads: list[Any] = []
    for index, layer in enumerate(network.layers):
        if layer.kind in ("yolo", "region"):
            heads.append(keras.layers.Activation("linear", dtype="float32", name=f"head_{len(heads)}")(x))
        else:
            x = _LAYERS[layer.kind](x, layer, network, index, outputs)
        outputs.append(x)
    model = keras.Model(image, heads, name=name)
    if convolutions is not None:
        load_convolutions(model, convolutions)
    return model


def load_convolutions(model: Any, convolutions: Mapping[int, Convolution]) -> None:
    """Load the values of a ``.weights`` file into the layers of ``build_model``'s graph."""
    for index, values in convolutions.items():
        conv = model.get_layer(f"conv_{index:03d}")
        if isinstance(conv, keras.layers.DepthwiseConv2D):
            size = values.kernel.shape[2]
            kernel = values.kernel.reshape(conv.input.shape[-1], -1, size, size)  # (C, multiplier, h, w)
            kernel = kernel.transpose(2, 3, 0, 1)  # (h, w, C, multiplier)
        else:
            kernel = values.kernel.transpose(2, 3, 1, 0)  # (h, w, in / groups, out)
        if values.gamma is None:
            conv.set_weights([kernel, values.bias])
        else:
            conv.set_weights([kernel])
            norm = [values.gamma, values.bias, values.mean, values.variance]
            model.get_layer(f"norm_{index:03d}").set_weights(norm)


def _activate(x: Any, layer: Section, index: int, default: str) -> Any:
    kind = layer.text("activation", default)
    return x if kind == "linear" else ACTIVATIONS[kind](f"{kind}_{index:03d}")(x)


def _convolution(x: Any, layer: Section, _network: Network, index: int, _outputs: list[Any]) -> Any:
    size, stride = layer.integer("size", 1), layer.integer("stride", 1)
    padding = size // 2 if layer.integer("pad", 0) else layer.integer("padding", 0)
    if padding and stride == 1 and 2 * padding == size - 1:
        border = "same"
    else:  # Keras' `same` pads only right and below at stride 2; Darknet pads every side
        border = "valid"
        if padding:
            x = keras.layers.ZeroPadding2D(padding, name=f"pad_{index:03d}")(x)
    normalised = layer.integer("batch_normalize", 0) != 0
    common = {"strides": stride, "padding": border, "use_bias": not normalised, "name": f"conv_{index:03d}"}
    filters, groups = layer.integer("filters", 1), layer.integer("groups", 1)
    if groups > 1 and groups == x.shape[-1]:
        x = keras.layers.DepthwiseConv2D(size, depth_multiplier=filters // groups, **common)(x)
    elif groups > 1:
        x = GroupedConv2D(filters, size, groups=groups, **common)(x)
    else:
        x = keras.layers.Conv2D(filters, size, **common)(x)
    if normalised:
        x = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"norm_{index:03d}")(x)
    return _activate(x, layer, index, "logistic")


def _maxpool(x: Any, layer: Section, _network: Network, index: int, _outputs: list[Any]) -> Any:
    stride = layer.integer("stride", 1)
    size = layer.integer("size", stride)
    padding, name = layer.integer("padding", size - 1), f"maxpool_{index:03d}"
    if padding == size - 1 and (stride == 1 or size == stride == 2):
        return keras.layers.MaxPooling2D(size, stride, padding="same", name=name)(x)
    return PaddedMaxPool(size, stride, padding, name=name)(x)


def _route(_x: Any, layer: Section, network: Network, index: int, outputs: list[Any]) -> Any:
    sources = [outputs[n] for n in network.references(index, "layers")]
    groups = layer.integer("groups", 1)
    if groups > 1:
        part = layer.integer("group_id", 0)
        sources = [
            ChannelGroup(groups, part, name=f"group_{index:03d}_{i}")(s) for i, s in enumerate(sources)
        ]
    return sources[0] if len(sources) == 1 else keras.layers.Concatenate(name=f"route_{index:03d}")(sources)


def _shortcut(x: Any, layer: Section, network: Network, index: int, outputs: list[Any]) -> Any:
    terms = [x, *(outputs[n] for n in network.references(index, "from"))]
    name = f"shortcut_{index:03d}"
    same = len({term.shape[-1] for term in terms}) == 1
    x = keras.layers.Add(name=name)(terms) if same else ShortcutAdd(name=name)(terms)
    return _activate(x, layer, index, "linear")


def _multiply(x: Any, layer: Section, network: Network, index: int, outputs: list[Any]) -> Any:
    """``[scale_channels]``: one factor per channel; ``[sam]``: one factor per value."""
    source = outputs[network.references(index, "from")[0]]
    x = keras.layers.Multiply(name=f"{layer.kind}_{index:03d}")([source, x])
    return _activate(x, layer, index, "linear")


def _strided(maker: Callable[..., Any], default: int) -> Callable[..., Any]:
    def add(x: Any, layer: Section, _network: Network, index: int, _outputs: list[Any]) -> Any:
        return maker(layer.integer("stride", default), name=f"{layer.kind}_{index:03d}")(x)

    return add


def _avgpool(x: Any, _layer: Section, _network: Network, index: int, _outputs: list[Any]) -> Any:
    return keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"avgpool_{index:03d}")(x)


def _same(x: Any, *_: Any) -> Any:
    """``[dropout]`` has no effect in detection, but it counts as a layer."""
    return x


_LAYERS: Mapping[str, Callable[..., Any]] = {
    "convolutional": _convolution,
    "maxpool": _maxpool,
    "avgpool": _avgpool,
    "route": _route,
    "shortcut": _shortcut,
    "scale_channels": _multiply,
    "sam": _multiply,
    "upsample": _strided(keras.layers.UpSampling2D, 2),
    "reorg": _strided(Reorg, 1),
    "reorg3d": _strided(SpaceToDepth, 1),
    "dropout": _same,
}
