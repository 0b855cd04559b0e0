"""One form for equal networks, so that two exports of one model are equal files.

Keras numbers shared objects by their addresses. tf2onnx numbers what it makes through the whole process, and
merges equal nodes in the order of a set of strings, which differs from process to process: which of their
names is left is chance, so none is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator
from typing import Any

__all__ = ["canonical_config", "canonical_graph"]

_SHARED = "shared_object_id"


def canonical_config(config: bytes) -> bytes:
    """The ``config.json`` of a Keras model, with its shared objects numbered from 1 in order.

    How it was compiled is left out: models are saved to be run, and loaded without it.
    """
    numbers: dict[Any, int] = {}

    def renumbered(values: dict[str, Any]) -> dict[str, Any]:
        if values.get(_SHARED) is not None:
            values[_SHARED] = numbers.setdefault(values[_SHARED], len(numbers) + 1)
        return values

    values = json.loads(config, object_hook=renumbered)
    values.pop("compile_config", None)
    return json.dumps(values).encode()


def canonical_graph(model: Any) -> None:
    """Change an ONNX model in place: equal nodes are one, in the order in which the outputs need them.

    Nodes and constants are named by what they are, in that order. A graph with graphs within stays as it is.
    """
    graph = model.graph
    if any(each.HasField("g") or each.graphs for node in graph.node for each in node.attribute):
        return
    _number_free_sizes([*graph.input, *graph.output])
    graph.doc_string = ""  # the exporter numbers it, too
    ordered = _Ordered(graph)
    for output in graph.output:
        ordered.add(output.name)
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(ordered.nodes)
    graph.initializer.extend(ordered.constants)


def _number_free_sizes(values: list[Any]) -> None:
    """Call the sizes that differ from run to run ``size_1``, ``size_2``, …; equal ones stay equal."""
    numbers: dict[str, int] = {}
    for value in values:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = f"size_{numbers.setdefault(size.dim_param, len(numbers) + 1)}"


class _Ordered:
    """The nodes and constants of a graph in canonical order, with canonical names.

    Attributes:
        nodes: each after those that it needs.
        constants: in the order in which the nodes need them.
    """

    def __init__(self, graph: Any) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._makers = {name: node for node in graph.node for name in node.output}
        self._stored = {array.name: array for array in graph.initializer}
        self._fixed = {value.name for value in (*graph.input, *graph.output)}
        self._names = {"": ""} | {value.name: value.name for value in graph.input}
        self._known: dict[Hashable, list[str]] = {}  # what was made already → the names of its outputs
        self._taken = set(self._fixed)

    def add(self, name: str) -> None:
        """Add what makes a value, after everything that this needs."""
        waiting = [name]
        while waiting:
            missing = [each for each in self._needs(waiting[-1]) if each not in self._names]
            if missing:
                waiting += reversed(missing)
            else:
                self._make(waiting.pop())

    def _needs(self, name: str) -> Iterator[str]:
        if name not in self._names and name in self._makers:
            yield from self._makers[name].input

    def _make(self, name: str) -> None:
        """Add one node or constant, unless there is an equal one."""
        if name in self._names:
            return
        if name in self._stored:
            self._add_constant(self._stored[name])
        else:
            self._add_node(self._makers[name])

    def _add_constant(self, array: Any) -> None:
        from onnx import numpy_helper

        values = numpy_helper.to_array(array)
        key = (array.data_type, values.shape, hashlib.sha256(values.tobytes()).digest())
        if key not in self._known:
            new = self._new_name("constant")
            self._known[key] = [new]
            self.constants.append(numpy_helper.from_array(values, new))
        self._names[array.name] = self._known[key][0]

    def _add_node(self, node: Any) -> None:
        inputs = [self._names[each] for each in node.input]
        attributes = tuple(sorted(each.SerializeToString(deterministic=True) for each in node.attribute))
        fixed = tuple(each for each in node.output if each in self._fixed)
        key = (node.op_type, node.domain, tuple(inputs), attributes, fixed)
        if key not in self._known:
            self._known[key] = self._append(node, inputs)
        self._names.update(zip(node.output, self._known[key], strict=True))

    def _append(self, node: Any, inputs: list[str]) -> list[str]:
        """Append a copy of a node that reads ``inputs``; return the names of its outputs."""
        kind = node.op_type.lower()
        outputs = [each if each in self._fixed else self._new_name(kind) for each in node.output]
        copy = type(node)()
        copy.CopyFrom(node)
        del copy.input[:], copy.output[:]
        copy.input.extend(inputs)
        copy.output.extend(outputs)
        copy.name = outputs[0]
        self.nodes.append(copy)
        return outputs

    def _new_name(self, kind: str) -> str:
        new, number = kind, 1
        while new in self._taken:
            number += 1
            new = f"{kind}__{number}"
        self._taken.add(new)
        return new
