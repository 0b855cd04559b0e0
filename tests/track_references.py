"""HOTA of TrackEval, MOTA and IDF1 of py-motmetrics, and the sample videos in py-motmetrics' wheel (MIT)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from yolo_cli.boxes import xyxy_to_xywh
from yolo_cli.tracks import Tracks

__all__ = ["SAMPLES", "motmetrics_figures", "sample", "trackeval_hota"]

SAMPLES = ("TUD-Campus", "TUD-Stadtmitte")


def sample(name: str) -> tuple[Path, Path]:
    """Ground truth and tracks of one of `SAMPLES`."""
    motmetrics = pytest.importorskip("motmetrics", reason="motmetrics is not installed")
    folder = Path(motmetrics.__file__).parent / "data" / name
    return folder / "gt.txt", folder / "test.txt"


def motmetrics_figures(gt: Tracks, found: Tracks, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """MOTA, IDF1 and what they are made of."""
    motmetrics = pytest.importorskip("motmetrics", reason="motmetrics is not installed")
    monkeypatch.setattr(np, "asfarray", np.asarray, raising=False)  # NumPy 2 has left it out
    accumulator = motmetrics.MOTAccumulator()
    for number in np.union1d(gt.frame, found.frame):
        a, b = gt[gt.frame == number], found[found.frame == number]
        boxes = xyxy_to_xywh(a.xyxy.astype(float)), xyxy_to_xywh(b.xyxy.astype(float))
        distances = motmetrics.distances.iou_matrix(*boxes, max_iou=0.5)
        accumulator.update(a.track_id, b.track_id, distances, frameid=int(number))
    names = ["mota", "idf1", "num_switches", "num_misses", "num_false_positives"]
    figures = motmetrics.metrics.create().compute(accumulator, metrics=names, return_dataframe=False)
    return dict(figures)


def trackeval_hota(gt: Tracks, found: Tracks) -> dict[str, Any]:
    """HOTA, DetA, AssA and LocA, each (19,)."""
    trackeval = pytest.importorskip("trackeval", reason="trackeval is not installed")
    from trackeval.datasets._base_dataset import _BaseDataset

    numbers = np.union1d(gt.frame, found.frame)
    gt_ids, found_ids = (np.unique(tracks.track_id, return_inverse=True)[1] for tracks in (gt, found))
    data: dict[str, Any] = {
        "num_tracker_dets": len(found),
        "num_gt_dets": len(gt),
        "num_gt_ids": len(set(gt_ids)),
        "num_tracker_ids": len(set(found_ids)),
        "gt_ids": [gt_ids[gt.frame == number] for number in numbers],
        "tracker_ids": [found_ids[found.frame == number] for number in numbers],
        "similarity_scores": [
            _BaseDataset._calculate_box_ious(
                gt.xyxy[gt.frame == number].astype(float),
                found.xyxy[found.frame == number].astype(float),
                box_format="x0y0x1y1",
            )
            for number in numbers
        ],
    }
    return dict(trackeval.metrics.HOTA().eval_sequence(data))
