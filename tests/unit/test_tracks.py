"""Boxes with ids, and MOT text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.made_tracks import tracks_strategy
from yolo_cli.tracks import Tracks, joined_tracks, mot_text, read_mot


def test_pixels_and_frames_count_from_one(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text("3, 12, 1, 11, 30, 40, -1, -1, -1, -1\n")
    tracks = read_mot(path)
    assert tracks.xyxy.tolist() == [[0, 10, 30, 50]]
    assert (tracks.frame.tolist(), tracks.track_id.tolist(), tracks.confidence.tolist()) == ([2], [12], [1])


def test_boxes_that_are_ignored_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text("1,1,1,1,9,9,0,3,1\n1,2,1,1,9,9,1,1,1\n")
    assert read_mot(path).track_id.tolist() == [2]


@given(tracks_strategy())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_goes_there_and_back(tmp_path: Path, tracks: Tracks) -> None:
    path = tmp_path / "gt.txt"
    path.write_text(mot_text(tracks))
    again = read_mot(path)
    for name in ("frame", "track_id", "xyxy", "confidence"):
        np.testing.assert_array_equal(getattr(again, name), getattr(tracks, name))


def test_parts_are_joined() -> None:
    part = Tracks(np.array([1]), np.array([2]), np.zeros((1, 4)), np.ones(1), np.array([3]))
    assert joined_tracks([part, part]).class_id.tolist() == [3, 3]
    assert len(joined_tracks([])) == 0


def test_arrays_must_fit_together() -> None:
    with pytest.raises(ValueError, match="do not fit together"):
        Tracks(np.array([1]))
