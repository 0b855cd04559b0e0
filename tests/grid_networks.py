"""Networks of one convolution a head, seeded, as ``.onnx`` files with a card: small, but with boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from yolo_cli.codec import Head, HeadKind
from yolo_cli.weights import ModelCard
from yolo_cli.weights.store import CARD_KEY

SIZE = (64, 96)
KNOTS = ((0.0, 0.2, 0.7, 1.0), (0.0, 0.35, 0.6, 1.0))


def card_of(kind: HeadKind = "yolo", **changes: object) -> ModelCard:
    """Two heads of stride 16 and 32 with two anchors each, and three classes."""
    heads = (
        Head(kind, ((9.0, 14.0), (20.5, 11.0)), 16, 3, scale_x_y=1.1),
        Head(kind, ((30.0, 40.0), (60.0, 25.0)), 32, 3),
    )
    return ModelCard("grid", ("cat", "dog", "traffic light"), heads, SIZE, "letterbox", **changes)  # type: ignore[arg-type]


def write_grid(path: Path, card: ModelCard, seed: int = 0, contrast: float = 1.0) -> Path:
    """A network whose raw heads depend on the pixels of each cell, so that any change of them shows.

    Args:
        path: the file.
        card: its card.
        seed: of the weights.
        contrast: how much raw heads depend on them.
    """
    from onnx import TensorProto, helper, save

    rng = np.random.default_rng(seed)
    given = helper.make_tensor_value_info("rgb", TensorProto.UINT8, ["b", "h", "w", 3])
    nodes = [
        helper.make_node("Cast", ["rgb"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
    ]
    constants, outputs = [], []
    for i, head in enumerate(card.heads):
        parts = _head(i, head, rng, contrast)
        nodes += parts[0]
        constants += parts[1]
        outputs.append(
            helper.make_tensor_value_info(f"raw_{i}", TensorProto.FLOAT, ["b", None, None, head.channels])
        )
    graph = helper.make_graph(nodes, "grid", [given], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    helper.set_model_props(model, {CARD_KEY: card.to_json()})
    save(model, str(path))
    return path


def _head(
    i: int, head: Head, rng: np.random.Generator, contrast: float
) -> tuple[Sequence[object], Sequence[object]]:
    from onnx import helper, numpy_helper

    sigmoid = head.kind == "new_coords"
    kernel = contrast * rng.normal(size=(head.channels, 3, head.stride, head.stride)) / (20 * head.stride)
    kernel -= kernel.mean((1, 2, 3), keepdims=True)
    bias = rng.normal(size=head.channels)
    for place in (2, 3):  # log width and height: no box so thin that float32 cannot tell its edges apart
        kernel[place :: head.values] /= 8
        bias[place :: head.values] /= 4
    arrays = [(f"kernel_{i}", kernel), (f"bias_{i}", bias)]
    last = [helper.make_node("Sigmoid", [f"conv_{i}"], [f"out_{i}"])] if sigmoid else []
    nodes = [
        helper.make_node(
            "Conv", ["planes", f"kernel_{i}", f"bias_{i}"], [f"conv_{i}"], strides=[head.stride] * 2
        ),
        *last,
        helper.make_node(
            "Transpose", [f"{'out' if sigmoid else 'conv'}_{i}"], [f"raw_{i}"], perm=[0, 2, 3, 1]
        ),
    ]
    return nodes, [numpy_helper.from_array(value.astype(np.float32), name) for name, value in arrays]
