"""ONNX as an array library: operations on `Symbol`s append nodes to a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Head
from yolo_cli.exporting.plan import Plan

__all__ = ["OnnxOps", "Symbol"]

_END = 2**31 - 1
_MANY = 10**6  # boxes of one class and image, more than any network has


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """An array of the graph.

    Attributes:
        ops: the graph that it is part of.
        name: its name there.
        dtype: NumPy's name of its type.
    """

    ops: OnnxOps
    name: str
    dtype: str = "float32"
    __array_ufunc__: ClassVar[None] = None  # so that NumPy's arrays leave the arithmetic to this class

    def __add__(self, other: Any) -> Symbol:
        return self.ops.node("Add", self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Symbol:
        return self.ops.node("Sub", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return self.ops.node("Sub", self.ops.like(self, other), self)

    def __mul__(self, other: Any) -> Symbol:
        return self.ops.node("Mul", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Symbol:
        return self.ops.node("Div", self, other)

    __floordiv__ = __truediv__  # of integers that are not negative

    def __pow__(self, other: Any) -> Symbol:
        return self.ops.node("Pow", self, other)

    def __getitem__(self, index: tuple[Any, slice]) -> Symbol:
        """``x[..., a:b]``."""
        part = index[1]
        ends = [[part.start or 0], [_END if part.stop is None else part.stop], [-1]]
        return self.ops.node("Slice", self, *map(self.ops.integers, ends))


@dataclass(slots=True, eq=False)
class OnnxOps:
    """A graph under construction; see `yolo_cli.exporting.path.Ops`.

    Attributes:
        nodes: the nodes, in the order in which they run.
        constants: name and value of each.
    """

    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    _known: dict[tuple[str, tuple[int, ...], bytes], Symbol] = field(default_factory=dict)

    def node(self, kind: str, *inputs: Any, dtype: str | None = None, **attributes: Any) -> Symbol:
        """The output of a new node; inputs that are not symbols become constants like the first one."""
        import onnx

        first = inputs[0]
        symbols = [one if isinstance(one, Symbol) else self.like(first, one) for one in inputs]
        out = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, [s.name for s in symbols], [out], out, **attributes))
        return Symbol(self, out, dtype or first.dtype)

    def call(self, network: Any, given: Symbol) -> list[Symbol]:
        """The outputs of another graph with one input; its nodes become part of this one."""
        from onnx import compose, numpy_helper

        graph = compose.add_prefix(network, "network/").graph
        for node in graph.node:
            names = [given.name if name == graph.input[0].name else name for name in node.input]
            del node.input[:]
            node.input.extend(names)
        self.nodes.extend(graph.node)
        self.constants |= {array.name: numpy_helper.to_array(array) for array in graph.initializer}
        return [Symbol(self, out.name) for out in graph.output]

    def constant(self, value: Any, dtype: str) -> Symbol:
        """A constant; equal ones are stored once."""
        array = np.asarray(value, dtype)
        key = (dtype, array.shape, array.tobytes())
        if key not in self._known:
            name = f"constant_{len(self.constants)}"
            self.constants[name] = array
            self._known[key] = Symbol(self, name, dtype)
        return self._known[key]

    def like(self, other: Symbol, value: Any) -> Symbol:
        """A constant of the type of another array; None is an input that is left out."""
        return Symbol(self, "") if value is None else self.constant(value, other.dtype)

    def integers(self, value: Any) -> Symbol:
        """A constant of int64."""
        return self.constant(value, "int64")

    def exp(self, x: Symbol) -> Symbol:
        return self.node("Exp", x)

    def tanh(self, x: Symbol) -> Symbol:
        return self.node("Tanh", x)

    def round(self, x: Symbol) -> Symbol:
        return self.node("Round", x)

    def round_down(self, x: Symbol) -> Symbol:
        return self.node("Floor", x)

    def take(self, x: Symbol, at: Symbol, axis: int) -> Symbol:
        return self.node("Gather", x, self.cast(at, "int64"), axis=axis)

    def arange(self, count: Any) -> Symbol:
        zero = self.integers(0)
        return self.floats(self.node("Range", zero, count, self.integers(1)))

    def minimum(self, a: Symbol, b: Any) -> Symbol:
        # OpenCV 4.6 has neither the minimum of an array and a number, nor Clip.
        return b - self.node("Relu", b - a) if isinstance(b, float) else self.node("Min", a, b)

    def maximum(self, a: Symbol, b: Any) -> Symbol:
        return self.node("Relu", a - b) + b if isinstance(b, float) else self.node("Max", a, b)

    def max(self, x: Symbol, axis: int, keepdims: bool, initial: float) -> Symbol:  # noqa: ARG002
        return self.node("ReduceMax", x, axes=[axis], keepdims=int(keepdims))

    def sign(self, x: Symbol) -> Symbol:
        return self.node("Sign", x)

    def sum(self, x: Symbol, axis: int, keepdims: bool) -> Symbol:
        return self.node("ReduceSum", x, self.integers([axis]), keepdims=int(keepdims))

    def concatenate(self, parts: Sequence[Any], axis: int) -> Symbol:
        return self.node("Concat", *parts, axis=axis)

    def reshape(self, x: Symbol, shape: Sequence[int]) -> Symbol:
        return self.node("Reshape", x, self.integers(shape))

    def cast(self, x: Symbol, dtype: str) -> Symbol:
        import onnx

        return self.node("Cast", x, dtype=dtype, to=onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def floats(self, x: Symbol) -> Symbol:
        return self.cast(x, "float32")

    def _row(self, scalars: Sequence[Any]) -> Symbol:
        """Integer scalars as a vector."""
        parts = [
            self.reshape(one, [1]) if isinstance(one, Symbol) else self.integers([one]) for one in scalars
        ]
        return self.concatenate(parts, axis=0)

    def vector(self, scalars: Sequence[Any]) -> Symbol:
        return self.floats(self._row(scalars))

    def side(self, images: Symbol, axis: int) -> Symbol:
        shape = self.node("Shape", images, dtype="int64")
        return self.node("Gather", shape, self.integers(axis))

    def planes_last(self, images: Symbol) -> Symbol:
        return self.node("Transpose", images, perm=[0, 2, 3, 1])

    def pad(self, images: Symbol, rows: Sequence[Any], columns: Sequence[Any], value: float) -> Symbol:
        sides = self._row([0, rows[0], columns[0], 0, 0, rows[1], columns[1], 0])
        return self.node("Pad", images, sides, self.like(images, value), mode="constant")

    def grid(self, raw: Symbol, head: Head) -> tuple[Symbol, Symbol]:
        rows, columns, count = self.side(raw, 1), self.side(raw, 2), head.boxes
        zero, one = self.integers(0), self.integers(1)
        row = self.reshape(self.node("Range", zero, rows, one), [-1, 1, 1, 1])
        column = self.reshape(self.node("Range", zero, columns, one), [1, -1, 1, 1])
        shape = self._row([rows, columns, count, 1])
        cells = self.concatenate([self.node("Expand", part, shape) for part in (column, row)], axis=-1)
        anchors = self.constant(np.reshape(head.anchors or (0, 0), (1, 1, count, 2)), "float32")
        anchors = self.node("Expand", anchors, self._row([rows, columns, count, 2]))
        return self.floats(self.reshape(cells, [1, -1, 2])), self.reshape(anchors, [1, -1, 2])

    def suppress(self, boxes: Symbol, scores: Symbol, plan: Plan, limit: Symbol | None) -> dict[str, Symbol]:
        config = plan.detector.config
        by_class = self.node("Transpose", scores, perm=[0, 2, 1])  # (B, classes, S)
        thresholds = (self.like(boxes, [value]) for value in (config.nms_iou, plan.detector.raw_threshold))
        chosen = self.node(
            "NonMaxSuppression", boxes, by_class, self.integers([_MANY]), *thresholds, dtype="int64"
        )  # (M, 3): image, class, slot
        image, class_id = chosen[..., :1], chosen[..., 1:2]  # (M, 1) each
        slots = self.concatenate([image, chosen[..., 2:]], axis=-1)  # (M, 2)
        xyxy = self.node("GatherND", boxes, slots)  # (M, 4)
        if limit is not None:
            xyxy = self.minimum(self.maximum(xyxy, 0.0), limit)
        columns = [image, class_id, xyxy, self.node("GatherND", by_class, chosen)]
        return self._best(self._inside(columns), self.side(boxes, 0), config.max_det)

    def _inside(self, columns: Sequence[Symbol]) -> list[Symbol]:
        """Rows of image, class, box and score whose box is not empty, by falling score."""
        xyxy = columns[2]
        sides = xyxy[..., 2:] - xyxy[..., :2]  # (M, 2)
        shorter = self.node("ReduceMin", sides, axes=[1], keepdims=0)  # (M,)
        wanted = self.node("Greater", shorter, self.like(shorter, 0.0), dtype="bool")
        kept = [self.node("Compress", one, wanted, axis=0) for one in columns]
        _, order = self._sorted(kept[3])
        return [self.node("Gather", one, order, axis=0) for one in kept]

    def _sorted(self, score: Symbol) -> tuple[Symbol, Symbol]:
        """Scores (M,) in falling order, equal ones in their own, and their positions."""
        count = self.node("Shape", score, dtype="int64")
        top = self.node("TopK", score, count, axis=0)
        positions = f"{top.name}_positions"
        self.nodes[-1].output.append(positions)
        return top, Symbol(self, positions, "int64")

    def _best(self, rows: Sequence[Symbol], batch: Symbol, most: int) -> dict[str, Symbol]:
        """The first ``most`` rows of each image, padded with zeros."""
        image, class_id, xyxy, score = rows
        images = self.node("Range", self.integers(0), batch, self.integers(1))  # (B,)
        mine = self.cast(self.node("Equal", image, images, dtype="bool"), "int64")  # (M, B)
        before = self.node("CumSum", mine, self.integers(0), exclusive=1)  # (M, B)
        rank = self.node("ReduceSum", mine * before, self.integers([1]))  # (M, 1)
        first = self.reshape(self.node("Less", rank, self.integers(most), dtype="bool"), [-1])
        at = self.concatenate([image, rank], axis=-1)  # (M, 2)
        at, class_id, xyxy, score = (
            self.node("Compress", one, first, axis=0) for one in (at, class_id, xyxy, score)
        )
        found = self.node("ReduceSum", mine, self.integers([0]), keepdims=0)  # (B,)
        return {
            "num_detections": self.minimum(found, most),
            "boxes": self._spread(xyxy, at, [batch, most, 4]),
            "scores": self._spread(score, at, [batch, most]),
            "class_ids": self._spread(self.reshape(class_id, [-1]), at, [batch, most]),
        }

    def _spread(self, rows: Symbol, at: Symbol, shape: Sequence[Any]) -> Symbol:
        """Zeros of a shape with ``rows`` at the positions ``at``."""
        nothing = self.node("Expand", self.like(rows, 0), self._row(shape))
        return self.node("ScatterND", nothing, at, rows)
