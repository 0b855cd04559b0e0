"""Evaluation of tracks against ground truth: HOTA, MOTA and IDF1.

>>> import numpy as np
>>> from yolo_cli.tracks import Tracks
>>> boxes = np.array([[0.0, 0, 10, 20], [2, 0, 12, 20]])
>>> truly = Tracks(np.array([0, 1]), np.array([1, 1]), boxes, np.ones(2), np.zeros(2, int))
>>> figures = evaluate_tracks(truly, truly)
>>> figures.hota, figures.mota, figures.idf1
(1.0, 1.0, 1.0)
"""

from yolo_cli.evaluation.tracks.figures import TrackFigures, evaluate_tracks
from yolo_cli.evaluation.tracks.report import TrackReport, evaluate_mot

__all__ = ["TrackFigures", "TrackReport", "evaluate_mot", "evaluate_tracks"]
