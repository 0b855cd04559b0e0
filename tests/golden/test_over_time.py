"""The networks over time against what is simpler; `pytest -m slow -s` prints the figures of docs/time.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.golden.test_tracking import by_hand, detections
from tests.kalman_smoother import kalman, kalman_smoother
from tests.other_trackers import Frames, our_tracks
from tests.shared import SHARED
from yolo_cli import load_detector
from yolo_cli.boxes import paired_iou, xyxy_to_cxcywh
from yolo_cli.engines import OnnxEngine
from yolo_cli.pipeline import run_detector
from yolo_cli.temporal import ClipStates, TrackSmoother
from yolo_cli.temporal.clips import FRAMES, made_clips
from yolo_cli.temporal.examples import Example, examples_of, kept
from yolo_cli.temporal.recipes import clip_sources, train_clip_states
from yolo_cli.temporal.scenes import made_scene
from yolo_cli.temporal.sequences import TrackSequence
from yolo_cli.temporal.states import crop_around
from yolo_cli.tracking.video import open_video
from yolo_cli.tracks import Tracks
from yolo_cli.video import FrameChoice

SEEDS = 10
SHORTEST = 10  # boxes of a track


@pytest.fixture(scope="module")
def smoother() -> TrackSmoother:
    return TrackSmoother.load()


@pytest.fixture(scope="module")
def whole() -> Frames:
    """The bundled model's detections of people in all 795 frames."""
    if not (path := SHARED / "video/vtest.avi").exists():
        pytest.skip("shared data video/vtest.avi is not beside the project")
    video = open_video(str(path))
    detector = load_detector("yolov4-tiny-coco", conf=0.1, classes="person").detector
    found = run_detector(detector, video.frames())
    return [(number, outcome.detections) for number, outcome in enumerate(found)]


def split(tracks: Tracks) -> Iterator[Tracks]:
    """The tracks of at least ten boxes."""
    each = (tracks[tracks.track_id == name] for name in np.unique(tracks.track_id))
    return (track for track in each if len(track) >= SHORTEST)


def filled(tracks: Tracks, smoother: TrackSmoother, seed: int, stretches: bool) -> dict[str, np.ndarray]:
    """IoU of each removed box with what each method puts into its place."""
    rng = np.random.default_rng(seed)
    ious: dict[str, list[np.ndarray]] = {"linear": [], "kalman": [], "kalman smoother": [], "network": []}
    for track in split(tracks):
        steps, boxes = track.frame - track.frame[0], track.xyxy.astype(float)
        keep = kept(rng, len(track), stretches)
        left = TrackSequence.of(steps[keep], boxes[keep], track.confidence[keep])
        guesses = (
            left.boxes,
            kalman(steps[keep], boxes[keep]),
            kalman_smoother(steps[keep], boxes[keep]),
            left.corrected(smoother.correction(left)[0]),
        )
        for name, guess in zip(ious, guesses, strict=True):
            ious[name].append(paired_iou(guess[steps[~keep]], boxes[~keep]))
    return {name: np.concatenate(each) for name, each in ious.items()}


@pytest.mark.slow
@pytest.mark.parametrize("stretches", [False, True], ids=["single", "stretches"])
@pytest.mark.parametrize("part", ["231 frames", "795 frames"])
def test_removed_boxes_are_filled_in(
    part: str, stretches: bool, smoother: TrackSmoother, request: pytest.FixtureRequest
) -> None:
    """A fifth of the boxes of our tracks of vtest.avi removed, the mean over ten seeds."""
    tracks = our_tracks(detections() if part == "231 frames" else request.getfixturevalue("whole"))
    runs = [filled(tracks, smoother, seed, stretches) for seed in range(SEEDS)]
    means = {name: float(np.mean([run[name].mean() for run in runs])) for name in runs[0]}
    print(f"{part}, {'stretches' if stretches else 'single'}: {len(runs[0]['linear'])} boxes a seed, {means}")
    assert means["network"] > means["linear"]
    assert means["network"] > max(means["kalman"], means["kalman smoother"])


