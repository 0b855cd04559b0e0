"""Semantic segmentation: a small U-Net (Ronneberger et al., 2015), with and without its shortcuts.

    python docs/course/segmentation.py OUT.png

Each pixel gets a class, thing or background. Convolutions of stride 2 make the map coarser and deeper, and
transposed convolutions make it finer again; what is copied across from the way down says where edges are.
Both networks have equal numbers of weights and see the same made images: ellipses over lines and noise.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

from yolo_cli.framework import keras

SIDE, FILTERS, BATCH, STEPS, TESTED = 48, (8, 16, 32, 32), 16, 400, 200
SHOWN, SCALE, LEFT, BELOW = 7, 2, 150, 22  # images; of a pixel; pixels for the names of rows, and for IoUs


def images(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, SIDE, SIDE, 3), and which pixels are of an ellipse (count, SIDE, SIDE, 1), 0 to 1."""
    numbers = np.random.default_rng(seed)
    made = [one_image(numbers) for _ in range(count)]
    return np.stack([image for image, _ in made]), np.stack([mask for _, mask in made])


def one_image(numbers: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One image (SIDE, SIDE, 3) and its mask (SIDE, SIDE, 1); lines and ellipses have the same colours."""
    image = np.full((SIDE, SIDE, 3), numbers.uniform(0.2, 0.8, 3))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(8):
        start, end = numbers.integers(0, SIDE, (2, 2)).tolist()
        cv2.line(image, start, end, numbers.uniform(0, 1, 3).tolist(), int(numbers.integers(1, 4)))
    for _ in range(numbers.integers(1, 4)):
        centre, axes = numbers.integers(6, SIDE - 6, 2).tolist(), numbers.integers(4, 12, 2).tolist()
        colour, angle = numbers.uniform(0, 1, 3).tolist(), float(numbers.integers(180))
        cv2.ellipse(image, centre, axes, angle, 0, 360, colour, -1)
        cv2.ellipse(mask, centre, axes, angle, 0, 360, 1, -1)
    noisy = np.clip(image + numbers.normal(0, 0.08, image.shape), 0, 1)
    return noisy.astype(np.float32), mask[..., None].astype(np.float32)


def network(shortcuts: bool) -> keras.Model:
    """Down by strides, up by transposed convolutions; without ``shortcuts`` zeros are copied across."""
    image = keras.Input((SIDE, SIDE, 3))
    x, across = image, []
    for filters in FILTERS:
        x = convolution(x, filters)
        across.append(x)
        x = convolution(x, filters, 2)
    x = convolution(x, 2 * FILTERS[-1])
    for filters in reversed(FILTERS):
        x = keras.layers.Conv2DTranspose(filters, 2, strides=2, activation="relu")(x)
        x = keras.layers.Concatenate()([x, across.pop() * float(shortcuts)])
        x = convolution(x, filters)
    return keras.Model(image, keras.layers.Conv2D(1, 1)(x))


def convolution(x: object, filters: int, stride: int = 1) -> object:
    """A convolution of 3 x 3 with batch normalisation and ReLU."""
    x = keras.layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


def trained(shortcuts: bool, steps: int = STEPS) -> keras.Model:
    """A network after some steps, from the same seed."""
    keras.utils.set_random_seed(0)
    model = network(shortcuts)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), loss, jit_compile=False)
    for step in range(steps):
        model.train_on_batch(*images(BATCH, step))
    return model


def overlaps(found: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The intersection over union of two masks of each image (N, H, W, 1): (N,)."""
    both = np.logical_and(found, mask).sum((1, 2, 3))
    return np.asarray(both / np.logical_or(found, mask).sum((1, 2, 3)))


def main(out: str, steps: int = STEPS) -> dict[str, float]:
    """Train both, print the mean IoU of their masks on images not seen, and draw some."""
    seen, mask = images(TESTED, 10**6)
    rows, ious = {"image": seen, "mask": mask}, {}
    for shortcuts, name in ((False, "without shortcuts"), (True, "U-Net")):
        rows[name] = trained(shortcuts, steps).predict(seen, verbose=0) > 0
        ious[name] = overlaps(rows[name], mask > 0)
        print(f"{name}: mean IoU of the masks {ious[name].mean():.3f}")
    gain = ious["U-Net"] - ious["without shortcuts"]
    print(f"the U-Net's mask is the better one on {(gain > 0).sum()} of {TESTED} images")
    order = np.argsort(gain)[np.linspace(0, TESTED - 1, SHOWN).round().astype(int)]
    cv2.imwrite(out, np.concatenate([row(name, each[order], order, ious) for name, each in rows.items()]))
    return {name: float(each.mean()) for name, each in ious.items()}


def row(name: str, tiles: np.ndarray, numbers: np.ndarray, ious: dict[str, np.ndarray]) -> np.ndarray:
    """Tiles (N, H, W, 1 or 3), with the name at the left and their IoU below them, (h, w, 3), BGR."""
    tiles = np.broadcast_to(tiles, (*tiles.shape[:3], 3))[..., ::-1]
    large = np.repeat(np.repeat(np.round(255 * tiles).astype(np.uint8), SCALE, 1), SCALE, 2)
    below = BELOW if name in ious else 2
    framed = np.pad(large, ((0, 0), (0, below), (0, 4), (0, 0)), constant_values=48)
    drawn = np.pad(np.concatenate(framed, axis=1), ((0, 0), (LEFT, 0), (0, 0)), constant_values=48)
    write(drawn, name, (6, SCALE * SIDE // 2))
    for place, number in enumerate(numbers if name in ious else ()):
        write(
            drawn, f"IoU {ious[name][number]:.2f}", (LEFT + place * framed.shape[2] + 16, SCALE * SIDE + 15)
        )
    return drawn


def write(canvas: np.ndarray, text: str, place: tuple[int, int]) -> None:
    """Write a line into an image, in place."""
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1, cv2.LINE_AA)


if __name__ == "__main__":
    main(sys.argv[1])
