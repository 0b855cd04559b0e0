"""Made scenes, their tracks, and what is removed from them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made_tracks import tracks_of
from yolo_cli.boxes import box_iou
from yolo_cli.temporal.examples import WINDOW, example, examples_of, kept, pool
from yolo_cli.temporal.scenes import Scene, made_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return made_scene(np.random.default_rng(5))


def test_a_seed_makes_one_scene(scene: Scene) -> None:
    again, other = made_scene(np.random.default_rng(5)), made_scene(np.random.default_rng(6))
    assert (again.gt.xyxy == scene.gt.xyxy).all()
    assert all((a.xyxy == b.xyxy).all() for a, b in zip(again.frames, scene.frames, strict=True))
    assert other.gt.xyxy.shape != scene.gt.xyxy.shape


def test_most_detections_show_an_object(scene: Scene) -> None:
    best = [
        box_iou(found.xyxy, scene.gt.xyxy[scene.gt.frame == number].astype(np.float32)).max(axis=1)
        for number, found in enumerate(scene.frames)
        if len(found) and (scene.gt.frame == number).any()
    ]
    good = np.concatenate(best) > 0.5
    assert 0.5 < good.mean() < 1
    assert good.sum() < len(scene.gt)  # some are missed


def test_an_example_by_hand() -> None:
    """Object 7 is 1 pixel right of the track in frames 3 to 5; in frame 6 it is gone."""
    track = tracks_of([(3, 1, 0), (5, 1, 4), (6, 1, 6)])
    gt = tracks_of([(2, 7, 0), (3, 7, 1), (4, 7, 3), (5, 7, 5), (3, 8, 40)])
    made = example(track, gt)
    assert made.steps.tolist() == [0, 2, 3]
    assert made.gt[:, 0] == pytest.approx([1, 3, 5, np.nan], nan_ok=True)
    assert made.real  # two of three boxes show it


def test_a_track_of_nothing() -> None:
    made = example(tracks_of([(0, 1, 0), (1, 1, 0), (2, 1, 0)]), tracks_of([(0, 7, 1), (1, 7, 80)]))
    assert not made.real


@pytest.mark.parametrize("stretches", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 12, 50, 200])
def test_a_fifth_is_removed(count: int, stretches: bool) -> None:
    keep = kept(np.random.default_rng(0), count, stretches)
    assert keep[0]
    assert keep[-1]
    assert (~keep).sum() <= round(0.2 * count)
    if count >= 12 and not stretches:
        assert (~keep).sum() == round(0.2 * count)


def test_stretches_are_removed_in_a_row() -> None:
    keep = kept(np.random.default_rng(1), 50, stretches=True)
    edges = np.flatnonzero(np.diff(keep.astype(int)) == -1)
    assert (~keep).sum() >= 5
    assert len(edges) <= (~keep).sum() // 2


def test_pool(scene: Scene) -> None:
    made = examples_of(scene)
    inputs, targets, weights, real = pool(np.random.default_rng(0), made, 2)
    assert inputs.shape == (2 * len(made), 4, WINDOW, 7)
    assert (targets.shape, weights.shape) == ((*inputs.shape[:3], 1), inputs.shape[:3])
    assert real.shape == (2 * len(made), 1)
    assert set(np.unique(weights)) <= {np.float32(0), np.float32(0.3), np.float32(3)}
    assert (weights[inputs[..., 3] == 0] == 0).all()  # outside a track, nothing counts
    assert (weights[real[:, 0] == 0] == 0).all()
    assert ((weights == 3) <= (inputs[..., 2] == 0)).all()  # what was removed is not seen
    assert np.isfinite(targets).all()
