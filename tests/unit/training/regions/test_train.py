"""From a small data set to files that detect, for each region method."""

from __future__ import annotations

import re

import pytest

from tests.contract import assert_is_detector
from tests.made_sets import write_image, write_text, write_voc
from tests.unit.training.watchers import Noting
from yolo_cli.config import TrainConfig
from yolo_cli.datasets import open_dataset
from yolo_cli.detectors import load_detector
from yolo_cli.errors import DataError, UsageError
from yolo_cli.pipeline.evaluating import learnt_from
from yolo_cli.training import TrainJob, train
from yolo_cli.training.regions.recipes import METHODS
from yolo_cli.weights import read_card


def job(tmp_path, detector, **options):
    return TrainJob(str(tmp_path / "data"), tmp_path / "run", detector, config=TrainConfig(**options))


@pytest.mark.slow
@pytest.mark.parametrize("kind", METHODS)
def test_from_images_to_files_that_detect(kind, tmp_path):
    write_voc(tmp_path / "data")
    result = train(job(tmp_path, kind, epochs=1))
    data = open_dataset(tmp_path / "data").in_split("train")
    assert result.images == len(data)
    for engine, file in (("onnx", result.onnx), ("keras", result.keras)):
        detector = load_detector(str(file), engine=engine, device="cpu")
        assert detector.card.detector == kind
        assert detector.class_names == ("cat", "dog")
        assert_is_detector(detector, [sample.read() for sample in data.samples], cost=engine == "onnx")


def test_images_to_evaluate_on_are_held_out(tmp_path):
    """Of six images without splits one is not learnt from, and the card says which data it was."""
    for number in range(6):
        write_image(tmp_path / "data" / f"{number}.png", (64, 64), number)
        write_text(tmp_path / "data" / f"{number}.txt", "0 0.5 0.5 0.5 0.5\n")
    write_text(tmp_path / "data" / "data.yaml", "path: .\ntrain: .\nnames: [cat]\n")
    result = train(job(tmp_path, "conv-sliding-window", epochs=1))
    assert result.images == 5
    source = read_card(result.keras).source
    assert (source["learnt_from"], source["seed"]) == ("train", "0")
    learnt = learnt_from(read_card(result.keras), open_dataset(tmp_path / "data"))
    assert len(learnt) == 5


def test_what_cannot_be_trained(tmp_path):
    with pytest.raises(UsageError, match="detector ssd"):
        job(tmp_path, "ssd")
    with pytest.raises(UsageError, match="epochs"):
        job(tmp_path, "rcnn", epochs=0)
    with pytest.raises(UsageError, match="batch: only detector yolo"):
        job(tmp_path, "rcnn", batch=8)


def test_nothing_to_learn(tmp_path):
    write_voc(tmp_path / "data")
    for file in (tmp_path / "data" / "Annotations").iterdir():
        file.write_text(re.sub("<object>.*</object>", "", file.read_text(), flags=re.DOTALL))
    with pytest.raises(DataError, match="no image to train on has a box"):
        train(job(tmp_path, "rcnn"), Noting())
    assert not (tmp_path / "run").exists()
