"""Draws the two images of docs/time.md: `python -m tests.over_time_figures docs`."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from tests.golden.test_tracking import detections
from tests.other_trackers import our_tracks
from yolo_cli.boxes import xyxy_to_cxcywh
from yolo_cli.images import write_image
from yolo_cli.temporal import TrackSmoother
from yolo_cli.temporal.clips import STATES, made_clip
from yolo_cli.temporal.examples import kept
from yolo_cli.temporal.recipes import clip_sources
from yolo_cli.temporal.sequences import TrackSequence

SEED = 3


def draw_filled(path: Path) -> None:
    """Centre x of one track of vtest.avi over its frames, with stretches removed, and what fills them."""
    from matplotlib.figure import Figure

    tracks = our_tracks(detections())
    names, counts = np.unique(tracks.track_id, return_counts=True)
    track = tracks[tracks.track_id == names[counts.argmax()]]
    steps, keep = track.frame - track.frame[0], kept(np.random.default_rng(SEED), len(track), stretches=True)
    left = TrackSequence.of(steps[keep], track.xyxy[keep].astype(float), track.confidence[keep])
    smooth = left.corrected(TrackSmoother.load().correction(left)[0])
    at = [xyxy_to_cxcywh(boxes.astype(float))[:, 0] for boxes in (track.xyxy, left.boxes, smooth)]
    figure = Figure((7.2, 3.4), dpi=100, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.plot(steps[keep], at[0][keep], ".", color="0.45", markersize=4, label="box")
    axes.plot(
        steps[~keep], at[0][~keep], "o", color="tab:red", markersize=4, fillstyle="none", label="box removed"
    )
    axes.plot(np.arange(len(left)), at[1], color="tab:orange", linewidth=1, label="linear interpolation")
    axes.plot(np.arange(len(left)), at[2], color="tab:blue", linewidth=1.3, label="1-D convolution")
    axes.set(xlabel="frame", ylabel="centre x in pixels")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Software": None})


def draw_clips(path: Path) -> None:
    """A row of eight frames for each state."""
    sources, rows = clip_sources(("cat.jpg", "coffee.jpg"), 10, 0), []
    for state in range(len(STATES)):
        clip = made_clip(np.random.default_rng(SEED + state), state, sources)
        framed = [np.pad(each, ((1, 1), (1, 1), (0, 0)), constant_values=255) for each in clip]
        rows.append(np.concatenate(framed, axis=1))
    strip = np.concatenate(rows)
    large = cv2.resize(strip, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_NEAREST)
    write_image(path, large)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    draw_filled(folder / "time-filled.png")
    draw_clips(folder / "time-clips.png")
