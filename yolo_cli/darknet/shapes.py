"""The output shape of every layer of a cfg, and checks that layers fit together.

In Keras, height and width are dynamic, so a cfg that joins maps of different size would build, and fail only
at its first image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from yolo_cli.darknet.cfg import Network, Section

__all__ = ["Shape", "shapes"]

MAX_VALUES = 1 << 26  # of one layer at the input size of the cfg: 256 MB


class Shape(NamedTuple):
    """The output shape of a layer at the input size of the cfg.

    Attributes:
        channels: values per cell.
        stride: width of a cell in pixels of the network's input.
        rows, columns: number of cells.
    """

    channels: int
    stride: float
    rows: int
    columns: int

    @property
    def cells(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns

    def __str__(self) -> str:
        return f"{self.channels} channels of {self.rows} x {self.columns} cells"


def shapes(network: Network) -> list[Shape]:
    """The shape of every layer's output.

    Raises:
        DataError: if layers do not fit together; it names the line.
    """
    net = network.net
    before = Shape(net.integer("channels", 3), 1.0, net.integer("height"), net.integer("width"))
    found: list[Shape] = []
    for index, layer in enumerate(network.layers):
        key = "layers" if layer.kind == "route" else "from"
        named = [found[n] for n in network.references(index, key)] if layer.kind in _JOINING else []
        before = _SHAPES.get(layer.kind, _same)(layer, before, named)
        if min(before.cells) < 1:
            raise layer.fault(f"leaves nothing of its input at {net.text('width', '')} pixels")
        if before.channels * before.rows * before.columns > MAX_VALUES:
            raise layer.fault(f"gives {before}, which are over {MAX_VALUES:,} values")
        found.append(before)
    return found


def _convolution(layer: Section, before: Shape, _: Sequence[Shape]) -> Shape:
    size = layer.integer("size", 1)
    padding = size // 2 if layer.integer("pad", 0) else layer.integer("padding", 0)
    shrunk = _slid(before, size, layer.integer("stride", 1), 2 * padding)
    return shrunk._replace(channels=layer.integer("filters", 1))


def _maxpool(layer: Section, before: Shape, _: Sequence[Shape]) -> Shape:
    stride = layer.integer("stride", 1)
    size = layer.integer("size", stride)
    return _slid(before, size, stride, layer.integer("padding", size - 1))


def _slid(before: Shape, size: int, step: int, padding: int) -> Shape:
    """The shape after a window of ``size`` cells and stride ``step``; ``padding`` is that of both sides."""
    rows, columns = ((cells + padding - size) // step + 1 for cells in before.cells)
    return Shape(before.channels, before.stride * step, rows, columns)


def _avgpool(_layer: Section, before: Shape, _: Sequence[Shape]) -> Shape:
    return Shape(before.channels, float("inf"), 1, 1)


def _upsample(layer: Section, before: Shape, _: Sequence[Shape]) -> Shape:
    step = layer.integer("stride", 2)
    return Shape(before.channels, before.stride / step, before.rows * step, before.columns * step)


def _reorg(layer: Section, before: Shape, _: Sequence[Shape]) -> Shape:
    step = layer.integer("stride", 1)
    if any(cells % step for cells in before.cells) or (layer.kind == "reorg" and before.channels % step**2):
        raise layer.fault(f"stride={step} does not divide {before} evenly")
    return Shape(before.channels * step**2, before.stride * step, before.rows // step, before.columns // step)


def _route(layer: Section, _before: Shape, named: Sequence[Shape]) -> Shape:
    groups, part = layer.integer("groups", 1), layer.integer("group_id", 0)
    if part >= groups or any(source.channels % groups for source in named):
        widths = " and ".join(str(source.channels) for source in named)
        raise layer.fault(f"cannot take group_id={part} of groups={groups} of {widths} channels")
    _check_same_cells(layer, named)
    return named[0]._replace(channels=sum(source.channels // groups for source in named))


def _shortcut(layer: Section, before: Shape, named: Sequence[Shape]) -> Shape:
    _check_same_cells(layer, [before, *named])
    return before


def _gate(layer: Section, before: Shape, named: Sequence[Shape]) -> Shape:
    """``[scale_channels]`` scales by one cell, ``[sam]`` by a map of the same size."""
    source = named[0]
    wanted = source.cells if layer.kind == "sam" else (1, 1)
    if (before.channels, before.cells) != (source.channels, wanted):
        raise layer.fault(f"cannot scale {source} by {before}")
    return source


def _same(_layer: Section, before: Shape, _: Sequence[Shape]) -> Shape:
    return before


def _check_same_cells(layer: Section, joined: Sequence[Shape]) -> None:
    if len({shape.cells for shape in joined}) > 1:
        raise layer.fault(f"joins maps of different size: {' and '.join(str(shape) for shape in joined)}")


_JOINING = frozenset(["route", "shortcut", "scale_channels", "sam"])
_SHAPES: Mapping[str, Callable[[Section, Shape, Sequence[Shape]], Shape]] = {
    "convolutional": _convolution,
    "maxpool": _maxpool,
    "avgpool": _avgpool,
    "upsample": _upsample,
    "reorg": _reorg,
    "reorg3d": _reorg,
    "route": _route,
    "shortcut": _shortcut,
    "scale_channels": _gate,
    "sam": _gate,
}
