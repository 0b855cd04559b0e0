"""The tracker's own Kalman filter over one track, forwards, and smoothed from its end, as an oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import cxcywh_to_xyxy
from yolo_cli.tracking.motion import Motion

__all__ = ["kalman", "kalman_smoother"]

Floats = NDArray[np.floating[Any]]
_STEP = np.array([[1.0, 1.0], [0.0, 1.0]])  # a value and its velocity, one frame later


def kalman(steps: NDArray[np.integer[Any]], boxes: Floats) -> Floats:
    """Boxes (T, 4) that the filter expects or, where there is one of ``boxes`` (N, 4), updates to."""
    return np.concatenate([state.boxes for _, state in _states(steps, boxes)])


def kalman_smoother(steps: NDArray[np.integer[Any]], boxes: Floats) -> Floats:
    """Boxes (T, 4) by the smoother of Rauch, Tung and Striebel (1965).

    From the last frame back: x ← x + C (x' − F x) with C = P Fᵀ P'⁻¹, for each of the four coordinates.
    """
    states = _states(steps, boxes)
    later, _ = _moments(states[-1][1])
    places = [later[:, 0]]
    for (_, state), (expected, _) in zip(reversed(states[:-1]), reversed(states[1:]), strict=True):
        mean, spread = _moments(state)  # (4, 2), (4, 2, 2)
        expected_mean, expected_spread = _moments(expected)
        gain = spread @ _STEP.T @ np.linalg.pinv(expected_spread)
        later = mean + (gain @ (later - expected_mean)[..., None])[..., 0]
        places.append(later[:, 0])
    return cxcywh_to_xyxy(np.array(places[::-1]))


def _states(steps: NDArray[np.integer[Any]], boxes: Floats) -> list[tuple[Motion, Motion]]:
    """What is expected of each step, and what is known after it."""
    at = dict(zip(steps.tolist(), boxes, strict=True))
    state = Motion.start(boxes[:1])
    states = [(state, state)]
    for step in range(1, int(steps[-1]) + 1):
        expected = state.predicted(1)
        state = expected.updated(at[step][None]) if step in at else expected
        states.append((expected, state))
    return states


def _moments(state: Motion) -> tuple[Floats, Floats]:
    mean = np.stack([state.place[0], state.velocity[0]], axis=1)
    spread = [[state.variance[0], state.covariance[0]], [state.covariance[0], state.velocity_variance[0]]]
    return mean, np.moveaxis(np.array(spread), 2, 0)
