"""The figures of pycocotools, COCO's own program, for an evaluation set."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from yolo_cli.evaluation import EvaluationSet


def reference(gathered: EvaluationSet, kind: str = "bbox") -> COCOeval:
    """A COCOeval that has run: ``stats`` are the figures, ``eval`` the arrays behind them.

    Args:
        gathered: what to evaluate.
        kind: "bbox" (twelve figures), or "keypoints" (ten) with the sigmas of the set.
    """
    # It prints, and it warns of its own use of NumPy; neither says anything about us.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = COCOeval(
            _indexed(gathered, _gt_rows(gathered)), _indexed(gathered, _found_rows(gathered)), kind
        )
        if kind == "keypoints":
            run.params.kpt_oks_sigmas = np.array(gathered.sigmas)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run


def _indexed(gathered: EvaluationSet, rows: list[dict[str, Any]]) -> COCO:
    data = COCO()
    data.dataset = {
        "images": [{"id": place + 1} for place in range(len(gathered.images))],
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(gathered.class_names)],
        "annotations": rows,
    }
    data.createIndex()
    return data


def _gt_rows(gathered: EvaluationSet) -> list[dict[str, Any]]:
    ground_truth, image = gathered.ground_truth, gathered.gt_image
    # It knows no "difficult", but an area beyond all ranges is to it what difficult is to us.
    area = np.where(ground_truth.difficult, 1e11, ground_truth.area)
    return [
        {
            "id": g + 1,
            "image_id": int(image[g]) + 1,
            "category_id": int(ground_truth.class_id[g]) + 1,
            "bbox": box,
            "area": float(area[g]),
            "iscrowd": int(ground_truth.crowd[g]),
            **_points(ground_truth.keypoints, g),
        }
        for g, box in enumerate(np.hstack([ground_truth.xyxy[:, :2], gathered.gt_wh]).tolist())
    ]


def _found_rows(gathered: EvaluationSet) -> list[dict[str, Any]]:
    found, image = gathered.found, gathered.found_image
    return [
        {
            "id": d + 1,
            "image_id": int(image[d]) + 1,
            "category_id": int(found.class_id[d]) + 1,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": 0,
            "score": float(found.confidence[d]),
            **_points(found.keypoints, d),
        }
        for d, box in enumerate(np.hstack([found.xyxy[:, :2], gathered.found_wh]).tolist())
    ]


def _points(keypoints: NDArray[Any] | None, at: int) -> dict[str, Any]:
    """The key points of one row, if there are some."""
    if keypoints is None:
        return {}
    own = keypoints[at]  # (K, 3)
    return {"keypoints": own.ravel().tolist(), "num_keypoints": int((own[:, 2] > 0).sum())}
