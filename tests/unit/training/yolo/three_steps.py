"""Three steps of training on whatever backend ``KERAS_BACKEND`` names; prints the losses as JSON.

A script of its own, as a process has one backend. With ``devices`` as argument, over two virtual ones; with
``settings``, each step with other settings. With ``gfl``, with heads of that kind.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from typing import Any

import numpy as np


def data() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """One batch of four images of 64 × 64 pixels with two boxes each."""
    from yolo_cli.codec import encode

    rng = np.random.default_rng(0)
    rows = []
    for _ in range(4):
        low = rng.uniform(0, 40, (2, 2))
        xyxy = np.concatenate([low, low + rng.uniform(8, 24, (2, 2))], axis=1).astype(np.float32)
        objects = {"ground_truths": xyxy, "ignored": np.zeros(2, np.float32)}
        if HEADS[0].kind == "gfl":
            rows.append(objects | {"class_id": np.array([0, 1], np.int32)})
            continue
        t = encode(xyxy, np.array([0, 1]), HEADS, [(4, 4)])
        fill = 12 - len(t)
        rows.append({
            "taken": np.isin(np.arange(32), t.slot).astype(np.uint8),
            "slot": np.pad(t.slot.astype(np.int32), (0, fill)),
            "cxcywh": np.pad(t.cxcywh, ((0, fill), (0, 0)), constant_values=1),
            "class_id": np.pad(t.class_id.astype(np.int32), (0, fill)),
            "positive": np.pad(np.ones(len(t), np.float32), (0, fill)),
        } | objects)  # fmt: skip
    images = rng.integers(0, 256, (4, 64, 64, 3)).astype(np.uint8)
    return images, {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def network():
    """Three convolutions whose values every backend draws alike: NumPy draws them."""
    import keras

    from yolo_cli.gfl_loss import GflLoss
    from yolo_cli.loss import YoloLoss
    from yolo_cli.training.yolo.network import LearningModel, with_precision
    from yolo_cli.training.yolo.normalisation import Momentum

    x = image = keras.Input((64, 64, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(x)
    for filters, stride in ((8, 4), (16, 4)):
        x = keras.layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
        x = keras.layers.LeakyReLU(0.1)(keras.layers.BatchNormalization()(x))
    head = keras.layers.Conv2D(HEADS[0].channels, 1)(x)
    loss = GflLoss if HEADS[0].kind == "gfl" else YoloLoss
    changing = Momentum(0.97) if "settings" in sys.argv else None
    twin = with_precision(keras.Model(image, head), "float32", changing=changing)
    model = LearningModel(twin.input, twin.outputs, yolo_loss=loss(HEADS), momentum=changing)
    rng = np.random.default_rng(1)
    model.set_weights([w if w.ndim < 4 else rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
    return model


def devices() -> Any:
    """Two virtual devices that split each batch."""
    import keras

    if keras.backend.backend() == "jax":
        assert len(keras.distribution.list_devices()) == 2
        keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
        return nullcontext()
    import tensorflow as tf

    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    return strategy.scope()


def settings_of(step: int) -> dict[str, float]:
    """Other settings for each step."""
    from yolo_cli.training.yolo.network import AVERAGING, RATE, STATISTICS

    return {RATE: 1e-3 * (step + 1), AVERAGING: (0.5, 0.6, 0.7)[step], STATISTICS: (0.5, 0.9, 0.6)[step]}


def fit(model: Any) -> list[float]:
    """The losses of three epochs of one step each."""
    import keras

    from yolo_cli.training.yolo.network import with_settings

    batch, callbacks = data(), []
    batches = (batch for _ in range(9))
    if "settings" in sys.argv and keras.backend.backend() == "jax":
        batches = with_settings((batch for _ in range(3)), settings_of, 0)
    elif "settings" in sys.argv:
        callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=lambda n, _: model.use(settings_of(n)))]
    options = {"steps_per_epoch": 1, "epochs": 3, "verbose": 0, "shuffle": False}
    return model.fit(batches, callbacks=callbacks, **options).history["loss"]


def main() -> None:
    """Train and print."""
    import keras

    from yolo_cli.config import TrainConfig
    from yolo_cli.training.yolo.optimizer import make_optimizer

    with devices() if "devices" in sys.argv else nullcontext():
        model = network()
        jit = keras.backend.backend() == "jax"
        model.compile(optimizer=make_optimizer(TrainConfig(), 1e-3, 3), jit_compile=jit)
    losses = fit(model)
    values = [*model.non_trainable_variables, *model.optimizer._model_variables_moving_average]
    sums = [float(np.abs(keras.ops.convert_to_numpy(each)).sum()) for each in values]
    print(json.dumps({"losses": losses, "sums": sums}))


if __name__ == "__main__":
    from yolo_cli.codec import Head

    HEADS = (Head("yolo", ((16.0, 16.0), (24.0, 20.0)), 16, 2, 2.0),)
    if "gfl" in sys.argv:
        HEADS = (Head("gfl", (), 16, 2, bins=8),)
    main()
