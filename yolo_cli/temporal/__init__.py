"""Convolutions over time: a 1-D one over the boxes of a track, a 3-D one over the images of an object.

Both were trained on made data only, by `yolo_cli.temporal.recipes`. Importing this package imports no Keras.
"""

from yolo_cli.temporal.smoother import TrackSmoother
from yolo_cli.temporal.states import ClipStates

__all__ = ["ClipStates", "TrackSmoother"]
