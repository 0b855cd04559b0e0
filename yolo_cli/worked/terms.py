"""The loss of a trained network on one image, term by term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import clip_boxes, paired_iou
from yolo_cli.codec import decode_values, encode, sigmoid
from yolo_cli.detectors import Detector
from yolo_cli.detectors.trace import GridOutput
from yolo_cli.errors import UsageError
from yolo_cli.explanation.drawing import draw_frame
from yolo_cli.explanation.grid import CellAnchor, cell_anchor
from yolo_cli.explanation.result import Plotted
from yolo_cli.explanation.text import indented
from yolo_cli.heads import slot_anchors, slot_cells
from yolo_cli.images import Image
from yolo_cli.visualisation.panels import rows_of_panels
from yolo_cli.worked.canvas import Box, Floats, Pixels, cell_maps, check_box, enlarged, named, overlaid_cells
from yolo_cli.worked.encoding import grid_of

__all__ = ["LossTerms", "SlotFit", "show_loss"]

_GIVEN, _OWN = (255, 60, 60), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class SlotFit:
    """What the network predicts in a slot that a ground truth is assigned to.

    Attributes:
        cell: the cell and anchor.
        object: the position of the ground truth among those given.
        xyxy: the predicted box, in pixels of the image.
        iou: with the ground truth: the target of objectness.
        objectness: from 0 to 1.
        class_score: of the ground truth's class, from 0 to 1; its target is nearly 1.
    """

    cell: CellAnchor
    object: int
    xyxy: Box
    iou: float
    objectness: float
    class_score: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LossTerms(Plotted):
    """The terms of the loss, and where they come from.

    Attributes:
        image: the image.
        objects: class name and box of each ground truth, in pixels of the image.
        terms: by name, weighted as in training.
        slots: the assigned ones.
        total_slots: how many there are.
        objectness: of each pixel of the image (H, W) the highest of the slots there, for each head.
    """

    image: Image
    objects: tuple[tuple[str, Box], ...]
    terms: dict[str, float]
    slots: tuple[SlotFit, ...]
    total_slots: int
    objectness: tuple[tuple[int, Floats], ...]

    @property
    def total(self) -> float:
        """What training makes smaller."""
        return sum(self.terms.values())

    def to_dict(self) -> dict[str, Any]:
        """The terms and the slots."""
        return {
            "image": self.image.name,
            "objects": [{"class_name": name, "xyxy": list(box)} for name, box in self.objects],
            "terms": self.terms,
            "total": self.total,
            "slots": [asdict(slot) for slot in self.slots],
            "total_slots": self.total_slots,
        }

    def to_text(self) -> str:
        """The sum for people."""
        count = len(self.slots)
        about = {
            "box": f"5 x the mean of 1 - CIoU over {count} assigned slots",
            "objectness": f"cross-entropy of all {self.total_slots:,} slots / {count}; target: IoU, or 0",
            "class": f"cross-entropy of the classes, the mean over {count} assigned slots",
        }
        terms = [(name, f"{value:.3f}", about[name]) for name, value in self.terms.items()]
        rows = [("IoU", "objectness", "class", "slot"), *map(_row, self.slots)]
        objects = "; ".join(f"{name} {named(box)}" for name, box in self.objects)
        lines = [
            f"{self.image.name}: ground truth {objects}",
            "",
            *indented([("term", "loss", "what it is"), *terms, ("total", f"{self.total:.3f}", "")]),
            "",
            "The assigned slots:",
            *indented(rows),
        ]
        return "".join(f"{line}\n" for line in lines)

    def plot(self) -> Pixels:
        """The ground truth with what its slots predict, and the objectness of each head, (H, W, 3)."""
        canvas, scale = enlarged(self.image)
        plain = canvas.copy()
        for slot in self.slots:
            draw_frame(canvas, slot.xyxy, _OWN, scale)
        for _, box in self.objects:
            draw_frame(canvas, box, _GIVEN, scale, 2)
        panels = [("ground truth red, assigned predictions white", canvas)]
        for stride, values in self.objectness:
            panels.append((f"objectness, stride {stride}", overlaid_cells(plain, values)))
        return rows_of_panels(panels, len(panels))


def show_loss(detector: Detector, image: Image, objects: Sequence[tuple[str, Box]]) -> LossTerms:
    """Compare what a YOLO model returns for an image with the ground truth, as training does.

    Args:
        detector: a YOLO model with anchors.
        image: the image.
        objects: class name and box of each object, x1, y1, x2, y2 in pixels of the image.

    Raises:
        UsageError: if there is no object, a box or a class is unknown, or the model has no anchors.
    """
    grid = grid_of(detector, image)
    class_id = _class_ids(detector, [name for name, _ in objects])  # (N,)
    boxes = np.array([check_box(image, box) for _, box in objects], np.float32)  # (N, 4)
    inside = grid.letterbox.forward(boxes).astype(np.float32)  # (N, 4)
    targets = encode(inside, class_id, grid.heads, [raw.shape[:2] for raw in grid.raw_heads])
    return LossTerms(
        image,
        tuple(objects),
        _terms(grid, targets, inside),
        tuple(_fits(grid, targets, image)),
        grid.anchors,
        tuple(cell_maps(sigmoid(_values(grid)[:, 4]), grid, image)),
    )


def _class_ids(detector: Detector, names: Sequence[str]) -> NDArray[np.int64]:
    """The ids (N,) of classes."""
    if not all(names) or not names:
        raise UsageError("--box CLASS=X1,Y1,X2,Y2 is missing: the loss compares with a ground truth")
    known = {name: number for number, name in enumerate(detector.class_names)}
    for name in names:
        if name not in known:
            raise UsageError(
                f"--box {name}=…: {detector.card.name} has no class {name!r}; see `yolo weights show`"
            )
    return np.array([known[name] for name in names], np.int64)


def _terms(grid: GridOutput, targets: Any, ground_truths: Floats) -> dict[str, float]:
    """The terms of the training loss, as `YoloLoss` has them."""
    from yolo_cli.loss import LOSSES, YoloLoss

    points, count = grid.heads[0].key_points, len(targets)
    taken = np.zeros((1, grid.anchors), np.uint8)
    taken[0, targets.slot] = 1
    batch = {
        "slot": targets.slot[None].astype(np.int32),
        "cxcywh": targets.cxcywh[None],
        "class_id": targets.class_id[None].astype(np.int32),
        "positive": np.ones((1, count), np.float32),
        "taken": taken,
        "ground_truths": ground_truths[None],
        "ignored": np.zeros((1, len(ground_truths)), np.float32),
        "keypoints": np.zeros((1, count, points, 3), np.float32),
    }
    found = YoloLoss(grid.heads, sigmas=[1.0] * points)(batch, [raw[None] for raw in grid.raw_heads])
    return {name: float(found[name]) for name in LOSSES}


def _values(grid: GridOutput) -> Floats:
    """The raw values of every slot up to the classes, (S, 5 + C)."""
    end = 5 + grid.heads[0].class_count
    pairs = zip(grid.raw_heads, grid.heads, strict=True)
    return np.concatenate([raw.reshape(-1, head.values)[:, :end] for raw, head in pairs])


def _fits(grid: GridOutput, targets: Any, image: Image) -> list[SlotFit]:
    """What the network predicts in the assigned slots."""
    grids = [raw.shape[:2] for raw in grid.raw_heads]
    cells, anchors = slot_cells(grid.heads, grids), slot_anchors(grid.heads, grids)  # (S, 2) each
    values, found = _values(grid), []
    for at, slot in enumerate(targets.slot.tolist()):
        place = cell_anchor(slot, grid)
        xyxy, _ = decode_values(values[slot], cells[slot], anchors[slot], grid.heads[place.head], np)
        x, y, width, height = targets.cxcywh[at]
        wanted = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
        box = clip_boxes(grid.letterbox.undo(xyxy[None]), (image.height, image.width))[0]
        scores = sigmoid(values[slot, 4:])  # (1 + C,)
        found.append(
            SlotFit(
                place,
                int(targets.ground_truth[at]),
                tuple(box.tolist()),
                float(paired_iou(xyxy, wanted)),
                float(scores[0]),
                float(scores[1 + targets.class_id[at]]),
            )
        )
    return found


def _row(slot: SlotFit) -> tuple[str, ...]:
    return f"{slot.iou:.3f}", f"{slot.objectness:.3f}", f"{slot.class_score:.3f}", slot.cell.origin
