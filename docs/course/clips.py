"""Eight made clips, what the object in each does, and what the bundled 3-D network says."""

import numpy as np

from yolo_cli.temporal import ClipStates
from yolo_cli.temporal.clips import STATES, made_clips, made_texture

rng = np.random.default_rng(0)
clips, states = made_clips(rng, 8, [made_texture(rng) for _ in range(4)])
answers = ClipStates.load().logits(clips).argmax(axis=1)
for state, answer in zip(states, answers, strict=True):
    print(f"{STATES[state]}: the network says {STATES[answer]}")
