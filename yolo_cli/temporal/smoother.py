"""Tracks of a whole video → the same tracks without gaps, smoother, and without those that follow nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.temporal.opening import NetworkOverTime, open_network
from yolo_cli.temporal.sequences import TrackSequence, backwards, mirrored
from yolo_cli.tracks import Tracks, joined_tracks

__all__ = ["SMOOTHER", "TrackSmoother"]

SMOOTHER = "track-smoother"
_FALSE = -1.0  # tracks with a lower score follow nothing: nine of ten in made scenes


@dataclass(frozen=True, slots=True)
class TrackSmoother:
    """A 1-D convolution over each track, in ONNX Runtime.

    It looks ahead: what it says of a frame depends on the 31 before and the 31 after it.

    Attributes:
        network: the network.
    """

    network: NetworkOverTime

    @classmethod
    def load(cls, weights: str | os.PathLike[str] = SMOOTHER) -> TrackSmoother:
        """Load a smoother.

        Raises:
            DataError: if there is no such model, or it is none.
        """
        return cls(open_network(weights, SMOOTHER))

    def smooth(self, tracks: Tracks, frames: NDArray[np.integer[Any]]) -> Tracks:
        """The tracks with a box in each frame from their first to their last, smoothed.

        Args:
            tracks: all of a video.
            frames: the numbers of the frames that were read, (F,), increasing.

        Returns:
            By frame and id. A box that was filled in has a confidence between those around it; the class is
            the last one, on which most votes fell. Tracks that follow nothing are left out.
        """
        order = np.argsort(tracks.track_id, kind="stable")
        _, begins = np.unique(tracks.track_id[order], return_index=True)
        groups = np.split(order, begins[1:]) if len(order) else []
        smooth = joined_tracks(list(self._smoothed([tracks[group] for group in groups], frames)))
        return smooth[np.lexsort((smooth.track_id, smooth.frame))]

    def correction(self, sequence: TrackSequence) -> tuple[NDArray[np.floating[Any]], float]:
        """What the network says of one track: corrections (4, T), and its score.

        It is asked four times, as a path has no preferred direction: mirrored, backwards, both, neither. The
        mean is better than each, since what the network wrongly holds for a direction cancels out.
        """
        given = sequence.inputs()
        back = backwards(given)
        batch = np.stack([given, mirrored(given), back, mirrored(back)])
        corrections, scores = self.network.run(batch, (4, 4, len(sequence), 1), (4, 1))
        ahead, behind = corrections[0] - corrections[1], corrections[2] - corrections[3]  # (4, T, 1) each
        return (ahead + behind[:, ::-1])[..., 0] / 4, float(scores.mean())

    def _smoothed(self, tracks: list[Tracks], frames: NDArray[np.integer[Any]]) -> Iterator[Tracks]:
        for track in tracks:
            steps = np.searchsorted(frames, track.frame)
            sequence = TrackSequence.of(steps, track.xyxy, track.confidence)
            correction, score = self.correction(sequence)
            if score >= _FALSE:
                yield Tracks(
                    frames[steps[0] : steps[-1] + 1],
                    np.full(len(sequence), track.track_id[0]),
                    sequence.corrected(correction).astype(np.float32),
                    sequence.confidence.astype(np.float32),
                    np.full(len(sequence), track.class_id[-1]),
                )
