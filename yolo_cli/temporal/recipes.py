"""Train the networks over time, on made data only, and write them as models."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import bundled
from yolo_cli.images import read_image
from yolo_cli.temporal.clips import FRAMES, SIDE, STATES, made_clips, made_texture
from yolo_cli.temporal.examples import examples_of, pool
from yolo_cli.temporal.scenes import made_scene
from yolo_cli.weights import ModelCard, ModelFiles

__all__ = ["clip_sources", "train_clip_states", "train_smoother"]

_RATE, _DECAY, _BATCH = 3e-3, 1e-4, 64
_PARTS = ((10_000, 10), (6_000, 5))
_TRAIN = ("cat.jpg", "coffee.jpg")
_HUBER = 0.1  # errors above a hundredth of a box count linearly


def train_smoother(
    out: str | os.PathLike[str], *, seed: int = 0, scenes: int = 250, rounds: int = 6, epochs: int = 10
) -> ModelFiles:
    """Train the 1-D convolution over tracks, and write ``out.keras``, ``out.onnx`` and ``out.md``.

    Args:
        out: the path without suffix.
        seed: random seed.
        scenes: how many are made.
        rounds: how often each of their tracks occurs, with other boxes removed.
        epochs: passes over all of that.
    """
    from yolo_cli.framework import keras
    from yolo_cli.temporal.networks import track_network
    from yolo_cli.weights.save import save_model

    keras.utils.set_random_seed(seed)
    made = [
        each for at in range(scenes) for each in examples_of(made_scene(np.random.default_rng([seed, at])))
    ]
    inputs, targets, weights, real = pool(np.random.default_rng(seed), made, rounds)
    model = track_network()
    losses = [keras.losses.Huber(_HUBER), keras.losses.BinaryCrossentropy(from_logits=True)]
    _compile(model, epochs * len(inputs) // _BATCH, losses, [1 / _HUBER, 0.2])
    given = {"sample_weight": [weights, np.ones(len(inputs), np.float32)], "batch_size": _BATCH}
    model.fit(inputs, [targets, real], epochs=epochs, verbose=2, **given)
    return save_model(_bare(model), _SMOOTHER_CARD, Path(out), page=True)


def train_clip_states(
    out: str | os.PathLike[str],
    *,
    seed: int = 0,
    parts: Sequence[tuple[int, int]] = _PARTS,
    frames: int = FRAMES,
) -> ModelFiles:
    """Train the 3-D convolution over clips, and write ``out.keras``, ``out.onnx`` and ``out.md``.

    Objects and backgrounds are cut from two of the example images and from 40 drawn textures; the third image
    is kept for tests. The learning rate restarts with each part (Loshchilov and Hutter, "SGDR", ICLR 2017).

    Args:
        out: the path without suffix.
        seed: random seed.
        parts: for each part of the training, how many clips are made, and the passes over them.
        frames: 8; or 1, the middle one, for the 2-D network to compare with.
    """
    from yolo_cli.framework import keras
    from yolo_cli.temporal.networks import clip_network
    from yolo_cli.weights.save import save_model

    keras.utils.set_random_seed(seed)
    sources, model = clip_sources(_TRAIN, 40, seed), clip_network(frames)
    begin = (FRAMES - frames + 1) // 2
    for at, (count, epochs) in enumerate(parts):
        clips, states = made_clips(np.random.default_rng([seed, at]), count, sources)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        _compile(model, epochs * count // _BATCH, loss)
        model.fit(clips[:, begin : begin + frames], states, batch_size=_BATCH, epochs=epochs, verbose=2)
    return save_model(_bare(model), _CLIP_CARD, Path(out), page=True)


def clip_sources(images: Sequence[str], textures: int, seed: int) -> list[NDArray[np.uint8]]:
    """What objects and backgrounds are cut from: bundled example images, and drawn textures."""
    photographs = [read_image(bundled("examples") / name).rgb for name in images]
    return photographs + [made_texture(np.random.default_rng([seed, at])) for at in range(textures)]


def _compile(model: Any, steps: int, losses: Any, loss_weights: Any = None) -> None:
    """AdamW; the learning rate rises over a tenth of the steps, then falls to 0 as a cosine."""
    from yolo_cli.framework import keras

    warm = max(steps // 10, 1)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - warm, 1), warmup_target=_RATE, warmup_steps=warm
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=_DECAY)
    model.compile(optimizer, loss=losses, loss_weights=loss_weights, jit_compile=False)


def _bare(model: Any) -> Any:
    """The same network without its optimizer, which is twice as large."""
    from yolo_cli.framework import keras

    return keras.Model(model.inputs, model.outputs, name=model.name)


_SMOOTHER_CARD = ModelCard(
    name="track-smoother",
    class_names=("object",),
    heads=(),
    input_size=(4, 64),
    resize="stretch",
    licence="Apache-2.0",
    origin="Trained by this project with yolo_cli.temporal.recipes.train_smoother (seed 0).",
    training_data="Tracks that yolo track makes of 250 made scenes (yolo_cli/temporal/scenes.py); no video.",
    figures=(
        "vtest.avi, 231 frames, a fifth of the boxes of each track removed, mean IoU over ten seeds: single "
        "boxes 0.940 (linear interpolation 0.938, Kalman smoother 0.895), stretches 0.795 (0.768, 0.787).",
    ),
    limits=(
        "Not a detector: its input is a track, float32 (batch, 4, steps, 7), see docs/time.md.",
        "It looks ahead by 31 frames, so it serves videos that are over.",
    ),
    detector="track-smoother",
)

_CLIP_CARD = ModelCard(
    name="clip-states",
    class_names=STATES,
    heads=(),
    input_size=(SIDE, SIDE),
    resize="stretch",
    licence="Apache-2.0",
    origin="Trained by this project with yolo_cli.temporal.recipes.train_clip_states (seed 0).",
    training_data="16,000 made clips (yolo_cli/temporal/clips.py) from examples/cat.jpg and coffee.jpg (CC0) "
    "and 40 drawn textures.",
    figures=(
        "Accuracy 0.913 on 1,500 made clips with objects and backgrounds from examples/astronaut.jpg and "
        "20 other textures, each seen in four forms (mirrored, backwards).",
    ),
    limits=(
        "Not a detector: its input is a clip, uint8 (batch, 8, 32, 32, 3), see docs/time.md.",
        "Trained on made clips only: of people who walk in vtest.avi it takes half for turning.",
    ),
    detector="clip-states",
)