def test_smooth_tracks_are_nearer_to_labels_by_hand(smoother: TrackSmoother) -> None:
    tracks = our_tracks(detections())
    before, after = by_hand(tracks), by_hand(smoother.smooth(tracks, np.arange(231)))
    print(f"before {before.to_dict()}\nafter {after.to_dict()}")
    assert after.hota > before.hota + 0.01
    assert after.clear.mota >= before.clear.mota


@pytest.mark.slow
def test_false_tracks_are_dropped(smoother: TrackSmoother) -> None:
    """Of made scenes that the network was not trained on."""
    made = [each for at in range(60) for each in examples_of(made_scene(np.random.default_rng([1000, at])))]
    false = np.array([not each.real for each in made])
    dropped = np.array([_score(each, smoother) < -1 for each in made])
    precision, recall = false[dropped].mean(), dropped[false].mean()
    print(f"{false.sum()} of {len(made)} false: precision {precision:.3f}, recall {recall:.3f}")
    assert precision >= 0.85
    assert recall >= 0.65


@pytest.mark.slow
def test_clips_of_other_sources_are_told_apart() -> None:
    """Objects and backgrounds from an image and textures that the network was not trained on."""
    clips, states = made_clips(np.random.default_rng(1000), 1500, clip_sources(("astronaut.jpg",), 20, 1000))
    said = ClipStates.load().logits(clips).argmax(axis=1)
    table = [[int(((said == b) & (states == a)).sum()) for b in range(3)] for a in range(3)]
    print(f"accuracy {(said == states).mean():.3f}, standing, moving, turning: {table}")
    assert (said == states).mean() >= 0.9


@pytest.mark.slow
def test_people_who_walk_are_seldom_called_standing() -> None:
    """On vtest.avi the made clips do not carry over: half of the people who walk are called turning."""
    if not (path := SHARED / "video/vtest.avi").exists():
        pytest.skip("shared data video/vtest.avi is not beside the project")
    frames = [frame.read().rgb for frame in open_video(str(path), FrameChoice(max_frames=231)).frames()]
    tracks = TrackSmoother.load().smooth(our_tracks(detections()), np.arange(231))
    clips = [crops for track in split(tracks) for crops in _walking(track, frames)]
    said = np.bincount(ClipStates.load().logits(np.stack(clips)).argmax(axis=1), minlength=3)
    print(f"of {len(clips)} clips of people who walk: standing, moving, turning {said}")
    assert said[0] < 0.1 * len(clips)


def _walking(track: Tracks, frames: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Clips of a track that moves by 4 % of its height a frame or more."""
    for begin in range(0, len(track) - FRAMES + 1, FRAMES):
        part = track[begin : begin + FRAMES]
        centre = xyxy_to_cxcywh(part.xyxy.astype(float))
        if np.hypot(*(centre[-1, :2] - centre[0, :2])) / (FRAMES - 1) >= 0.04 * centre[:, 3].mean():
            yield np.stack(
                [crop_around(frames[at], box) for at, box in zip(part.frame, part.xyxy, strict=True)]
            )


@pytest.mark.slow
def test_one_frame_does_not_tell(tmp_path: Path) -> None:
    """The 2-D network, as large, trained by the same recipe on the middle frame."""
    clips, states = made_clips(np.random.default_rng(1000), 1500, clip_sources(("astronaut.jpg",), 20, 1000))
    files = train_clip_states(tmp_path / "one", frames=1)
    assert files.onnx
    said = OnnxEngine(files.onnx, "cpu").run(clips[:, 4:5])[0].argmax(axis=1)
    print(f"one frame: accuracy {(said == states).mean():.3f}")
    assert (said == states).mean() < 0.6


def _score(given: Example, smoother: TrackSmoother) -> float:
    return smoother.correction(TrackSequence.of(given.steps, given.boxes, given.confidence))[1]
