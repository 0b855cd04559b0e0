"""What the units of each layer respond to: the patches that excite them most.

As in Zeiler and Fergus, *Visualizing and Understanding Convolutional Networks*, 2013, without their
deconvolution: a unit is a channel of a feature map, and a patch the receptive field of one of its cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets import Sample
from yolo_cli.explanation.result import Plotted
from yolo_cli.images import Image
from yolo_cli.visualisation.networks import FeatureLayer, Network
from yolo_cli.visualisation.panels import rows_of_panels, square, tiled

__all__ = ["LayerPatches", "Patch", "Unit", "show_layers"]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Box = tuple[int, ...]
Watch = Callable[[Iterable[Sample], int], Iterable[Sample]]

UNITS, PATCHES = 9, 9  # shown of a layer, and of a unit
_PATCH = 64  # pixels of a patch's side as it is drawn
_COLUMN = 3  # patches that are drawn as a column


@dataclass(frozen=True, slots=True)
class Patch:
    """Where a unit responded most in one image.

    Attributes:
        image: the image's name in the data set.
        response: the value of the unit.
        xyxy: the receptive field in pixels of the network's input; it may extend beyond the image in it.
    """

    image: str
    response: float
    xyxy: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """One channel of a feature map, and the patches that excite it most, each from another image.

    Attributes:
        layer: the layer's name.
        channel: index of the channel.
        patches: the strongest first.
    """

    layer: str
    channel: int
    patches: tuple[Patch, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LayerPatches(Plotted):
    """The units of each layer that are choosiest, and what excites them.

    Attributes:
        image: the first image, under the name of the file that `save` writes.
        count: images that were looked at.
        layers: from fine to coarse.
        units: `UNITS` of each layer.
        pixels: the patches of each unit, (h, w, 3): of each field what is in the image.
    """

    image: Image
    count: int
    layers: tuple[FeatureLayer, ...]
    units: tuple[tuple[Unit, ...], ...]
    pixels: tuple[tuple[tuple[Pixels, ...], ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """The units of each layer with their patches."""
        return {
            "images": self.count,
            "layers": [
                {
                    "name": layer.name,
                    "stride": layer.stride,
                    "field_size": layer.field_size,
                    "units": [
                        {
                            "channel": unit.channel,
                            "patches": [
                                {"image": one.image, "response": one.response, "xyxy": list(one.xyxy)}
                                for one in unit.patches
                            ],
                        }
                        for unit in units
                    ],
                }
                for layer, units in zip(self.layers, self.units, strict=True)
            ],
        }

    def to_text(self) -> str:
        """A line for each layer."""
        lines = [f"{self.count} images; of each layer the {UNITS} units that prefer their patches most:"]
        for layer, units in zip(self.layers, self.units, strict=True):
            channels = ", ".join(str(unit.channel) for unit in units)
            lines.append(f"  stride {layer.stride}, {layer.field_size} pixels, {layer.name}: {channels}")
        return "\n".join(lines) + "\n"

    def plot(self) -> Pixels:
        """A panel for each layer, uint8 (H, W, 3): a square of patches for each unit, of a few a column."""
        few = self.count <= _COLUMN
        shape, panels = "column" if few else "square", []
        for layer, units in zip(self.layers, self.pixels, strict=True):
            drawn = [tiled([square(patch, _PATCH) for patch in unit], columns=few) for unit in units]
            title = f"stride {layer.stride}: patches of {layer.field_size} pixels, a {shape} a unit"
            panels.append((title, tiled(drawn, 5, columns=few * len(drawn))))
        return rows_of_panels(panels, 2)


def show_layers(
    network: Network, samples: Sequence[Sample], *, watch: Watch = lambda items, _: items
) -> LayerPatches:
    """Find the patches of a data set's images that excite the units of each layer most.

    Of each layer those units are taken whose strongest responses exceed their usual ones most, in standard
    deviations: the choosiest. Cells beyond the image do not count: there is only the grey of the letterbox.

    Args:
        network: the network.
        samples: at least one image.
        watch: passed the samples and their number, for progress.
    """
    tops: list[list[Floats]] = [[] for _ in network.layers]
    places: list[list[NDArray[np.intp]]] = [[] for _ in network.layers]
    for sample in watch(samples, len(samples)):
        pixels, content = _input(network, sample)
        for layer, one in enumerate(network.maps([pixels])):
            inside = _cells_inside(network.layers[layer], one.shape[1:3], content)  # (h, w, 1)
            flat = np.where(inside, one[0], -np.inf).reshape(-1, one.shape[-1])  # (cells, C)
            places[layer].append(flat.argmax(0))
            tops[layer].append(flat.max(0))
    columns = [network.size[1] // layer.stride for layer in network.layers]
    units = tuple(
        _choosiest(layer, np.stack(top), np.stack(place), samples, wide)
        for layer, top, place, wide in zip(network.layers, tops, places, columns, strict=True)
    )
    shown = replace(samples[0].read(), name="layers")
    return LayerPatches(shown, len(samples), network.layers, units, _cut(network, units, samples))


def _choosiest(
    layer: FeatureLayer, top: Floats, place: NDArray[np.intp], samples: Sequence[Sample], columns: int
) -> tuple[Unit, ...]:
    """The units of a layer from the largest response (N, C) in each image, and its cell (N, C)."""
    order = np.argsort(-top, axis=0, kind="stable")[:PATCHES]  # (P, C)
    # Of a few images the best half at most: the mean of all of them would be every unit's usual response.
    strongest = order[: max(1, len(top) // 2)]  # (Q, C)
    best = np.take_along_axis(top, strongest, axis=0).mean(0)  # (C,)
    cells = np.take_along_axis(place, order, axis=0)  # (P, C)
    choosy = (best - top.mean(0)) / (top.std(0) + 1e-6)
    return tuple(
        Unit(
            layer.name,
            channel,
            tuple(
                Patch(
                    samples[n].name,
                    float(top[n, channel]),
                    layer.box(*divmod(cell, columns)),
                )
                for n, cell in zip(order[:, channel].tolist(), cells[:, channel].tolist(), strict=True)
            ),
        )
        for channel in np.argsort(-choosy, kind="stable")[:UNITS].tolist()
    )


def _cut(
    network: Network, units: Sequence[Sequence[Unit]], samples: Sequence[Sample]
) -> tuple[tuple[tuple[Pixels, ...], ...], ...]:
    """The pixels of every patch; each image is read again once."""
    named = {sample.name: sample for sample in samples}
    wanted = {patch.image for layer in units for unit in layer for patch in unit.patches}
    cut: dict[tuple[str, tuple[float, ...]], Pixels] = {}
    for name in sorted(wanted):
        pixels, content = _input(network, named[name])
        for patch in (one for layer in units for unit in layer for one in unit.patches):
            if patch.image == name:
                cut[name, patch.xyxy] = _patch(pixels, patch.xyxy, content)
    return tuple(
        tuple(tuple(cut[one.image, one.xyxy] for one in unit.patches) for unit in layer) for layer in units
    )


def _input(network: Network, sample: Sample) -> tuple[Pixels, Box]:
    """The network's input (H, W, 3), and the part of it that is of the image: xyxy in whole pixels."""
    image = sample.read()
    letterbox = network.letterbox(image)
    edges = letterbox.forward(np.array([[0.0, 0.0, image.width, image.height]]))[0].reshape(2, 2)
    content = np.clip(np.rint(edges), 0, network.size[::-1]).astype(int)
    return letterbox.apply(image.rgb), tuple(content.ravel().tolist())


def _cells_inside(layer: FeatureLayer, size: Sequence[int], content: Box) -> NDArray[np.bool_]:
    """Which cells of a map (h, w, 1) have the middle of their field in the image, or nearest to it."""
    sides = []
    for count, low, high in zip(size, content[1::-1], content[:1:-1], strict=True):
        middle = layer.start + layer.field_size / 2 + layer.stride * np.arange(count)  # (count,)
        beyond = np.maximum(np.maximum(low - middle, middle - high), 0)
        sides.append(beyond == beyond.min())
    return np.asarray(sides[0][:, None, None] & sides[1][None, :, None])


def _patch(pixels: Pixels, xyxy: tuple[float, ...], content: Box) -> Pixels:
    """The part of the input (H, W, 3) that is in a receptive field and of the image, at least a pixel."""
    low, high = np.reshape(content, (2, 2))
    start, end = np.reshape(xyxy, (2, 2)).astype(int)
    left, top = np.clip(start, low, high - 1)
    right, bottom = np.maximum(np.clip(end, low, high), (left + 1, top + 1))
    return pixels[top:bottom, left:right]
