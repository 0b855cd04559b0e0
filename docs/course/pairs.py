"""Triplet loss and binary classification on made characters; the same or not, of ones never seen.

    python docs/course/pairs.py

A character is a few random strokes, and a drawing of it a warped and shifted copy. The same small network
learns 60 of them by each loss, in equal numbers of steps, and is asked about pairs of drawings of 30 others.
"""

from __future__ import annotations

import cv2
import numpy as np
from figures import figures

from yolo_cli.evaluation.verification import pair_scores, verification
from yolo_cli.framework import keras, ops
from yolo_cli.model.embedding import build_embedding
from yolo_cli.training.embedding.losses import LOSSES

SIDE, LEARNT, ASKED, DRAWINGS = 28, 60, 30, 8
IDENTITIES, PHOTOS, STEPS = 16, 4, 100  # in a batch, and of each; steps of training
METRICS = {"triplet": "cosine", "siamese": "logistic"}


def character(rng: np.random.Generator) -> np.ndarray:
    """The strokes of one, (3, 4, 2) in pixels."""
    return rng.uniform(5, SIDE - 5, (3, 4, 2))


def drawing(strokes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One drawing of it, uint8 (SIDE, SIDE, 3)."""
    turn, middle = rng.uniform(-0.25, 0.25), SIDE / 2
    warp = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    warp = warp * rng.uniform(0.8, 1.2, 2) + rng.uniform(-0.15, 0.15, (2, 2)) * (1 - np.eye(2))
    places = (strokes - middle) @ warp + middle + rng.normal(0, 0.7, strokes.shape) + rng.uniform(-2, 2, 2)
    image = np.full((SIDE, SIDE), 255, np.uint8)
    for stroke in np.rint(places * 16).astype(np.int32):
        cv2.polylines(image, [stroke], False, 0, 2, cv2.LINE_AA, 4)
    return np.repeat(image[..., None], 3, axis=2)


def drawings(count: int, seed: int) -> np.ndarray:
    """Of so many characters, (count, DRAWINGS, SIDE, SIDE, 3)."""
    rng = np.random.default_rng(seed)
    strokes = [character(rng) for _ in range(count)]
    return np.stack([[drawing(one, rng) for _ in range(DRAWINGS)] for one in strokes])


def trained(loss: str, steps: int = STEPS) -> keras.Model:
    """The embedding network after some steps of one of the losses."""
    keras.utils.set_random_seed(0)
    model = build_embedding((SIDE, SIDE), loss)
    model.compile(keras.optimizers.Adam(0.001), LOSSES[loss], jit_compile=False)
    seen, rng = drawings(LEARNT, 0), np.random.default_rng(1)
    identity = np.repeat(np.arange(IDENTITIES), PHOTOS)
    for _ in range(steps):
        chosen = rng.permutation(LEARNT)[:IDENTITIES].repeat(PHOTOS)
        shown = np.concatenate([rng.permutation(DRAWINGS)[:PHOTOS] for _ in range(IDENTITIES)])
        model.train_on_batch(seen[chosen, shown], identity)
    return model


def scores(model: keras.Model, loss: str) -> tuple[np.ndarray, np.ndarray]:
    """Of all pairs of drawings of one new character, and of two."""
    asked = drawings(ASKED, 2).reshape(-1, SIDE, SIDE, 3)
    embeddings = ops.convert_to_numpy(model(asked, training=False))
    return pair_scores(METRICS[loss], embeddings, np.repeat(np.arange(ASKED), DRAWINGS))


def main() -> None:
    """Train both, print the error rates, and draw the scores."""
    found = {}
    for loss in LOSSES:
        for steps in (0, STEPS):
            found[loss, steps] = scores(trained(loss, steps), loss)
            rate = verification(*found[loss, steps]).eer
            print(f"{loss}, {steps} steps: equal error rate {rate:.1%}")
    titles = {
        "triplet": "triplet loss: cosine of two vectors",
        "siamese": "binary classification: probability",
    }
    for axes in figures("pairs", (8.4, 2.8), panels=2):
        for panel, loss in zip(axes, LOSSES, strict=True):
            same, different = found[loss, STEPS]
            bins = np.linspace(min(same.min(), different.min()), 1, 40)
            panel.hist(different, bins, density=True, alpha=0.6, color="C1", label="two characters")
            panel.hist(same, bins, density=True, alpha=0.6, color="C0", label="one character")
            panel.set_title(titles[loss], fontsize=9)
            panel.set(xlabel="score", yticks=[])
        axes[0].legend(fontsize=8)


if __name__ == "__main__":
    main()
