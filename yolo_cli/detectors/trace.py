"""The steps of one detection as data, to explain or measure a detector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Candidates, Head
from yolo_cli.detections import Detections
from yolo_cli.letterbox import Letterbox

__all__ = ["GridOutput", "RegionOutput", "RegionScores", "Selection", "TiledOutput", "Times", "Trace"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Times:
    """Time of one call in milliseconds.

    Attributes:
        prepare_ms: resizing the images, or proposing regions.
        infer_ms: the network, including cropping.
        post_ms: decoding and suppression.
    """

    prepare_ms: float
    infer_ms: float
    post_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The candidates of one image, and the detections chosen from them.

    Attributes:
        candidates: (box, class) pairs above the confidence, boxes in pixels of the image; `slot` is the
            region, or the anchor of a cell counted through all heads, that each came from.
        boxes: (N, 4), those of the candidates in the unit in which suppression compares them.
        kept: (K,), positions of the candidates that suppression leaves, most confident first; in a `Trace`
            all of them, else it may end with the last one that is returned.
        returned: (D,), positions of the candidates that are returned, most confident first.
        detections: the returned ones, clipped to the image.
    """

    candidates: Candidates
    boxes: Floats
    kept: Integers
    returned: Integers
    detections: Detections


@dataclass(frozen=True, slots=True, eq=False)
class GridOutput:
    """The predictions of a network at every cell of its grids.

    Attributes:
        raw_heads: each float32 (rows, columns, channels).
        heads: the description of each.
        letterbox: how the image was fitted into the network's input.
    """

    raw_heads: tuple[NDArray[np.float32], ...]
    heads: tuple[Head, ...]
    letterbox: Letterbox

    @property
    def anchors(self) -> int:
        """Number of boxes over all cells of all heads, one for each anchor."""
        pairs = zip(self.raw_heads, self.heads, strict=True)
        return sum(raw.shape[0] * raw.shape[1] * head.boxes for raw, head in pairs)


@dataclass(frozen=True, slots=True, eq=False)
class RegionScores:
    """The classifier's predictions for the regions of one image.

    Attributes:
        scores: (N, C), in [0, 1]: the confidence of each class, without background.
        xyxy: (N, C, 4), the box predicted for each class, in pixels of the image. (N, 1, 4) if it does
            not depend on the class.

    Raises:
        ValueError: if the shapes do not fit together.
    """

    scores: Floats
    xyxy: Floats

    def __post_init__(self) -> None:
        count, classes = self.scores.shape
        if self.xyxy.shape not in ((count, classes, 4), (count, 1, 4)):
            raise ValueError(f"boxes {self.xyxy.shape} do not fit scores {self.scores.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class RegionOutput:
    """The regions of an image, and the predictions for each.

    Attributes:
        regions: (N, 4), in pixels of the image; they may extend beyond it.
        predictions: of the classifier.
        origins: numbers of regions (M,) → a description of the origin of each.
    """

    regions: Floats
    predictions: RegionScores
    origins: Callable[[Integers], list[str]]


@dataclass(frozen=True, slots=True, eq=False)
class TiledOutput:
    """The predictions on each tile of an image.

    Attributes:
        windows: (T, 4), the edges of the tiles in pixels of the image; the last is the whole image.
        traces: the steps on each, in pixels of the tile.
    """

    windows: Floats
    traces: tuple[Trace, ...]

    @property
    def regions(self) -> Floats | None:
        """The evaluated regions (N, 4) of all tiles in pixels of the image; None without proposals."""
        pairs = zip(self.windows, self.traces, strict=True)
        moved = [trace.regions + np.tile(at[:2], 2) for at, trace in pairs if trace.regions is not None]
        return np.concatenate(moved) if moved else None


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The steps of the detection of one image. Exactly one of ``grid``, ``proposed`` and ``tiled`` is set.

    Attributes:
        times: of each step.
        selection: the candidates above the confidence, and the chosen ones.
        grid: the predictions of detectors that evaluate a fixed grid.
        proposed: the predictions of detectors that evaluate regions.
        tiled: the predictions on each tile; a candidate's slot is then the number of its tile.
    """

    times: Times
    selection: Selection
    grid: GridOutput | None = None
    proposed: RegionOutput | None = None
    tiled: TiledOutput | None = None

    @property
    def detections(self) -> Detections:
        """The detections, as returned by `detect`."""
        return self.selection.detections

    @property
    def regions(self) -> Floats | None:
        """The evaluated regions (N, 4) in pixels of the image; None for detectors without proposals."""
        if self.tiled is not None:
            return self.tiled.regions
        return None if self.proposed is None else self.proposed.regions

    @property
    def evaluated(self) -> int:
        """Number of evaluated regions, or anchors of cells."""
        if self.tiled is not None:
            return sum(trace.evaluated for trace in self.tiled.traces)
        return len(self.proposed.regions) if self.proposed else self.grid.anchors if self.grid else 0
