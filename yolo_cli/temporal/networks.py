"""Two small networks over time, in Keras: a 1-D convolution over a track, a 3-D convolution over a clip."""

from __future__ import annotations

from typing import Any

from yolo_cli.framework import keras
from yolo_cli.temporal.clips import FRAMES, SIDE, STATES
from yolo_cli.temporal.sequences import CHANNELS

__all__ = ["clip_network", "track_network"]

_WIDTH = 32
_DILATIONS = (1, 2, 4, 8, 16)


def track_network() -> Any:
    """A 1-D convolution over tracks: (B, 4, T, 7) → corrections (B, 4, T, 1), and a score (B, 1).

    The kernels are 1 × 3: each of the four coordinates is a sequence of its own with the same weights, so
    that the network cannot learn which paths the made objects took. Each block looks at the steps t − d, t
    and t + d; d doubles from block to block, so that five see 63 steps (van den Oord et al., "WaveNet", 2016,
    but into the future, too). The score is a logit: above 0, the track is an object.
    """
    layers, ops = keras.layers, keras.ops
    given = keras.Input((4, None, CHANNELS), name="track")
    x = layers.Conv2D(_WIDTH, 1, name="stem")(given)
    for number, dilation in enumerate(_DILATIONS, start=1):
        over_time = {"padding": "same", "dilation_rate": (1, dilation), "activation": "relu"}
        seen = layers.Conv2D(_WIDTH, (1, 3), name=f"time_{number}", **over_time)(x)
        x = layers.Add(name=f"add_{number}")([x, layers.Conv2D(_WIDTH, 1, name=f"mix_{number}")(seen)])
    correction = layers.Conv2D(1, 1, kernel_initializer="zeros", name="correction")(x)
    inside = given[..., 3:4]
    evidence = layers.Conv2D(16, 1, activation="relu", name="evidence")(x) * inside
    mean = ops.sum(evidence, axis=(1, 2)) / ops.maximum(ops.sum(inside, axis=(1, 2)), 1.0)  # (B, 16)
    return keras.Model(given, [correction, layers.Dense(1, name="score")(mean)], name="track_smoother")


def clip_network(frames: int = FRAMES) -> Any:
    """A 3-D convolution over clips: uint8 (B, frames, 32, 32, 3) → a logit for each state, (B, 3).

    Kernels are 3 × 3 × 3, over time, height and width (Tran et al., "C3D", ICCV 2015). With one frame it is
    the 2-D network to compare with: kernels 1 × 3 × 3, and wider, so that it has as many weights.
    """
    layers = keras.layers
    reach, widths = (3, (12, 24, 32)) if frames > 1 else (1, (20, 40, 54))
    given = keras.Input((frames, SIDE, SIDE, 3), dtype="uint8", name="clip")
    x = layers.Rescaling(1 / 127.5, -1, name="scale")(keras.ops.cast(given, "float32"))
    for number, width in enumerate(widths, start=1):
        kernel, stride = (reach, 3, 3), (1 if number == 1 or frames == 1 else 2, 2, 2)
        conv = layers.Conv3D(width, kernel, stride, padding="same", use_bias=False, name=f"conv_{number}")
        x = layers.BatchNormalization(name=f"norm_{number}")(conv(x))
        x = layers.ReLU(name=f"relu_{number}")(x)
    over_time = layers.Flatten(name="places")(keras.ops.mean(x, axis=1))  # where it changes counts, not when
    return keras.Model(given, layers.Dense(len(STATES), name="states")(over_time), name="clip_states")
