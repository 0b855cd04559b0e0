"""Follow objects through a video, and evaluate tracks: `evaluate_mot`."""

from __future__ import annotations

import os

from yolo_cli.evaluation import tracks
from yolo_cli.evaluation.tracks import TrackReport
from yolo_cli.files import path_of

__all__ = ["evaluate_mot"]


def evaluate_mot(ground_truth: str | os.PathLike[str], detections: str | os.PathLike[str]) -> TrackReport:
    """Evaluate tracks by HOTA, MOTA and IDF1, from files in MOTChallenge's text form.

    Args:
        ground_truth: a file; or a folder with a ``NAME.txt`` or ``NAME/gt/gt.txt`` for each sequence.
        detections: the tracks: a file; or a folder with a ``NAME.txt`` for each sequence.

    Raises:
        UserError: if a file cannot be read or is missing, or the ground truth holds no box.
    """
    return tracks.evaluate_mot(path_of(ground_truth, "ground_truth"), path_of(detections, "detections"))
