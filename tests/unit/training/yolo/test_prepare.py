"""What is chosen before training begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.made_sets import write_text
from tests.shared import ROOT
from tests.training_sets import write_shapes, write_tiny_cfg
from yolo_cli.config import TrainConfig
from yolo_cli.errors import UsageError
from yolo_cli.training import TrainJob
from yolo_cli.training.dataset import open_data

BOXES = {"cat": (0, 0.49, 0.5, 0.92, 0.99), "coffee": (1, 0.48, 0.38, 0.41, 0.69)}


def write_examples(root: Path, names: str, splits: Sequence[str] = ("train", "val")) -> Path:
    """The cat and the cup that come along, in each split, under these class names."""
    for split in splits:
        for name, row in BOXES.items():
            image = root / "images" / split / f"{split}_{name}.jpg"
            image.parent.mkdir(parents=True, exist_ok=True)
            image.symlink_to(ROOT / "examples" / f"{name}.jpg")
            write_text(root / "labels" / split / f"{split}_{name}.txt", " ".join(map(str, row)) + "\n")
    folders = "".join(f"{split}: images/{split}\n" for split in splits)
    write_text(root / "data.yaml", f"{folders}names: {names}\n")
    return root


@pytest.mark.parametrize(
    ("names", "asked", "rate"),
    [
        ("[cat, cup]", None, 2e-4),  # the bundled model finds both: mAP50 1.0
        ("[cat, mug]", None, 2e-4),  # it finds one class of two: mAP50 0.5
        ("[animal, mug]", None, 1e-3),
        ("[cup, cat]", None, 1e-3),  # it knows these names, but not these objects under them
        ("[cat, cup]", 0.01, 0.01),
    ],
)
def test_what_a_model_knows_is_not_spoilt_by_large_steps(
    tmp_path: Path, names: str, asked: float | None, rate: float
) -> None:
    from yolo_cli.training.yolo.prepare import prepare, split_data

    config = TrainConfig(learning_rate=asked, imgsz=(320, 320))
    job = TrainJob(str(write_examples(tmp_path / "data", names)), tmp_path / "run", config=config)
    said: list[str] = []
    parts = prepare(job, split_data(job, open_data(job, said.append)), "float32", said.append)
    assert parts.schedule.rate == pytest.approx(rate)
    probed = any("before training" in line for line in said)
    assert probed == (asked is None and names != "[animal, mug]")


@pytest.mark.parametrize(
    ("asked", "devices", "batch"),
    [(None, 1, 8), (None, 3, 6), (None, 16, 16), (6, 3, 6), (8, 3, "batch 8: must be a multiple of the 3")],
)
def test_all_devices_get_as_many_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: int | None, devices: int, batch: int | str
) -> None:
    from yolo_cli.training.yolo import prepare as module

    monkeypatch.setattr(module, "sharing", lambda *_: devices)
    root = write_examples(tmp_path / "data", "[animal, mug]")
    job = TrainJob(str(root), tmp_path / "run", config=TrainConfig(batch=asked, imgsz=(64, 64)))
    data = module.split_data(job, open_data(job, print))
    if isinstance(batch, str):
        with pytest.raises(UsageError, match=batch):
            module.prepare(job, data, "float32", print)
    else:
        assert module.prepare(job, data, "float32", print).maker.batch == batch


@pytest.mark.parametrize(
    ("asked", "side", "epochs"),
    [
        (None, 64, 300),
        (None, 1024, 160),  # 300 × √(300,000 / 1024²) = 160.5
        (7, 1024, 7),
    ],
)
def test_a_large_input_has_fewer_epochs(tmp_path: Path, asked: int | None, side: int, epochs: int) -> None:
    from yolo_cli.training.yolo.prepare import prepare, split_data

    config = TrainConfig(epochs=asked, imgsz=(side, side))
    job = TrainJob(str(write_examples(tmp_path / "data", "[animal, mug]")), tmp_path / "run", config=config)
    assert prepare(job, split_data(job, open_data(job, print)), "float32", print).schedule.epochs == epochs


def test_who_learns_from_tiny_objects_is_told_of_tiles(tmp_path: Path) -> None:
    from yolo_cli.training.yolo.prepare import prepare, split_data

    # Shapes of 12 to 27 pixels in images of 64 × 64, at half that size.
    data, cfg = write_shapes(tmp_path / "data", train=24), write_tiny_cfg(tmp_path)
    config, said = TrainConfig(imgsz=(32, 32)), list[str]()
    job = TrainJob(str(data), tmp_path / "run", model=str(cfg), config=config)
    prepare(job, split_data(job, open_data(job, said.append)), "float32", said.append)
    assert any("yolo convert --tile" in line for line in said)
