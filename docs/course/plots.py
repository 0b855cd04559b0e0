"""The plots of docs/course.md, each for light and for dark pages, in the working folder.

python docs/course/plots.py NAME
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import edges
import numpy as np
import volumes
from figures import figures

FOUND = Path(__file__).resolve().parents[2] / "tests" / "golden" / "vtest" / "detections.txt"
SEED = 3  # of what is removed of a track


def backbones() -> None:
    """Parameters and multiply-accumulates of the classic networks."""
    from yolo_cli import list_backbones

    below = ("Inception", "AlexNet", "MobileNet", "MobileNetV2")  # some are nearly in one place
    for axes in figures("backbones"):
        for row in list_backbones().rows:
            place = (row.multiply_accumulates / 1e9, row.parameters / 1e6)
            axes.scatter(*place, s=40)
            beside = (6, -11) if row.name in below else (6, 5)
            axes.annotate(row.name, place, beside, textcoords="offset points", fontsize=8)
        axes.set(xscale="log", yscale="log", xlim=(0.1, 60), ylim=(0.02, 80))
        axes.set(xlabel="multiply-accumulates in billions", ylabel="parameters in millions")


def residual() -> None:
    """The training loss of a plain and of a residual network; see `residual.py`."""
    from residual import DEPTH, losses

    found = {name: losses(name == "residual") for name in ("plain", "residual")}
    for name, values in found.items():
        print(f"{name}: {DEPTH} convolutions, loss of the last 40 steps {np.mean(values[-40:]):.3f}")
    for axes in figures("residual"):
        for name, values in found.items():
            axes.plot(np.convolve(values, np.ones(10) / 10, "valid"), label=name)
        axes.set(xlabel="step", ylabel="training loss", ylim=(0, None))
        axes.legend()


def transfer() -> None:
    """Mean average precision over the epochs of runs/fine-tuned and runs/from-scratch."""
    runs = ("fine-tuned", "from-scratch")
    if not all(Path("runs", run, "results.csv").exists() for run in runs):
        raise SystemExit(
            "there is no runs/fine-tuned or no runs/from-scratch; run the two `yolo train` first"
        )
    for axes in figures("transfer"):
        for run in runs:
            lines = Path("runs", run, "results.csv").read_text("utf-8").splitlines()
            rows = [row for row in csv.DictReader(lines) if row["map50"]]  # not every epoch is evaluated
            epochs = [int(row["epoch"]) for row in rows]
            map50, map50_95 = ([float(row[key]) for row in rows] for key in ("map50", "map50_95"))
            [line] = axes.plot(epochs, map50, "o-", label=f"mAP50, {run}")
            axes.plot(epochs, map50_95, "o--", color=line.get_color(), label=f"mAP50-95, {run}")
        axes.set(xlabel="epoch", ylabel="on the validation images", xlim=(0.5, 10.5), ylim=(0, 1.05))
        axes.legend(loc="lower right", fontsize=8)


def anchors() -> None:
    """Four boxes, three anchors fitted to them, and those of the bundled model."""
    from yolo_cli import fit_anchors

    fitted = fit_anchors("docs/course/boxes.json", k=3)
    known = fitted.present.at(fitted.anchors.imgsz)
    for axes in figures("anchors"):
        axes.scatter(*known.T, s=60, marker="s", color="C1", label=f"{len(known)} of the bundled model")
        axes.scatter(*fitted.anchors.wh.T, s=90, color="C0", label=f"{len(fitted.anchors.wh)} fitted")
        axes.scatter(*fitted.wh.T, s=45, marker="x", color="C3", label=f"{len(fitted.wh)} boxes")
        axes.set(xlabel="width in pixels", ylabel="height in pixels", xlim=(0, 440), ylim=(0, 440))
        axes.legend(fontsize=8)


def filled() -> None:
    """The centre of a person of vtest.avi over its frames, boxes removed, and what fills them."""
    from yolo_cli.boxes import paired_iou, xyxy_to_cxcywh
    from yolo_cli.temporal import TrackSmoother
    from yolo_cli.temporal.examples import kept
    from yolo_cli.temporal.sequences import TrackSequence

    track = longest_track()
    steps, keep = track.frame - track.frame[0], kept(np.random.default_rng(SEED), len(track), stretches=True)
    found = track.xyxy.astype(float)
    left = TrackSequence.of(steps[keep], found[keep], track.confidence[keep])
    ways = {
        "straight line": left.boxes,
        "1-D convolution": left.corrected(TrackSmoother.load().correction(left)[0]),
    }
    removed, x = steps[~keep], xyxy_to_cxcywh(found)[:, 0]
    for name, boxes in ways.items():
        overlap = paired_iou(boxes[removed], found[~keep]).mean()
        print(f"{name}: mean IoU {overlap:.3f} with the {len(removed)} boxes that were removed")
    for axes in figures("filled", (8.4, 3.2), panels=2):
        for panel in axes:
            panel.plot(steps[keep], x[keep], ".", color="0.55", markersize=4, label="box")
            panel.plot(
                removed, x[~keep], "o", color="C3", markersize=5, fillstyle="none", label="box removed"
            )
            for (name, boxes), colour in zip(ways.items(), ("C1", "C0"), strict=True):
                panel.plot(xyxy_to_cxcywh(boxes.astype(float))[:, 0], color=colour, label=name)
            panel.set(xlabel="frame", ylabel="centre x in pixels")
        axes[0].legend(fontsize=8)
        near = removed[removed < removed[0] + 20]  # the first stretch
        inside = (steps >= near[0] - 6) & (steps <= near[-1] + 6)
        axes[1].set(xlim=(near[0] - 6, near[-1] + 6), ylim=(x[inside].min() - 4, x[inside].max() + 4))
        axes[1].set_title("the first gap, larger", fontsize=9)


def costs() -> None:
    """The content cost and the style cost over the steps of a small transfer."""
    from yolo_cli import stylize

    found = stylize("examples/astronaut.jpg", "docs/course/painting.jpg", imgsz=128, steps=100).costs
    for name in ("content", "style"):
        values = [getattr(each, name) for each in found]
        print(f"{name}: {values[0]:.3f} -> {values[-1]:.3f}")
    for axes in figures("costs"):
        for name, weight in (("content", 1), ("style", 60), ("variation", 60), ("total", 1)):
            values = [weight * getattr(each, name) for each in found]
            axes.plot(
                values,
                label=name if weight == 1 else f"{weight} x {name}",
                lw=2.5 if name == "total" else 1.5,
            )
        axes.set(xlabel="step", ylabel="cost", yscale="log", ylim=(0.1, None))
        axes.legend(fontsize=8)


def longest_track() -> Any:
    """Of the tracks of 231 frames of vtest.avi that with the most boxes."""
    from yolo_cli.detections import Detections
    from yolo_cli.tracking import Tracker
    from yolo_cli.tracks import joined_tracks

    table = np.loadtxt(
        FOUND, delimiter=",", ndmin=2
    )  # frame, id, left, top, width, height, confidence; from 1
    tracker, parts = Tracker(), []
    for number in range(231):
        here = table[table[:, 0] == number + 1]
        boxes = np.concatenate([here[:, 2:4] - 1, here[:, 2:4] - 1 + here[:, 4:6]], axis=1)
        found = Detections(boxes.astype(np.float32), here[:, 6].astype(np.float32), np.zeros(len(here), int))
        parts.append(tracker.update(found, number))
    tracks = joined_tracks(parts)
    names, counts = np.unique(tracks.track_id, return_counts=True)
    return tracks[tracks.track_id == names[counts.argmax()]]


PLOTS: dict[str, Callable[[], None]] = {
    "edges": edges.draw,
    "simple": volumes.draw_simple,
    "backbones": backbones,
    "blocks": volumes.draw_blocks,
    "residual": residual,
    "transfer": transfer,
    "anchors": anchors,
    "filled": filled,
    "costs": costs,
}

if __name__ == "__main__":
    PLOTS[sys.argv[1]]()
