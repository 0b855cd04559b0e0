"""HOTA, MOTA and IDF1 of a sequence, or of several together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yolo_cli.evaluation.tracks.clear import Clear, clear_of
from yolo_cli.evaluation.tracks.hota import Hota, hota_of
from yolo_cli.evaluation.tracks.identity import Identity, identity_of
from yolo_cli.evaluation.tracks.sequence import Sequence
from yolo_cli.tracks import Tracks

__all__ = ["TrackFigures", "evaluate_tracks"]


@dataclass(frozen=True, slots=True, eq=False)
class TrackFigures:
    """The figures of one sequence; those of several can be added, as if they were one.

    Attributes:
        hota_sums, clear, identity: what the figures are made of.
        objects, tracks: how many different ids the ground truth and the tracks have.
    """

    hota_sums: Hota
    clear: Clear
    identity: Identity
    objects: int
    tracks: int

    def __add__(self, other: TrackFigures) -> TrackFigures:
        return TrackFigures(
            self.hota_sums + other.hota_sums,
            self.clear + other.clear,
            self.identity + other.identity,
            self.objects + other.objects,
            self.tracks + other.tracks,
        )

    @property
    def hota(self) -> float:
        """The mean over IoU thresholds from 0.05 to 0.95."""
        return float(self.hota_sums.hota.mean())

    @property
    def mota(self) -> float | None:
        """At IoU 0.5; None without ground truth."""
        return self.clear.mota

    @property
    def idf1(self) -> float | None:
        """At IoU 0.5; None without a box."""
        return self.identity.idf1

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data, none rounded."""
        sums = self.hota_sums
        return {
            "hota": self.hota,
            "det_a": float(sums.det_a.mean()),
            "ass_a": float(sums.ass_a.mean()),
            "loc_a": float(sums.loc_a.mean()),
            "mota": self.mota,
            "idf1": self.idf1,
            "id_switches": self.clear.switches,
            "misses": self.clear.misses,
            "false_positives": self.clear.false_positives,
            "boxes": self.clear.objects,
            "objects": self.objects,
            "tracks": self.tracks,
        }


def evaluate_tracks(ground_truth: Tracks, tracks: Tracks) -> TrackFigures:
    """The figures of the ``tracks`` of one video. Classes and confidences do not count."""
    sequence = Sequence.of(ground_truth, tracks)
    return TrackFigures(
        hota_of(sequence),
        clear_of(sequence),
        identity_of(sequence),
        len(sequence.gt_boxes),
        len(sequence.found_boxes),
    )
