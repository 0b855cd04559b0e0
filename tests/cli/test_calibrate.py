"""`yolo calibrate`: a copy of the bundled model whose confidences mean more."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.made_sets import write_image, write_text, write_yolo
from tests.shared import SHARED, needs_shared
from yolo_cli.cli import main
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors.protocol import Times
from yolo_cli.weights import ModelCard, find_model, read_card


def yolo(*words):
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="yolo")


@dataclass(frozen=True)
class Fake:
    """Ten boxes on every image, each as confident as its place in the row says: 0.1, 0.19, … 0.91."""

    card: ModelCard
    config: DetectConfig = field(default_factory=DetectConfig)
    input_size: tuple[int, int] = (32, 32)

    @property
    def class_names(self):
        return self.card.class_names

    def detect_timed(self, images):
        left = np.arange(10, dtype=np.float32)[:, None] * 32
        boxes = left * [1, 0, 1, 0] + np.float32([0, 0, 32, 32])
        cat = self.class_names.index("cat")
        confidence = np.linspace(0.1, 0.91, 10, dtype=np.float32)
        found = Detections(boxes.astype(np.float32), confidence, np.full(10, cat))
        return [found for _ in images], Times(1.0, 20.0, 3.0)

    def with_card(self, card):
        return replace(self, card=card)


@pytest.fixture
def pets(tmp_path, monkeypatch):
    """48 images of ten squares in a row; only the last five, the more confident, are cats."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"0 {(place + 0.5) / 10} 0.5 0.1 1\n" for place in range(5, 10))
    for number in range(48):
        write_image(tmp_path / "pets" / "images" / "val" / f"{number}.png", (320, 32), number)
        write_text(tmp_path / "pets" / "labels" / "val" / f"{number}.txt", rows)
    write_text(tmp_path / "pets" / "data.yaml", "val: images/val\nnames: [cat]\n")

    def fake(**named):
        return Fake(read_card(named["weights"].first), named["config"])

    with monkeypatch.context() as patch:
        patch.setattr("yolo_cli.detectors.load_detector", fake)
        yield Path("pets")


def test_it_fits_stores_and_shows(pets):
    done = yolo("calibrate", "--data", pets, "--out", "mine", "--format", "json")
    assert done.exit_code == 0, done.stderr
    value = json.loads(done.stdout)
    assert (value["fitted_on"], value["measured_on"]) == (24, 24)
    # Before: the gaps are 0.1, 0.19, … 0.46 and 1 - 0.55, … 1 - 0.91: their mean is 0.275.
    assert value["before"]["d_ece"] == pytest.approx(0.275, abs=1e-6)
    assert value["after"]["d_ece"] < value["before"]["d_ece"] / 2
    assert value["after"]["map50"] == value["before"]["map50"] == 1.0
    assert value["files"] == ["weights/mine.keras", "weights/mine.onnx", "weights/mine.md"]
    card = read_card(find_model("mine").first)
    assert card.name == "mine"
    assert [list(row) for row in card.calibration] == [
        value["calibration"]["given"],
        value["calibration"]["true"],
    ]
    assert "Confidences are calibrated: " in Path("weights/mine.md").read_text(encoding="utf-8")
    before, after = value["before"]["d_ece"], value["after"]["d_ece"]
    assert card.figures[-1] == (
        f"D-ECE {before:.3f} before and {after:.3f} after calibration, measured on pets, split val "
        "(24 images), fitted on the other half (24 images)"
    )


def test_a_calibrated_model_can_be_calibrated_again(pets):
    yolo("calibrate", "--data", pets, "--out", "mine")
    first = read_card(find_model("mine").first).calibration
    assert yolo("calibrate", "--data", pets, "--weights", "mine", "--out", "again").exit_code == 0
    assert read_card(find_model("again").first).calibration == first


def test_a_name_that_is_taken_is_refused_before_the_work(pets):
    Path("weights").mkdir()
    Path("weights/mine.onnx").write_bytes(b"")
    done = yolo("calibrate", "--data", pets, "--out", "mine")
    assert (done.exit_code, done.stdout) == (2, "")
    line = "error: --out weights/mine.onnx: exists; choose another name, or add --exist-ok\n"
    assert done.stderr == line


def test_the_split_that_is_fitted_on_is_no_test(pets):
    done = yolo("calibrate", "--data", pets, "--test", "val")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "is the split used for fitting" in done.stderr


def test_too_few_boxes_are_one_line(tmp_path, monkeypatch):
    """The made images are blots, and the model finds nothing on them that is a cat or a dog."""
    monkeypatch.chdir(tmp_path)
    write_yolo(tmp_path / "data")
    done = yolo("calibrate", "--data", "data", "-q", "--conf", "0.5")
    assert done.exit_code == 3
    assert "too few detections to calibrate on" in done.stderr
    assert not Path("weights").exists()


@pytest.mark.slow
@needs_shared("data", "voc2012-subset")
def test_half_of_the_validation_images_calibrate_the_other_half(tmp_path, monkeypatch):
    """D-ECE falls to under half; mAP, of the stored copy too, stays within 0.002."""
    monkeypatch.chdir(tmp_path)
    data = SHARED / "data" / "voc2012-subset"
    value = json.loads(yolo("calibrate", "--data", data, "--out", "mine", "--format", "json", "-q").stdout)
    before, after = value["before"], value["after"]
    print(f"D-ECE {before['d_ece']:.4f} -> {after['d_ece']:.4f}, mAP50 {before['map50']:.4f}")
    assert after["d_ece"] < before["d_ece"] / 2
    assert abs(after["map50"] - before["map50"]) < 0.002
    whole = [
        json.loads(yolo("eval", "--data", data, "--no-save", "-q", "--format", "json", *more).stdout)
        for more in ((), ("--weights", "mine"))
    ]
    print([(it["map50"], it["map50_95"], it["reliability"]["d_ece"]) for it in whole])
    assert abs(whole[1]["map50"] - whole[0]["map50"]) < 0.002
    assert abs(whole[1]["map50_95"] - whole[0]["map50_95"]) < 0.002
