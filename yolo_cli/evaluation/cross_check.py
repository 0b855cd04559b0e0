"""Cross-check with pycocotools, COCO's reference implementation."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from yolo_cli.errors import UsageError
from yolo_cli.evaluation.evaluation_set import EvaluationSet

__all__ = ["Check", "cross_check"]


@dataclass(frozen=True, slots=True)
class Check:
    """One of COCO's twelve figures: ours, and that of pycocotools; None if undefined."""

    name: str
    ours: float | None
    theirs: float | None

    @property
    def difference(self) -> float:
        """Ours - theirs; 0 if both are undefined, infinite if one is."""
        if self.ours is None or self.theirs is None:
            return 0.0 if self.ours is self.theirs else float("inf")
        return self.ours - self.theirs


def cross_check(gathered: EvaluationSet, figures: Mapping[str, float | None]) -> tuple[Check, ...]:
    """Compare COCO's twelve figures, in their order, with those of pycocotools.

    Raises:
        UsageError: if pycocotools is not installed.
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        raise UsageError("--cross-check needs pycocotools: pip install 'yolo-cli[coco]'") from None
    # It prints, and warns about its use of NumPy.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ground_truth, found = (
            _indexed(COCO(), gathered, rows) for rows in (_ground_truth(gathered), _found(gathered))
        )
        run = COCOeval(ground_truth, found, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    theirs = [None if value < 0 else float(value) for value in run.stats]  # -1 means undefined
    return tuple(
        Check(name, ours, other) for (name, ours), other in zip(figures.items(), theirs, strict=True)
    )


def _indexed(data: Any, gathered: EvaluationSet, rows: list[dict[str, Any]]) -> Any:
    """A pycocotools data set; ids count from 1."""
    data.dataset = {
        "images": [{"id": place + 1} for place in range(len(gathered.images))],
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(gathered.class_names)],
        "annotations": rows,
    }
    data.createIndex()
    return data


def _rows(xyxy: Any, wh: Any, image_places: Any, class_id: Any) -> list[dict[str, Any]]:
    """The common keys of ground truth and detections."""
    columns = (np.concatenate([xyxy[:, :2], wh], axis=1).tolist(), image_places.tolist(), class_id.tolist())
    return [
        {"id": place, "image_id": image + 1, "category_id": k + 1, "bbox": box, "area": box[2] * box[3]}
        for place, (box, image, k) in enumerate(zip(*columns, strict=True), start=1)
    ]


def _ground_truth(gathered: EvaluationSet) -> list[dict[str, Any]]:
    """Ground truth as annotations."""
    # It has no "difficult", but ignores objects whose area is beyond all ranges.
    area = np.where(gathered.ground_truth.difficult, 1e11, gathered.gt_area)  # (T,)
    boxes = gathered.ground_truth
    rows = _rows(boxes.xyxy, gathered.gt_wh, gathered.gt_image, boxes.class_id)
    extra = zip(area.tolist(), gathered.crowd.tolist(), strict=True)
    return [
        {**row, "area": size, "iscrowd": int(crowd)} for row, (size, crowd) in zip(rows, extra, strict=True)
    ]


def _found(gathered: EvaluationSet) -> list[dict[str, Any]]:
    """Detections as annotations with a score."""
    rows = _rows(gathered.found.xyxy, gathered.found_wh, gathered.found_image, gathered.found.class_id)
    scores = gathered.found.confidence.tolist()
    return [{**row, "iscrowd": 0, "score": score} for row, score in zip(rows, scores, strict=True)]
