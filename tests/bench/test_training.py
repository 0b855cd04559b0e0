"""How fast training is, against plain float32 and against its own data pipeline; prints, never fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.shared import SHARED, needs_shared
from yolo_cli.config import TrainConfig
from yolo_cli.training import TrainJob


@pytest.mark.bench
@needs_shared("data", "fridge")
def test_speed_at_320_pixels(tmp_path: Path) -> None:
    from yolo_cli.training.network import choose_precision
    from yolo_cli.training.prepare import open_data, prepare

    config = TrainConfig(imgsz=(320, 320), batch=16)
    job = TrainJob(str(SHARED / "data" / "fridge"), tmp_path, config=config)
    precision = choose_precision("auto", gpu=False)
    parts = prepare(job, open_data(job, print), precision, print)
    maker = parts.maker
    for number in range(maker.steps):  # pictures are read once, then kept
        maker.make(0, number, False)
    batch = maker.make(0, 0, False)
    data = 16 / seconds(lambda: maker.make(0, 1, False), 12)
    plain, ours = (16 / seconds(step(parts, kind, batch), 6) for kind in ("float32", precision))
    print(f"\nplain float32 {plain:.1f} pictures a second, {precision} {ours:.1f}: {ours / plain:.2f} times")
    print(f"data pipeline alone, one thread: {data:.1f} pictures a second, {data / ours:.1f} times as fast")


def step(parts: Any, precision: str, batch: Any) -> Callable[[], Any]:
    """One step of training, compiled."""
    from yolo_cli.loss import YoloLoss
    from yolo_cli.training.network import LearningModel, with_precision
    from yolo_cli.training.run import make_optimizer

    twin = with_precision(parts.plain, precision)
    model = LearningModel(twin.input, twin.outputs, yolo_loss=YoloLoss(parts.card.heads))
    model.compile(optimizer=make_optimizer(TrainConfig(), 100), jit_compile=False)
    model.train_on_batch(*batch)
    return lambda: model.train_on_batch(*batch)


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """The best of some rounds: what the machine can do when nobody disturbs it."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
