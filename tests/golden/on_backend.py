"""What `test_backends` has another interpreter do, with ``KERAS_BACKEND`` set.

    python -m tests.golden.on_backend OUT.npz FOLDER [IMAGE MODEL.keras]…

It writes the losses of three steps of training a network with every kind of layer, and the raw heads of
each model for its image.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tests.networks import every_layer, random_values

Arrays = dict[str, np.ndarray]


def losses(folder: Path) -> list[float]:
    """Of three steps of gradient descent: every layer must pass gradients back as the others do."""
    import keras

    from yolo_cli.model import build_model

    network = every_layer(folder)
    model = build_model(network, random_values(network))
    model.compile(keras.optimizers.SGD(0.05), "mean_squared_error", jit_compile=False)
    numbers = np.random.default_rng(1)
    pixels = numbers.integers(0, 256, (4, 32, 32, 3), np.uint8)
    wanted = numbers.normal(size=(4, 8, 8, 14)).astype(np.float32)
    return [float(model.train_on_batch(pixels, [wanted])) for _ in range(3)]


def heads(pairs: list[str]) -> Arrays:
    """Raw heads by ``MODEL/number``."""
    from yolo_cli.engines import KerasEngine
    from yolo_cli.images import read_image

    found = {}
    for image, model in zip(pairs[::2], pairs[1::2], strict=True):
        raw_heads = KerasEngine(Path(model)).run(read_image(image).rgb[None])
        found.update({f"{Path(model).stem}/{k}": raw for k, raw in enumerate(raw_heads)})
    return found


if __name__ == "__main__":
    out, folder, *rest = sys.argv[1:]
    np.savez(out, losses=losses(Path(folder)), **heads(rest))
