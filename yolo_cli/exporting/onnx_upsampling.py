"""Nearest-neighbour upsampling in an ONNX graph as one `Resize`.

Keras writes it as two repetitions, of rows and of columns: `Unsqueeze`, `Tile` and `Reshape` to a computed
shape. Not every program can run that: OpenCV 4.6 cannot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["join_upsampling"]

# From the first tile on; tf2onnx may move the transposition to channels last between the two.
_CHAIN = ("Reshape", "Unsqueeze", "Tile", "Reshape")


def join_upsampling(graph: Any) -> None:
    """Replace each pair of repetitions by the same factor, in place."""
    for node in list(graph.node):
        if node.op_type == "Tile":
            _join(graph, node)
    _drop_unused(graph)


def _join(graph: Any, tile: Any) -> None:
    """Replace the pair that begins with ``tile``, if one does."""
    from onnx import helper, numpy_helper

    makers = {out: node for node in graph.node for out in node.output}
    arrays = {array.name: array for array in graph.initializer}
    before, factors = makers.get(tile.input[0]), arrays.get(tile.input[1])
    moved = _next(graph, tile, "Transpose")
    last = _follow(graph, moved or tile)
    if before is None or before.op_type != "Unsqueeze" or factors is None or last is None:
        return
    factor = float(numpy_helper.to_array(factors).max())
    name, given = last.output[0], before.input[0]
    nodes = [] if moved else [helper.make_node("Transpose", [given], [f"{name}/planes"], perm=[0, 3, 1, 2])]
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    inputs = [given if moved else f"{name}/planes", "", f"{name}/scales"]
    nodes += [
        helper.make_node("Resize", inputs, [f"{name}/larger"], **how),
        helper.make_node("Transpose", [f"{name}/larger"], [name], perm=[0, 2, 3, 1]),
    ]
    scales = np.array([1, 1, factor, factor], np.float32)
    graph.initializer.append(numpy_helper.from_array(scales, f"{name}/scales"))
    place = list(graph.node).index(last)
    graph.node.remove(last)
    for node in reversed(nodes):
        graph.node.insert(place, node)


def _follow(graph: Any, node: Any) -> Any:
    """The last node of the chain that follows ``node``, or None."""
    for kind in _CHAIN:
        node = _next(graph, node, kind)
        if node is None:
            return None
    return node


def _next(graph: Any, node: Any, kind: str) -> Any:
    """The node of a kind that takes the output of ``node`` as its first input, or None."""
    return next((one for one in graph.node if one.op_type == kind and one.input[0] == node.output[0]), None)


def _drop_unused(graph: Any) -> None:
    """Remove nodes and arrays that nothing takes, last ones first."""
    used = {output.name for output in graph.output}
    for node in reversed(list(graph.node)):
        if used.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            used |= set(node.input)
    for array in [array for array in graph.initializer if array.name not in used]:
        graph.initializer.remove(array)
