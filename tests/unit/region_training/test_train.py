"""From a small data set to files that detect, for each region detector."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract import assert_is_detector
from tests.made_sets import write_voc
from yolo_cli.datasets import open_dataset
from yolo_cli.detectors import load_detector
from yolo_cli.errors import DataError, UsageError
from yolo_cli.region_training import REGION_DETECTORS, RegionRecipe, train_regions


@pytest.mark.slow
@pytest.mark.parametrize("kind", REGION_DETECTORS)
def test_from_images_to_files_that_detect(kind, tmp_path):
    write_voc(tmp_path / "data")
    data = open_dataset(tmp_path / "data").in_split("train")
    recipe = RegionRecipe(kind, epochs=1)
    files = train_regions(data, tmp_path / "mine", recipe)
    assert files.keras is not None
    assert files.onnx is not None
    for engine in ("onnx", "keras"):
        detector = load_detector(str(tmp_path / f"mine.{engine}"), engine=engine, device="cpu")
        assert detector.card.detector == kind
        assert detector.class_names == ("cat", "dog")
        assert_is_detector(detector, [sample.read() for sample in data.samples])


def test_what_cannot_be_trained(tmp_path):
    with pytest.raises(UsageError, match="--detector ssd"):
        RegionRecipe("ssd")
    with pytest.raises(UsageError, match="--epochs"):
        RegionRecipe("rcnn", epochs=0)


def test_nothing_to_learn(tmp_path):
    write_voc(tmp_path / "data")
    data = open_dataset(tmp_path / "data").in_split("train")
    empty = [sample for sample in data.samples if not len(sample.labels)]
    with pytest.raises(DataError, match="nothing to learn"):
        train_regions(replace(data, samples=tuple(empty)), tmp_path / "mine", RegionRecipe("rcnn"))
