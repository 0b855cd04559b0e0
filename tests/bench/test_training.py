"""How fast training is, against plain float32 and against its own data pipeline; prints, never fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from tests.shared import SHARED, needs_shared
from yolo_cli.config import TrainConfig
from yolo_cli.training import TrainJob

BATCH, STEPS, EPOCHS = 16, 6, 4


@pytest.mark.bench
@needs_shared("data", "fridge")
def test_speed_at_320_pixels(tmp_path: Path) -> None:
    """`model.fit` as `yolo train` does it, against plain Keras in float32 on one batch that never changes."""
    from yolo_cli.training.dataset import open_data
    from yolo_cli.training.yolo.feed import THREADS, ahead
    from yolo_cli.training.yolo.network import choose_precision, with_precision
    from yolo_cli.training.yolo.prepare import prepare, split_data

    config = TrainConfig(imgsz=(320, 320), batch=BATCH)
    job = TrainJob(str(SHARED / "data" / "fridge"), tmp_path, config=config)
    precision = choose_precision("auto", gpu=False)
    parts = prepare(job, split_data(job, open_data(job, print)), precision, print)
    maker = parts.maker

    def made(number: int) -> Any:
        return maker.make(*divmod(number, maker.steps), False)

    for number in range(maker.steps):  # images are read once, then kept
        made(number)
    data = BATCH / seconds(lambda: made(1), 12)
    same = made(0)
    plain = fitted(parts, parts.plain, (batch for batch in repeat(same)))
    ours = fitted(parts, with_precision(parts.plain, precision), ahead(made, THREADS))
    print(f"\nplain float32 {plain:.1f} images a second, {precision} {ours:.1f}: {ours / plain:.2f} times")
    print(f"data pipeline alone, one thread: {data:.1f} images a second, {data / ours:.1f} times as fast")


def fitted(parts: Any, network: Any, batches: Any) -> float:
    """Images a second in the best of some epochs."""
    import keras

    from yolo_cli.loss import YoloLoss
    from yolo_cli.training.yolo.network import LearningModel
    from yolo_cli.training.yolo.optimizer import make_optimizer

    model = LearningModel(network.input, network.outputs, yolo_loss=YoloLoss(parts.card.heads))
    model.compile(optimizer=make_optimizer(TrainConfig(), 1e-3, 100), jit_compile=False)
    begun, ended = [], []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: begun.append(time.perf_counter()),
        on_epoch_end=lambda *_: ended.append(time.perf_counter()),
    )
    model.fit(batches, steps_per_epoch=STEPS, epochs=EPOCHS, verbose=0, shuffle=False, callbacks=[clock])
    return BATCH * STEPS / min(end - begin for begin, end in zip(begun[1:], ended[1:], strict=True))


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """The best of some rounds: what the machine can do when nobody disturbs it."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
