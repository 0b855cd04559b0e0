"""The same detections, evaluated by COCO's reference program, pycocotools."""

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
    """One of COCO's twelve figures: ours, and the reference program's; None if there is none."""

    name: str
    ours: float | None
    theirs: float | None

    @property
    def difference(self) -> float:
        """Ours - theirs; 0 where neither has a figure, infinite where one has none."""
        if self.ours is None or self.theirs is None:
            return 0.0 if self.ours is self.theirs else float("inf")
        return self.ours - self.theirs


def cross_check(gathered: EvaluationSet, figures: Mapping[str, float | None]) -> tuple[Check, ...]:
    """Hold COCO's twelve figures, in their order, against those of pycocotools.

    Raises:
        UsageError: if pycocotools is not installed.
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        raise UsageError("--cross-check needs pycocotools: pip install 'yolo-cli[coco]'") from None
    # It prints, and warns of its own use of NumPy.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ground_truth, found = (
            _indexed(COCO(), gathered, rows) for rows in (_ground_truth(gathered), _found(gathered))
        )
        run = COCOeval(ground_truth, found, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    theirs = [None if value < 0 else float(value) for value in run.stats]  # -1 says that there is none
    return tuple(
        Check(name, ours, other) for (name, ours), other in zip(figures.items(), theirs, strict=True)
    )


def _indexed(data: Any, gathered: EvaluationSet, rows: list[dict[str, Any]]) -> Any:
    """A data set of pycocotools; ids are places from 1."""
    data.dataset = {
        "images": [{"id": place + 1} for place in range(len(gathered.images))],
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(gathered.class_names)],
        "annotations": rows,
    }
    data.createIndex()
    return data


def _rows(xyxy: Any, wh: Any, image_places: Any, class_id: Any) -> list[dict[str, Any]]:
    """The keys that ground truth and detections have in common."""
    columns = (np.concatenate([xyxy[:, :2], wh], axis=1).tolist(), image_places.tolist(), class_id.tolist())
    return [
        {"id": place, "image_id": image + 1, "category_id": k + 1, "bbox": box, "area": box[2] * box[3]}
        for place, (box, image, k) in enumerate(zip(*columns, strict=True), start=1)
    ]


def _ground_truth(gathered: EvaluationSet) -> list[dict[str, Any]]:
    """Ground truth as annotations."""
    # It knows no "difficult", but an area beyond all sizes is to it what difficult is to us: ignored.
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
