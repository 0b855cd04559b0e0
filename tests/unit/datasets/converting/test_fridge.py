"""Real photographs in each form and back, in time, and training from each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.shared import SHARED, needs_shared
from tests.there_and_back import same_boxes
from tests.training_sets import TINY_CFG
from yolo_cli import convert, train
from yolo_cli.datasets import open_dataset
from yolo_cli.datasets.writing import FORMS

OPTIONS = {"epochs": 2, "batch": 16, "learning_rate": 0.001, "workers": 1, "device": "cpu", "seed": 1}
FRIDGE = SHARED / "data" / "fridge"


@pytest.fixture(scope="module", params=FORMS)
def converted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Fridge in the form, and back in YOLO form; each conversion takes less than a second of one core."""
    folder = tmp_path_factory.mktemp(request.param)
    convert(FRIDGE, request.param, folder / "there")
    convert(folder / "there", "yolo", folder / "back")
    return folder / "there", folder / "back"


@needs_shared("data", "fridge")
def test_the_same_images_classes_and_boxes(converted: tuple[Path, Path]) -> None:
    there, back = (open_dataset(folder) for folder in converted)
    original = open_dataset(FRIDGE)
    same_boxes(original, there)
    same_boxes(original, back)
    for first, second in zip(original.samples, back.samples, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes()
        rows = [np.loadtxt(data.root / s.label, ndmin=2) for data, s in ((original, first), (back, second))]
        # The numbers are chosen so that the edges are equal, which can cost the last bit of a centre.
        np.testing.assert_allclose(*rows, rtol=1e-14)


def weights(data: Path, folder: Path) -> list[np.ndarray]:
    """The weights after two epochs of a tiny network."""
    from keras.saving import load_model

    folder.mkdir(exist_ok=True)
    cfg = folder / "tiny.cfg"
    cfg.write_text(TINY_CFG.replace("filters=14", "filters=18").replace("classes=2", "classes=4"))
    result = train(data, model=str(cfg), **OPTIONS, out=folder / "run")
    return load_model(result.keras, compile=False).get_weights()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    return weights(FRIDGE, tmp_path_factory.mktemp("trained"))


@pytest.mark.slow
@needs_shared("data", "fridge")
def test_training_from_it_is_bit_equal(
    converted: tuple[Path, Path], trained: list[np.ndarray], tmp_path: Path
) -> None:
    again = weights(converted[0], tmp_path)
    assert len(again) == len(trained)
    for first, second in zip(trained, again, strict=True):
        np.testing.assert_array_equal(first, second)
