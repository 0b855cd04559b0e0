"""A copy of a model with another card: same network, in both files, without a framework."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from yolo_cli.config import DetectConfig, bundled
from yolo_cli.detectors import load_detector
from yolo_cli.errors import DataError
from yolo_cli.images import read_image
from yolo_cli.weights import ModelCard, ModelFiles, check_pair, find_model, read_card
from yolo_cli.weights.copy import copy_model
from yolo_cli.weights.store import CARD_MEMBER, list_models

KNOTS = ((0.0, 0.2, 1.0), (0.0, 0.6, 0.8))  # 0.1 becomes 0.3, 0.6 becomes 0.7


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    files = find_model("yolov4-tiny-coco")
    card = replace(read_card(files.first), name="mine", calibration=KNOTS)
    return copy_model(files, card, tmp_path_factory.mktemp("models") / "mine")


def test_both_files_carry_the_new_card_and_belong_together(copied: ModelFiles) -> None:
    assert copied.keras is not None
    assert copied.onnx is not None
    check_pair(copied)
    for card in (read_card(copied.keras), read_card(copied.onnx)):
        assert (card.name, card.calibration) == ("mine", KNOTS)


def test_all_else_in_the_keras_file_is_as_it_was(copied: ModelFiles) -> None:
    original = find_model("yolov4-tiny-coco").keras
    assert copied.keras is not None
    assert original is not None
    with zipfile.ZipFile(copied.keras) as ours, zipfile.ZipFile(original) as theirs:
        assert sorted(ours.namelist()) == sorted(theirs.namelist())
        for name in set(ours.namelist()) - {CARD_MEMBER}:
            assert ours.read(name) == theirs.read(name)


def test_it_needs_no_framework(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from yolo_cli.weights import *\n"
        "from yolo_cli.weights.copy import copy_model\n"
        "files = find_model('yolov4-tiny-coco')\n"
        f"copy_model(files, read_card(files.keras), Path({str(tmp_path / 'copy')!r}))\n"
        "assert not {'tensorflow', 'keras', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_detections_get_the_confidence_of_the_map(copied: ModelFiles) -> None:
    """The same boxes in the same order; the threshold counts after the map."""
    image = read_image(bundled("examples") / "cat.jpg")
    config = DetectConfig(conf=0.002)
    [before] = load_detector("yolov4-tiny-coco", config=config).detect([image])
    [after] = load_detector(str(copied.onnx), config=config).detect([image])
    assert len(before) > 3
    # 0.002 after the map is 0.002 / 3 before it, so a few more boxes come, below the others.
    np.testing.assert_allclose(after.xyxy[: len(before)], before.xyxy, atol=1e-3)
    expected = np.interp(before.confidence, *KNOTS)
    np.testing.assert_allclose(after.confidence[: len(before)], expected, rtol=1e-5)
    strict = DetectConfig(conf=float(np.median(after.confidence)))
    [few] = load_detector(str(copied.onnx), config=strict).detect([image])
    assert len(few) == int((after.confidence > strict.conf).sum())


def test_a_card_without_calibration_reads_as_before() -> None:
    card = read_card(list_models()[-1].first)
    text = card.to_json().replace(', "calibration": null', "")
    assert "calibration" not in text
    assert ModelCard.from_json(text, "here") == card


@pytest.mark.parametrize(
    "knots",
    ["[[0, 1], [0.5]]", "[[0, 0], [0, 1]]", "[[0, 1], [0.9, 0.1]]", "[[0, 1], [0, 2]]", "[1, 2]", "7"],
)
def test_a_broken_calibration_is_one_line(knots: str) -> None:
    card = read_card(list_models()[-1].first)
    text = card.to_json().replace('"calibration": null', f'"calibration": {knots}')
    with pytest.raises(DataError, match="here: its model card cannot be read"):
        ModelCard.from_json(text, "here")


def test_a_broken_model_is_one_line(tmp_path: Path) -> None:
    card = read_card(list_models()[-1].first)
    for name, kind in (("a.keras", "Keras"), ("a.onnx", "ONNX")):
        path = tmp_path / name
        path.write_bytes(b"nothing")
        files = ModelFiles("a", path if kind == "Keras" else None, path if kind == "ONNX" else None)
        with pytest.raises(DataError, match=f"{name}: is not an? {kind} model"):
            copy_model(files, card, tmp_path / "b")
        assert not list(tmp_path.glob("*b.*"))
