"""What convolutions make of an image: an edge filter, learned filters, feature maps, receptive fields."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.explanation.drawing import draw_frame
from yolo_cli.explanation.outcomes import check_point
from yolo_cli.explanation.result import Plotted
from yolo_cli.images import Image
from yolo_cli.render import class_colour
from yolo_cli.text_table import columns
from yolo_cli.visualisation.convolution import HORIZONTAL_EDGES, VERTICAL_EDGES, convolve, pool
from yolo_cli.visualisation.networks import FeatureLayer, Network
from yolo_cli.visualisation.panels import heat, rows_of_panels, signed, square, tiled

__all__ = ["Filters", "show_filters"]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Panel = tuple[str, Pixels]
_SHOWN = 16  # channels of a map, those that vary most


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Filters(Plotted):
    """What the convolutions of a network make of one image.

    Attributes:
        image: the image.
        point: x and y in pixels of the image, whose cells have their receptive fields drawn.
        input: the network's input (H, W, 3).
        kernels: those of the first convolution, (h, w, C, filters).
        layers: the feature maps from fine to coarse.
        maps: one for each layer, (h, w, C).
        cells: the row and column of the point in each map.
    """

    image: Image
    point: tuple[float, float]
    input: Pixels
    kernels: Floats
    layers: tuple[FeatureLayer, ...]
    maps: tuple[Floats, ...]
    cells: tuple[tuple[int, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """The sizes of the maps and the receptive fields at the point."""
        layers = [
            {
                **asdict(layer),
                "size": list(one.shape[:2]),
                "cell": list(cell),
                "field": list(layer.box(*cell)),
            }
            for layer, one, cell in zip(self.layers, self.maps, self.cells, strict=True)
        ]
        return {"image": self.image.name, "point": list(self.point), "layers": layers}

    def to_text(self) -> str:
        """A table of the maps."""
        rows = [("layer", "stride", "map", "receptive field", "cell at the point")]
        rows += [
            (
                layer.name,
                str(layer.stride),
                f"{one.shape[0]} x {one.shape[1]} x {one.shape[2]}",
                f"{layer.field_size} pixels",
                f"row {cell[0]}, column {cell[1]}",
            )
            for layer, one, cell in zip(self.layers, self.maps, self.cells, strict=True)
        ]
        x, y = self.point
        first = "{1} filters of {0} x {0}".format(self.kernels.shape[0], self.kernels.shape[-1])
        size = "{} x {}".format(*self.input.shape[:2])
        head = f"{self.image.name}: input {size} x 3, first convolution: {first}; the point is {x:g},{y:g}\n"
        return head + columns(rows, left=(0, 2, 3, 4)) + "\n"

    def plot(self) -> Pixels:
        """By hand, learned, and where the values come from: rows of panels, uint8 (H, W, 3)."""
        return rows_of_panels([*self._by_hand(), *self._learned(), *self._fields()], 4)

    def _by_hand(self) -> list[Panel]:
        grey = cv2.cvtColor(self.input, cv2.COLOR_RGB2GRAY) / 255
        edges = convolve(grey, VERTICAL_EDGES)
        strided = convolve(grey, VERTICAL_EDGES, padding=1, stride=2)
        pooled = pool(np.abs(edges), 8)
        return [
            (_named("vertical edges", edges), square(signed(edges))),
            (_named("horizontal edges", edges), square(signed(convolve(grey, HORIZONTAL_EDGES)))),
            (_named("padding 1, stride 2", strided), square(signed(strided))),
            (_named("edges, max pooling 8 x 8", pooled), square(heat(pooled), sharp=True)),
        ]

    def _learned(self) -> list[Panel]:
        """The first kernels, and of each map the channels that vary most."""
        kernels = [_kernel(self.kernels[..., n]) for n in range(self.kernels.shape[-1])]
        panels = [(f"{len(kernels)} learned filters", square(tiled(kernels), sharp=True))]
        for layer, one in zip(self.layers, self.maps, strict=True):
            best = np.argsort(-one.std((0, 1)), kind="stable")[:_SHOWN]
            title = f"stride {layer.stride}: {len(best)} of {one.shape[0]} x {one.shape[1]} x {one.shape[2]}"
            panels.append((title, square(tiled([heat(one[..., n]) for n in best]), sharp=True)))
        return panels

    def _fields(self) -> list[Panel]:
        """The image, and the input with the receptive field of one cell of each map."""
        canvas = self.input.copy()
        for number, (layer, cell) in enumerate(zip(self.layers, self.cells, strict=True)):
            draw_frame(canvas, layer.box(*cell), class_colour(number), 1.0, 2)
        sizes = ", ".join(str(layer.field_size) for layer in self.layers)
        return [("network's input", square(self.input)), (f"receptive fields: {sizes}", square(canvas))]


def show_filters(network: Network, image: Image, point: tuple[float, float] | None = None) -> Filters:
    """Run an image through the network and keep what its layers return.

    Args:
        network: the network.
        image: the image.
        point: x and y in pixels of the image; None is its centre.

    Raises:
        UsageError: if the point is outside the image.
    """
    at = point or (image.width / 2, image.height / 2)
    check_point(image, at)
    letterbox = network.letterbox(image)
    pixels = letterbox.apply(image.rgb)
    x, y = letterbox.forward(np.array([[*at, *at]], float))[0, :2].tolist()
    maps = tuple(one[0] for one in network.maps([pixels]))
    cells = tuple((int(y // layer.stride), int(x // layer.stride)) for layer in network.layers)
    return Filters(image, at, pixels, network.first_kernels(), network.layers, maps, cells)


def _named(what: str, values: Floats) -> str:
    return f"{what}: {values.shape[0]} x {values.shape[1]}"


def _kernel(kernel: Floats) -> Pixels:
    """A kernel (h, w, 3) in colours, its largest value as the brightest; of others the mean (h, w)."""
    if kernel.shape[-1] != 3:
        return signed(kernel.mean(-1))
    scaled: Floats = 127.5 + 127.5 * kernel / max(float(np.abs(kernel).max()), 1e-12)
    return scaled.round().astype(np.uint8)
