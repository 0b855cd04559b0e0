"""What a run leaves out of a data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training_sets import write_shapes
from yolo_cli.datasets import open_dataset
from yolo_cli.training import TrainJob
from yolo_cli.training.dataset import open_data


@pytest.mark.parametrize("name", ["damaged.png", "12:30:05.png"])
def test_an_image_that_cannot_be_read_is_left_out_whatever_its_name(name: str, tmp_path: Path) -> None:
    root = write_shapes(tmp_path / "data")
    image = sorted((root / "images" / "train").iterdir())[0]
    label = root / "labels" / "train" / f"{image.stem}.txt"
    label.rename(label.with_name(Path(name).stem + ".txt"))
    image = image.rename(image.with_name(name))
    image.write_bytes(b"not an image")
    said: list[str] = []
    data = open_data(TrainJob(str(root), tmp_path / "run"), said.append)
    assert len(data) == len(open_dataset(root)) - 1
    assert all(sample.path.name != name for sample in data.samples)
    [line] = said
    assert line.startswith("left out 1 image of 12: ")
    assert name in line


def test_a_sound_data_set_is_used_whole_and_nothing_is_said(tmp_path: Path) -> None:
    root = write_shapes(tmp_path / "data")
    said: list[str] = []
    data = open_data(TrainJob(str(root), tmp_path / "run"), said.append)
    assert (len(data), said) == (12, [])
