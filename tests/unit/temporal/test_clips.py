"""Made clips, and what is voted on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from yolo_cli.temporal import ClipStates
from yolo_cli.temporal.clips import FRAMES, SIDE, STATES, made_clip, made_clips, made_texture
from yolo_cli.temporal.states import crop_around


@pytest.fixture(scope="module")
def sources() -> list[np.ndarray]:
    return [made_texture(np.random.default_rng(seed)) for seed in range(4)]


def test_a_seed_makes_one_clip(sources: list[np.ndarray]) -> None:
    first, again = (made_clips(np.random.default_rng(3), 5, sources) for _ in range(2))
    assert (first[0].shape, first[0].dtype) == ((5, FRAMES, SIDE, SIDE, 3), np.uint8)
    assert (first[0] == again[0]).all()
    assert (first[1] == again[1]).all()


def test_what_changes_in_a_clip(sources: list[np.ndarray]) -> None:
    """Nothing where nothing moves, the corners behind what moves, the middle of what turns."""
    changes = np.zeros((len(STATES), 2))
    for seed in range(30):
        for state in range(len(STATES)):
            clip = made_clip(np.random.default_rng(seed), state, sources).astype(float)
            change = np.abs(clip[4] - clip[0]).mean(axis=-1)  # (32, 32)
            corners = np.concatenate([change[:5, :5], change[-5:, -5:]]).mean()
            changes[state] += np.array([corners, change[10:22, 10:22].mean()]) / 30
    standing, moving, turning = changes
    assert moving[0] > 2 * max(standing[0], turning[0])
    assert turning[1] > 2 * max(standing[1], moving[1])


def test_a_crop_is_centred_and_half_as_large_again_as_the_box() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[20:60, 40:60] = 255  # 20 wide, 40 high
    crop = crop_around(image, np.array([40.0, 20, 60, 60]))
    # 60 pixels become 32, so that the box is 10.7 wide and 21.3 high.
    assert crop.shape == (SIDE, SIDE, 3)
    white = crop[..., 0] > 127
    assert (white.any(axis=0).sum(), white.any(axis=1).sum()) == (
        pytest.approx(10.7, abs=1),
        pytest.approx(21.3, abs=1),
    )
    assert white[16, 16]


def test_a_crop_beyond_the_image() -> None:
    image = np.full((20, 20, 3), 50, np.uint8)
    assert (crop_around(image, np.array([-30.0, -30, -10, -10])) == 50).all()
    assert (crop_around(image, np.array([5.0, 5, 5, 5])) == 50).all()


@dataclass
class Network:
    """A logit each for the left corner of the first and last frame, and the right one of the first."""

    def run(self, clips: np.ndarray, *shapes: tuple[int, ...]) -> list[np.ndarray]:
        bright = [clips[:, 0, 0, 0, 0], clips[:, -1, 0, 0, 0], clips[:, 0, 0, -1, 0]]
        return [np.stack(bright, axis=1) / np.float32(255)]


def test_a_clip_is_seen_in_four_forms() -> None:
    """One bright corner, in the first frame on the left: each logit is 1 in one form of four."""
    clip = np.zeros((1, FRAMES, SIDE, SIDE, 3), np.uint8)
    clip[0, 0, 0, 0] = 255
    assert ClipStates(Network()).logits(clip).tolist() == [[0.25, 0.25, 0.25]]
