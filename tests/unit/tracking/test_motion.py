"""The Kalman filter: against matrices, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracles_tracking import kalman
from yolo_cli.boxes import cxcywh_to_xyxy
from yolo_cli.tracking import motion
from yolo_cli.tracking.motion import Motion

NOISE = (motion._MEASURED, motion._MOVED, motion._ACCELERATED, motion._START)


def test_equal_to_matrices() -> None:
    rng = np.random.default_rng(0)
    paths = rng.uniform(20, 60, (5, 12, 4))  # 5 objects, 12 frames
    state = Motion.start(cxcywh_to_xyxy(paths[:, 0]))
    for frame in range(1, 12):
        state = state.predicted(1).updated(cxcywh_to_xyxy(paths[:, frame]))
    for at, path in enumerate(paths):
        expected, covariance = kalman(path, NOISE)
        np.testing.assert_allclose(np.concatenate([state.place[at], state.velocity[at]]), expected)
        found = np.concatenate([state.variance[at], state.velocity_variance[at]])
        np.testing.assert_allclose(found, np.diag(covariance), atol=1e-12)
        np.testing.assert_allclose(state.covariance[at, :2], np.diag(covariance[:4, 4:])[:2])


def test_first_update_by_hand() -> None:
    state = Motion.start(np.array([[0.0, 0, 100, 200]])).predicted(1)
    # x: (0.05 x 100)^2 = 25, and 0.0625 x 100 = 6.25 squared of velocity, and (0.02 x 100)^2 moved.
    variance = 25 + 6.25**2 + 4
    assert state.variance[0, 0] == pytest.approx(variance)
    # Seen 10 to the right: the state goes there by variance / (variance + 25) of the way.
    after = state.updated(np.array([[10.0, 0, 110, 200]]))
    assert after.place[0, 0] == pytest.approx(50 + 10 * variance / (variance + 25))


def test_velocity_is_learnt_and_kept() -> None:
    boxes = [np.array([[3.0 * frame, 0, 3 * frame + 40, 80]]) for frame in range(30)]
    state = Motion.start(boxes[0])
    for box in boxes[1:]:
        state = state.predicted(1).updated(box)
    assert state.velocity[0, :2] == pytest.approx([3, 0], abs=0.05)
    assert state.predicted(10).boxes[0] == pytest.approx(boxes[-1][0] + [30, 0, 30, 0], abs=1)


def test_several_frames_at_once_go_as_far() -> None:
    state = Motion.start(np.array([[0.0, 0, 40, 80]])).predicted(1).updated(np.array([[4.0, 0, 44, 80]]))
    one_by_one = state.predicted(1).predicted(1).predicted(1)
    np.testing.assert_allclose(state.predicted(3).place, one_by_one.place)


def test_camera_moves_places_and_turns_velocities() -> None:
    state = Motion.start(np.array([[0.0, 0, 20, 40]]))
    state = Motion(state.place, state.velocity + np.array([5, 0, 0, 0]), *[state.variance] * 3)
    quarter = np.array([[0.0, -2, 100], [2, 0, 0]])  # by 90 degrees, twice as large, and to the right
    after = state.warped(quarter)
    # The centre (10, 20) goes to (-2 x 20 + 100, 2 x 10); the size doubles; (5, 0) becomes (0, 10).
    np.testing.assert_allclose(after.place, [[60, 20, 40, 80]])
    np.testing.assert_allclose(after.velocity[:, :2], [[0, 10]])
