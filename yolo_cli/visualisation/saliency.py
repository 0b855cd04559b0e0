"""Which pixels a detection rests on: D-RISE.

Petsiuk et al., *Black-box Explanation of Object Detectors via Saliency Maps*, 2021. The
image is detected again and again behind random masks. A pixel is salient if the object is still found
whenever that pixel can be seen. Nothing of the network is used but its detections, so it works for every
detector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou
from yolo_cli.detections import Detections
from yolo_cli.detectors import Detector
from yolo_cli.errors import UsageError
from yolo_cli.explanation.drawing import draw_frame
from yolo_cli.explanation.outcomes import check_point, covers
from yolo_cli.explanation.result import Plotted
from yolo_cli.images import Image
from yolo_cli.render import class_colour
from yolo_cli.visualisation.panels import SIDE, overlaid, rows_of_panels

__all__ = ["Saliency", "show_saliency"]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Watch = Callable[[Iterable[Floats], int], Iterable[Floats]]

_CELLS = 10  # of a mask along each side, before it is enlarged
_SEEN = 0.5  # probability that a cell can be seen
_WEAKEST = 0.005  # confidence behind a mask: a weak detection counts little, not nothing
_TOP = 0.1  # fraction of the pixels that `Saliency.inside` looks at


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Saliency(Plotted):
    """How much each pixel matters for one detection.

    Attributes:
        image: the image.
        class_name: of the detection.
        confidence: of the detection.
        xyxy: its box in pixels.
        masks: how many masks were tried.
        values: (height, width), the mean score of the detection behind the masks that show the pixel, from 0
            to 1.
    """

    image: Image
    class_name: str
    confidence: float
    xyxy: tuple[float, ...]
    masks: int
    values: Floats

    @property
    def inside(self) -> float:
        """The fraction of the most salient tenth of the pixels that is within the box."""
        x1, y1, x2, y2 = (round(edge) for edge in self.xyxy)
        top = self.values >= np.quantile(self.values, 1 - _TOP)
        return float(top[y1:y2, x1:x2].sum() / top.sum())

    def to_dict(self) -> dict[str, Any]:
        """The detection, and how much of the saliency is within its box."""
        y, x = np.unravel_index(int(self.values.argmax()), self.values.shape)
        return {
            "image": self.image.name,
            "class_name": self.class_name,
            "confidence": self.confidence,
            "xyxy": list(self.xyxy),
            "masks": self.masks,
            "most_salient": [int(x), int(y)],
            "inside": self.inside,
        }

    def to_text(self) -> str:
        """One line for people."""
        x, y = self.to_dict()["most_salient"]
        found = f"{self.image.name}: {self.class_name} {self.confidence:.3f}, {self.masks} masks"
        where = f"most salient at {x},{y}; {self.inside:.0%} of the most salient tenth is within the box"
        return f"{found}; {where}\n"

    def plot(self) -> Pixels:
        """The image with the box, and the saliency over it, uint8 (H, W, 3)."""
        scale = SIDE * 1.5 / max(self.image.rgb.shape)
        size = round(self.image.width * scale), round(self.image.height * scale)
        plain = np.asarray(cv2.resize(self.image.rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        hot = overlaid(plain, np.asarray(cv2.resize(self.values, size)))
        for canvas in (plain, hot):
            draw_frame(canvas, self.xyxy, class_colour(0), scale, 2)
        title = f"{self.class_name} {self.confidence:.2f}"
        return rows_of_panels([(title, plain), (f"saliency, {self.masks} masks", hot)], 2)


def show_saliency(
    detector: Detector,
    image: Image,
    point: tuple[float, float] | None = None,
    *,
    masks: int = 400,
    seed: int = 0,
    watch: Watch = lambda items, _: items,
) -> Saliency:
    """Find which pixels the most confident detection at a point rests on.

    Args:
        detector: any detector; its confidence threshold decides whether there is something to explain.
        image: the image.
        point: x and y in pixels of the image; None looks at the most confident detection of all.
        masks: how many random masks are tried, each a detection.
        seed: random seed of the masks.
        watch: passed the masks and their number, for progress.

    Raises:
        UsageError: if nothing was found there, or the point is outside the image.
    """
    found = _target(detector, image, point)
    weak = detector.with_config(replace(detector.config, conf=_WEAKEST))
    shape, total, seen = image.rgb.shape[:2], np.zeros(image.rgb.shape[:2]), np.zeros(image.rgb.shape[:2])
    for mask in watch(random_masks(shape, masks, np.random.default_rng(seed)), masks):
        masked = Image(np.rint(image.rgb * mask[..., None]).astype(np.uint8), image.name)
        total += _score(weak.detect([masked])[0], found) * mask
        seen += mask
    values = total / np.maximum(seen, 1e-9)
    name, box = detector.class_names[int(found.class_id[0])], tuple(found.xyxy[0].tolist())
    return Saliency(image, name, float(found.confidence[0]), box, masks, values)


def random_masks(shape: tuple[int, ...], count: int, numbers: np.random.Generator) -> Iterator[Floats]:
    """Masks (height, width) from 0 (hidden) to 1 (seen): coarse random cells, enlarged and shifted."""
    height, width = shape
    row, column = -(-height // _CELLS), -(-width // _CELLS)  # pixels of a cell
    for _ in range(count):
        cells = (numbers.random((_CELLS + 1, _CELLS + 1)) < _SEEN).astype(np.float32)
        size = (_CELLS + 1) * column, (_CELLS + 1) * row
        large = cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR)
        top, left = int(numbers.integers(row)), int(numbers.integers(column))
        yield large[top : top + height, left : left + width]


def _target(detector: Detector, image: Image, point: tuple[float, float] | None) -> Detections:
    """The most confident detection, at the point if there is one."""
    found = detector.detect([image])[0]
    where = "in the image"
    if point is not None:
        check_point(image, point)
        found, where = found[np.flatnonzero(covers(found.xyxy, point))], "at the point"
    if not len(found):
        raise UsageError(f"{image.name}: nothing was found {where}; lower --conf")
    return found[:1]


def _score(found: Detections, target: Detections) -> float:
    """How well detections hold the target: the best IoU times confidence among those of its class."""
    same = found.class_id == target.class_id[0]
    if not same.any():
        return 0.0
    overlaps = box_iou(found.xyxy[same], target.xyxy)[:, 0]  # (N,)
    return float((overlaps * found.confidence[same]).max())
