"""Our tracker beside other programs' on the same detections; `pytest -s` prints the figures."""

from __future__ import annotations

import csv
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.other_trackers import Frames, made_detections, our_tracks, roboflow_tracks, supervision_tracks
from tests.track_references import SAMPLES, sample
from yolo_cli.detections import Detections
from yolo_cli.evaluation.tracks import TrackFigures, evaluate_tracks
from yolo_cli.tracking import Tracker
from yolo_cli.tracking.counting import counters_of
from yolo_cli.tracks import Tracks, read_mot

VTEST = Path(__file__).parent / "vtest"
OTHERS = pytest.mark.parametrize("other", [supervision_tracks, roboflow_tracks])


@pytest.mark.slow
@OTHERS
@pytest.mark.parametrize("spread", [True, False], ids=["spread", "flat"])
@pytest.mark.parametrize("name", SAMPLES)
def test_hota_and_idf1_on_made_detections(name: str, spread: bool, other: Callable[..., Tracks]) -> None:
    """The mean over five seeds."""
    gt = read_mot(sample(name)[0])
    figures = []
    for seed in range(5):
        frames = made_detections(gt, seed, spread)
        both = evaluate_tracks(gt, our_tracks(frames)), evaluate_tracks(gt, other(frames))
        figures.append([(each.hota, each.idf1) for each in both])
    ours, theirs = np.mean(figures, axis=0)  # (2,) each: HOTA, IDF1
    print(f"{name}, {'spread' if spread else 'flat'}: ours {ours}, {other.__name__} {theirs}")
    assert (ours >= theirs).all()


def detections() -> Frames:
    """The bundled model's on vtest.avi, frame by frame."""
    with (VTEST / "detections.txt").open() as file:
        table = np.array(list(csv.reader(file)), float)
    boxes = np.concatenate([table[:, 2:4] - 1, table[:, 2:4] - 1 + table[:, 4:6]], axis=1)
    numbers = table[:, 0].astype(int) - 1
    return [
        (number, _detections(boxes[numbers == number], table[numbers == number, 6])) for number in range(231)
    ]


def _detections(boxes: Any, confidence: Any) -> Detections:
    zeros = np.zeros(len(boxes), np.int64)
    return Detections(boxes.astype(np.float32), confidence.astype(np.float32), zeros)


def by_hand(tracks: Tracks) -> TrackFigures:
    """Against the labels, in the frames that have labels."""
    labels = read_mot(VTEST / "labels.txt")
    return evaluate_tracks(labels, tracks[np.isin(tracks.frame, labels.frame)])


def test_ids_on_vtest() -> None:
    figures = by_hand(our_tracks(detections()))
    print(figures.to_dict())
    assert (figures.objects, figures.clear.objects) == (11, 158)
    assert figures.clear.switches <= 10
    assert figures.hota >= 0.54


@pytest.mark.parametrize(
    ("other", "ours", "theirs"),
    [
        (supervision_tracks, {}, {}),
        (roboflow_tracks, {}, {"track_activation_threshold": 0.25, "high_conf_det_threshold": 0.25}),
        (roboflow_tracks, {"conf": 0.6}, {}),
    ],
    ids=["supervision", "roboflow-from-0.25", "roboflow-defaults"],
)
def test_ids_do_not_switch_more_often_than_others(
    other: Callable[..., Tracks], ours: dict[str, float], theirs: dict[str, float]
) -> None:
    """Confident detections begin at the same confidence in both: where more is tracked, more can switch."""
    frames = detections()
    mine, their = by_hand(our_tracks(frames, **ours)), by_hand(other(frames, **theirs))
    print(f"ours {mine.to_dict()}\ntheirs {their.to_dict()}")
    assert mine.clear.switches <= their.clear.switches


def test_counts_on_vtest_are_those_by_hand() -> None:
    (counter,) = counters_of(["340,100,340,400"], [])
    tracks = our_tracks(detections())
    crossings = [it for number in range(231) for it in counter.update(tracks[tracks.frame == number])]
    assert counter.counts == {"in": 4, "out": 2}
    # Each between the frames where it was seen by eye.
    assert [(it.frame // 10 * 10, it.direction) for it in crossings] == [
        (10, "out"),
        (60, "in"),
        (90, "out"),
        (160, "in"),
        (180, "in"),
        (220, "in"),
    ]


def test_ten_thousand_boxes() -> None:
    """At most 2 s a frame of processor time, and 500 MB."""
    rng = np.random.default_rng(0)
    centre, size = rng.uniform(0, 1, (10_000, 2)) * (2000, 1500), rng.uniform(40, 120, (10_000, 2))
    tracker, spent = Tracker(), []
    tracemalloc.start()
    try:
        for number in range(4):
            centre = centre + rng.normal(0, 2, centre.shape)
            boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
            found = _detections(boxes, rng.uniform(0.1, 1, len(boxes)))
            start = time.process_time()
            tracks = tracker.update(found, number)
            spent.append(time.process_time() - start)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    print(f"{max(spent):.2f} s a frame, {peak:.0f} MB")
    assert len(tracks) > 6000
    assert max(spent) < 2
    assert peak < 500
