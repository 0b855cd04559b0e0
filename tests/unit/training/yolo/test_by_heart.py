"""Eight images are learnt by heart, from scratch, by every kind of network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_sets import write_text
from tests.training_sets import write_shapes, write_tiny_cfg
from tests.unit.training.watchers import Noting
from tests.unit.training.yolo.test_data import STILL
from yolo_cli.config import TrainConfig
from yolo_cli.training import TrainJob


@pytest.mark.slow
@pytest.mark.parametrize("start", ["cfg", "efficientnet-lite0", "MobileNetV2"])
def test_eight_images(start: str, tmp_path: Path) -> None:
    from yolo_cli.training import train

    data = write_shapes(tmp_path / "data", train=8, val=0)
    write_text(data / "data.yaml", "train: images/train\nval: images/train\nnames: [square, disc]\n")
    what = {"model": str(write_tiny_cfg(tmp_path))} if start == "cfg" else {"backbone": start}
    # With a stride of 32, batch statistics of smaller images are those of too few cells.
    batch, side = (4, 64) if start == "cfg" else (8, 128)
    config = TrainConfig(
        epochs=150, batch=batch, imgsz=(side, side), learning_rate=3e-3, precision="float32", ema=0.02
    )
    job = TrainJob(str(data), tmp_path / "run", config=config, augment=STILL, **what)
    assert train(job, Noting()).report.map50 >= 0.99
