"""What is done with a network's corrections and scores, by a network that is made up; and the bundled one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.made_tracks import tracks_of
from yolo_cli.errors import DataError
from yolo_cli.temporal import TrackSmoother
from yolo_cli.temporal.opening import NetworkOverTime
from yolo_cli.tracks import Tracks

FRAMES = np.arange(10)


@dataclass
class Network:
    """Moves every box right by a tenth of its width; the score is that of the track's length."""

    scores: dict[int, float]

    def run(self, batch: np.ndarray, *shapes: tuple[int, ...]) -> list[np.ndarray]:
        correction = np.zeros((*batch.shape[:3], 1), np.float32)
        correction[:, 0, :, 0] = np.float32([[1], [-1], [1], [-1]])  # the second and fourth are mirrored
        return [correction, np.full((4, 1), self.scores.get(batch.shape[2], 1.0), np.float32)]


def smoother(**scores: float) -> TrackSmoother:
    return TrackSmoother(Network({int(length[1:]): score for length, score in scores.items()}))


def test_gaps_are_filled_and_boxes_corrected() -> None:
    smooth = smoother().smooth(tracks_of([(2, 1, 0), (4, 1, 8), (3, 5, 50)]), FRAMES)
    # Between 0 and 8 is 4; boxes are 10 wide, so that each moves by 1.
    rows = zip(smooth.frame.tolist(), smooth.track_id.tolist(), smooth.xyxy[:, 0].tolist(), strict=True)
    assert list(rows) == [(2, 1, 1), (3, 1, 5), (3, 5, 51), (4, 1, 9)]


def test_a_track_with_a_low_score_is_dropped() -> None:
    tracks = tracks_of([(0, 1, 0), (1, 1, 0), (0, 2, 50)])
    assert set(smoother(_1=-1.5).smooth(tracks, FRAMES).track_id) == {1}
    assert set(smoother(_2=-1.5).smooth(tracks, FRAMES).track_id) == {2}


def test_frames_that_were_not_read_are_not_filled() -> None:
    """Every third frame is read: one is missing between 3 and 9."""
    smooth = smoother().smooth(tracks_of([(3, 1, 0), (9, 1, 8)]), np.array([0, 3, 6, 9]))
    assert smooth.frame.tolist() == [3, 6, 9]


def test_class_and_confidence() -> None:
    given = tracks_of([(0, 1, 0), (2, 1, 0)])
    given = Tracks(given.frame, given.track_id, given.xyxy, np.array([0.4, 0.8]), np.array([3, 5]))
    smooth = smoother().smooth(given, FRAMES)
    assert smooth.class_id.tolist() == [5, 5, 5]
    assert smooth.confidence == pytest.approx([0.4, 0.6, 0.8])


def test_no_tracks() -> None:
    assert len(smoother().smooth(Tracks(), FRAMES)) == 0
    assert len(smoother(_1=-2).smooth(tracks_of([(0, 1, 0)]), FRAMES)) == 0


@pytest.fixture(scope="module")
def bundled() -> TrackSmoother:
    return TrackSmoother.load()


def test_the_bundled_network_follows_a_steady_walk(bundled: TrackSmoother) -> None:
    """20 frames at a steady pace, 5 of them missing: within 4 % of the side, at the ends within 6 %."""
    rows = [(frame, 1, 2.0 * frame) for frame in range(20) if frame not in (4, 9, 10, 11, 15)]
    smooth = bundled.smooth(tracks_of(rows), np.arange(20))
    assert smooth.frame.tolist() == list(range(20))
    off = np.abs(smooth.xyxy[:, 0] - 2.0 * np.arange(20))
    assert off[2:-2].max() < 0.4
    assert off.max() < 0.6


def test_the_bundled_network_looks_31_steps_to_either_side(bundled: TrackSmoother) -> None:
    rows = [(frame, 1, 2.0 * frame + frame % 3) for frame in range(80)]
    moved = rows[:70] + [(frame, 1, x + 30) for frame, _, x in rows[70:]]
    before, after = (bundled.smooth(tracks_of(each), np.arange(80)).xyxy for each in (rows, moved))
    assert before[:38] == pytest.approx(after[:38], abs=1e-4)
    assert not np.allclose(before[60:70], after[60:70], atol=1e-3)


def test_a_model_of_another_kind() -> None:
    with pytest.raises(DataError, match="is a model for yolo, but a track-smoother is needed"):
        TrackSmoother.load("yolov4-tiny-coco")


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"not a model")
    with pytest.raises(DataError, match=r"x\.onnx"):
        TrackSmoother.load(tmp_path / "x.onnx")


@dataclass
class Outputs:
    """Gives what it is told to."""

    arrays: list[np.ndarray]

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        return self.arrays


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ([np.zeros((4, 4, 1, 1))], "x: gives .* is needed"),
        ([np.zeros((4, 4, 1, 1)), np.zeros((4, 1)), np.zeros(1)], "x: gives"),
        ([np.zeros((4, 4, 2, 1)), np.zeros((4, 1))], "x: gives"),
        ([np.full((4, 4, 1, 1), np.nan), np.zeros((4, 1))], "not finite"),
        ([np.full((4, 4, 1, 1), 1e38), np.zeros((4, 1))], "far too large"),
    ],
)
def test_a_network_that_gives_something_else(arrays: list[np.ndarray], says: str) -> None:
    network = NetworkOverTime("x", Outputs(arrays))
    with pytest.raises(DataError, match=says):
        TrackSmoother(network).smooth(tracks_of([(0, 1, 0)]), FRAMES)
