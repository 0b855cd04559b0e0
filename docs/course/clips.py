"""Eight made clips, what the object in each does, and what the bundled 3-D network says.

python docs/course/clips.py OUT.png
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

from yolo_cli.images import write_image
from yolo_cli.temporal import ClipStates
from yolo_cli.temporal.clips import STATES, made_clip, made_clips, made_texture
from yolo_cli.temporal.recipes import clip_sources

SEED = 3  # of the clips that are drawn
SCALE, LEFT = 2, 190  # of a pixel; pixels for the text beside a row


def ask() -> None:
    """Print what eight clips show, and the answers."""
    rng = np.random.default_rng(0)
    clips, states = made_clips(rng, 8, [made_texture(rng) for _ in range(4)])
    answers = ClipStates.load().logits(clips).argmax(axis=1)
    for state, answer in zip(states, answers, strict=True):
        print(f"{STATES[state]}: the network says {STATES[answer]}")
    print(f"right: {(states == answers).sum()} of {len(states)}")


def drawn() -> np.ndarray:
    """A row of eight frames for each state, with the state and the answer beside it, (H, W, 3)."""
    sources, rows = clip_sources(("cat.jpg", "coffee.jpg"), 10, 0), []
    clips = [made_clip(np.random.default_rng(SEED + n), n, sources) for n in range(len(STATES))]
    answers = ClipStates.load().logits(np.stack(clips)).argmax(axis=1)
    for state, (clip, answer) in enumerate(zip(clips, answers, strict=True)):
        framed = [np.pad(each, ((1, 1), (1, 1), (0, 0)), constant_values=32) for each in clip]
        row = cv2.resize(np.concatenate(framed, axis=1), None, fx=SCALE, fy=SCALE, interpolation=0)
        row = np.pad(row, ((0, 0), (LEFT, 0), (0, 0)), constant_values=32)
        for line, text in enumerate((STATES[state], f"network: {STATES[answer]}")):
            place = (8, 28 + 22 * line)
            cv2.putText(row, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (235, 235, 235), 1, cv2.LINE_AA)
        rows.append(row)
    return np.concatenate(rows)


if __name__ == "__main__":
    ask()
    write_image(sys.argv[1], drawn())
