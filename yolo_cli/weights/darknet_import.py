"""Read Darknet models."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from yolo_cli.codec import Head, HeadKind
from yolo_cli.config import SuppressionKind
from yolo_cli.darknet import Network, Section, Shape, read_cfg, read_names, read_weights, shapes
from yolo_cli.text import counted
from yolo_cli.weights.card import ModelCard

__all__ = ["card_of", "darknet_model", "heads_of", "identifier"]


def darknet_model(cfg: Path, weights: Path, names: Path, name: str) -> tuple[Any, ModelCard]:
    """A Darknet model as a Keras model, and its card.

    Args:
        cfg: the network.
        weights: its weights.
        names: its class names, one per line.
        name: what to call it.

    Raises:
        DataError: if the three files do not fit together.
    """
    network = read_cfg(cfg)
    card = card_of(network, read_names(names), name, names.name)
    convolutions, digest = read_weights(weights, network)
    from yolo_cli.model import build_model

    source = {"cfg": cfg.name, "weights": weights.name, "weights_sha256": digest}
    return build_model(network, convolutions, name=identifier(name)), replace(card, source=source)


def card_of(
    network: Network, class_names: tuple[str, ...], name: str, names_file: str = "the list"
) -> ModelCard:
    """The model card, with the fields that a cfg determines.

    Raises:
        DataError: if the number of class names differs from that of the heads.
    """
    heads = heads_of(network)
    for index, head in zip(network.heads(), heads, strict=True):
        if head.class_count != len(class_names):
            fault = (
                f"says classes={head.class_count}, but {names_file} holds {counted(len(class_names), 'name')}"
            )
            raise network.layers[index].fault(fault)
    last = network.layers[network.heads()[-1]]  # Darknet uses the suppression of the last head
    return ModelCard(
        name=name,
        class_names=class_names,
        heads=heads,
        input_size=(network.net.integer("height"), network.net.integer("width")),
        resize="letterbox" if network.net.integer("letter_box", 0) else "stretch",
        suppression=_suppression(last),
        beta=last.real("beta_nms", 0.6),
    )


def heads_of(network: Network) -> tuple[Head, ...]:
    """The heads of a cfg.

    Raises:
        DataError: if a head's anchors or the layer before it do not fit.
    """
    known = shapes(network)
    size = network.net.integer("height"), network.net.integer("width")
    return tuple(_head(network.layers[index], known[index], size) for index in network.heads())


def _head(layer: Section, shape: Shape, size: tuple[int, int]) -> Head:
    pairs, stride = _anchors(layer), int(shape.stride) if math.isfinite(shape.stride) else 0
    if (shape.rows * stride, shape.columns * stride) != size:
        raise layer.fault(f"has a grid that does not divide {size[1]} x {size[0]} pixels: {shape}")
    kind: HeadKind
    if layer.kind == "region":  # YOLOv2 gives anchors in grid cells
        kind, anchors = "region", tuple((w * stride, h * stride) for w, h in pairs)
    else:
        kind = "new_coords" if layer.integer("new_coords", 0) else "yolo"
        chosen = layer.integers("mask") or tuple(range(len(pairs)))
        if not all(0 <= i < len(pairs) for i in chosen):
            raise layer.fault(
                f"mask={layer.text('mask', '')} names an anchor beyond the {len(pairs)} that it has"
            )
        anchors = tuple(pairs[i] for i in chosen)
    head = Head(kind, anchors, stride, layer.integer("classes", 20), layer.real("scale_x_y", 1.0))
    if head.scale_x_y <= 0:
        raise layer.fault(f"scale_x_y={head.scale_x_y:g} must be above 0")
    if shape.channels != head.channels:
        raise layer.fault(
            f"needs {len(anchors)} anchors x (5 + {head.class_count} classes) = {head.channels} channels, "
            f"but the layer before it gives {shape.channels}"
        )
    return head


def _anchors(layer: Section) -> tuple[tuple[float, float], ...]:
    """Pairs of width and height."""
    values = layer.reals("anchors")
    if not values or len(values) % 2 or min(values) <= 0:
        given = layer.text("anchors", "")
        raise layer.fault(f"anchors={given} must be pairs of width and height, all above 0")
    return tuple(zip(values[::2], values[1::2], strict=True))


def _suppression(layer: Section) -> SuppressionKind:
    kinds: dict[str, SuppressionKind] = {"default": "iou", "greedynms": "greedynms", "diounms": "diounms"}
    kind = layer.text("nms_kind", "default")
    if kind not in kinds:
        raise layer.fault(f"nms_kind={kind} is not known; known are {', '.join(kinds)}")
    return kinds[kind]


def identifier(name: str) -> str:
    """A valid model name for Keras: letters, digits, underscores."""
    return "".join(c if c.isalnum() else "_" for c in name) or "network"
