"""One box encoded on the grid: which cells and anchors it is assigned to, and with which numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from yolo_cli.boxes import xyxy_to_cxcywh
from yolo_cli.codec import encode, raw_from_boxes
from yolo_cli.detectors import Detector
from yolo_cli.detectors.trace import GridOutput
from yolo_cli.errors import UsageError
from yolo_cli.explanation.drawing import WHITE, draw_frame
from yolo_cli.explanation.grid import CellAnchor, anchor_box, cell_anchor, draw_grid
from yolo_cli.explanation.result import Plotted
from yolo_cli.explanation.text import indented
from yolo_cli.heads import slot_anchors, slot_cells
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox
from yolo_cli.text import counted
from yolo_cli.visualisation.panels import rows_of_panels
from yolo_cli.worked.canvas import Box, Pixels, check_box, enlarged, named

__all__ = ["AnchorFit", "Encoding", "Slot", "grid_of", "show_encoding"]

_BOX, _TAKEN = (255, 60, 60), (60, 220, 90)


@dataclass(frozen=True, slots=True)
class AnchorFit:
    """How well an anchor fits the box.

    Attributes:
        cell: the anchor in the cell that holds the centre of the box.
        ratio: width and height of the box over those of the anchor.
        iou: of both with the same centre.
        assigned: whether the box is assigned to this anchor.
    """

    cell: CellAnchor
    ratio: tuple[float, float]
    iou: float
    assigned: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """A cell and anchor that the box is assigned to.

    Attributes:
        cell: the cell and anchor.
        raw: tx, ty, tw, th, which decode to the box.
    """

    cell: CellAnchor
    raw: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Encoding(Plotted):
    """A box as the numbers that the network should return.

    Attributes:
        image: the image.
        box: x1, y1, x2, y2 in pixels of the image.
        centre_and_size: centre, width and height in pixels of the network's input.
        anchors: every anchor of every head.
        slots: the cells and anchors that it is assigned to.
        letterbox: how the image is fitted into the network's input.
    """

    image: Image
    box: Box
    centre_and_size: Box
    anchors: tuple[AnchorFit, ...]
    slots: tuple[Slot, ...]
    letterbox: Letterbox

    def to_dict(self) -> dict[str, Any]:
        """The box, the anchors and the slots."""
        return {
            "image": self.image.name,
            "box": list(self.box),
            "centre_and_size": list(self.centre_and_size),
            "anchors": [asdict(fit) for fit in self.anchors],
            "slots": [asdict(slot) for slot in self.slots],
        }

    def to_text(self) -> str:
        """The steps for people."""
        x, y, width, height = self.centre_and_size
        size = f"{self.letterbox.net_height}x{self.letterbox.net_width}"
        lines = [
            f"{self.image.name}: the box {named(self.box)}, in the network's input of {size}: "
            f"centre {x:.1f},{y:.1f}, {width:.1f} wide, {height:.1f} high",
            *(self._cell(stride) for stride in sorted({fit.cell.stride for fit in self.anchors})),
            "",
            "Anchors, and how many times as wide and high the box is:",
            *indented([("anchor", "stride", "width", "height", "IoU", ""), *map(_fit_row, self.anchors)]),
            "",
            f"Assigned to {counted(len(self.slots), 'slot')}; each should return these numbers:",
            *indented([("tx", "ty", "tw", "th", "slot"), *map(_slot_row, self.slots)]),
        ]
        return "".join(f"{line}\n" for line in lines)

    def _cell(self, stride: int) -> str:
        x, y = self.centre_and_size[0] / stride, self.centre_and_size[1] / stride
        row, column = int(y), int(x)
        return (
            f"stride {stride}: the centre is in row {row}, column {column}, {x - column:.2f} of a cell from "
            f"its left edge and {y - row:.2f} from its upper one"
        )

    def plot(self) -> Pixels:
        """For each head its grid, the cell of the centre, the box, and the anchors: (H, W, 3)."""
        panels = []
        for head in sorted({fit.cell.head for fit in self.anchors}):
            fits = [fit for fit in self.anchors if fit.cell.head == head]
            canvas, scale = enlarged(self.image)
            draw_grid(canvas, self.letterbox, fits[0].cell, scale)
            for fit in sorted(fits, key=lambda fit: fit.assigned):
                assert fit.cell.anchor_size is not None
                frame = anchor_box(fit.cell, fit.cell.anchor_size, self.letterbox)
                draw_frame(canvas, frame, _TAKEN if fit.assigned else WHITE, scale)
            draw_frame(canvas, self.box, _BOX, scale, 2)
            taken = sum(slot.cell.head == head for slot in self.slots)
            panels.append(
                (
                    f"stride {fits[0].cell.stride}: {counted(taken, 'slot')}; box red, its anchors green",
                    canvas,
                )
            )
        return rows_of_panels(panels, len(panels))


def show_encoding(detector: Detector, image: Image, box: Box) -> Encoding:
    """Encode a box, x1, y1, x2, y2 in pixels of the image, for the heads of a YOLO model.

    Raises:
        UsageError: if the box is not within the image, or the model has no anchors.
    """
    grid = grid_of(detector, image)
    inside = grid.letterbox.forward(np.array([check_box(image, box)], float))  # (1, 4)
    cxcywh = xyxy_to_cxcywh(inside)  # (1, 4)
    slots = _slots(grid, inside)
    taken = {(slot.cell.head, slot.cell.anchor) for slot in slots}
    anchors = tuple(_fits(grid, cxcywh[0].tolist(), taken))
    return Encoding(image, box, tuple(cxcywh[0].tolist()), anchors, slots, grid.letterbox)


def grid_of(detector: Detector, image: Image) -> GridOutput:
    """The predictions of a YOLO model with anchors.

    Raises:
        UsageError: if it is another model.
    """
    grid = detector.trace(image).grid
    if grid is None or not all(head.kind == "yolo" for head in grid.heads):
        raise UsageError(f"{detector.card.name}: has no anchors on a grid; name a YOLO model that has")
    return grid


def _slots(grid: GridOutput, xyxy: Any) -> tuple[Slot, ...]:
    """The assigned slots of one box (1, 4) in pixels of the network's input."""
    grids = [raw.shape[:2] for raw in grid.raw_heads]
    targets = encode(xyxy, np.zeros(1, np.int64), grid.heads, grids)
    cells, anchors = slot_cells(grid.heads, grids), slot_anchors(grid.heads, grids)  # (S, 2) each
    found = []
    for number, cxcywh in zip(targets.slot.tolist(), targets.cxcywh, strict=True):
        place = cell_anchor(number, grid)
        raw = raw_from_boxes(cxcywh, cells[number], anchors[number], grid.heads[place.head])  # (4,)
        found.append(Slot(place, tuple(raw.tolist())))
    return tuple(found)


def _fits(grid: GridOutput, cxcywh: list[float], taken: set[tuple[int, int]]) -> list[AnchorFit]:
    """Every anchor of every head, in the cell of the centre."""
    x, y, width, height = cxcywh
    found = []
    for number, head in enumerate(grid.heads):
        column, row = int(x // head.stride), int(y // head.stride)
        for anchor, (wide, high) in enumerate(head.anchors):
            common = min(width, wide) * min(height, high)
            iou = common / (width * height + wide * high - common)
            place = CellAnchor(number, row, column, anchor, head.stride, (wide, high))
            found.append(AnchorFit(place, (width / wide, height / high), iou, (number, anchor) in taken))
    return found


def _fit_row(fit: AnchorFit) -> tuple[str, ...]:
    assert fit.cell.anchor_size is not None
    size = "{:g}x{:g}".format(*fit.cell.anchor_size)
    wide, high = fit.ratio
    taken = "assigned" if fit.assigned else ""
    return size, str(fit.cell.stride), f"{wide:.2f}", f"{high:.2f}", f"{fit.iou:.3f}", taken


def _slot_row(slot: Slot) -> tuple[str, ...]:
    return (*(f"{value:.2f}" for value in slot.raw), slot.cell.origin)
