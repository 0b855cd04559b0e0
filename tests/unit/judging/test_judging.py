"""Gathering, gates, calibration and cross-check, on small sets by hand."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from tests.evaluation_sets import Mixture, image_set, mixtures, random_set
from tests.made_sets import write_coco, write_yolo
from yolo_cli.datasets import open_dataset
from yolo_cli.detections import Detections
from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation import COCO, evaluate
from yolo_cli.judging import calibrate, cross_check, gather, halves, match_classes, missed_gates, read_gate
from yolo_cli.judging.gates import figures_of

BOX = (0.0, 0.0, 50.0, 50.0)


def boxes(*rows: tuple[float, int]) -> Detections:
    """(confidence, class) each, all in one place."""
    place = np.float32([[32, 24, 64, 48]] * len(rows))
    return Detections(place, np.float32([row[0] for row in rows]), np.array([row[1] for row in rows]))


def test_only_samples_with_an_outcome_are_judged(tmp_path: Path) -> None:
    """d.jpg holds a cat at 32, 24, 64, 48; c.jpg could not be read."""
    data = open_dataset(write_yolo(tmp_path)).in_split("val")
    match = match_classes(["dog", "cat"], data.class_names)
    gathered = gather(data.samples, {"images/val/d.jpg": boxes((0.9, 1), (0.5, 0))}, match)
    assert gathered.images == ("images/val/d.jpg",)
    assert gathered.found.class_id.tolist() == [0, 1]
    assert evaluate(gathered).map50 == 1.0


def test_detections_below_the_floor_are_not_judged(tmp_path: Path) -> None:
    data = open_dataset(write_yolo(tmp_path)).in_split("val")
    match = match_classes(data.class_names, data.class_names)
    found = {sample.name: boxes((0.25, 0), (0.24, 0)) for sample in data.samples}
    assert gather(data.samples, found, match, floor=0.25).found.confidence.tolist() == [0.25, 0.25]


def test_images_of_coco_stand_by_their_ids(tmp_path: Path) -> None:
    """COCO's own program orders equally confident detections by image id; so do we. d is 7, c 100."""
    file = write_coco(tmp_path) / "annotations" / "instances_val2017.json"
    file.write_text(file.read_text().replace("101", "7"))
    data = open_dataset(tmp_path).in_split("val")
    match = match_classes(data.class_names, data.class_names)
    gathered = gather(data.samples, {sample.name: boxes((0.5, 0)) for sample in data.samples}, match)
    assert gathered.images == ("val2017/d.jpg", "val2017/c.jpg")


def report() -> Any:
    """Class 0: found; class 1: one of two found. mAP50 is (1 + 51/101) / 2."""
    ground_truth = [(BOX, 0), (BOX, 1), ((60.0, 60.0, 99.0, 99.0), 1)]
    return evaluate(image_set(([(BOX, 0.9, 0), (BOX, 0.8, 1)], ground_truth), classes=3))


def test_gates_that_are_met_and_missed() -> None:
    gates = [
        read_gate(text) for text in ("map50=0.75", "recall=0.6", "ap:class 1=0.6", "AP50=0.7", "map50-95=1")
    ]
    assert missed_gates(gates, report()) == [
        "ap:class 1 is 0.5050, and must be at least 0.6",
        "map50_95 is 0.7525, and must be at least 1",
    ]


def test_a_figure_that_is_missing_meets_no_gate() -> None:
    assert missed_gates([read_gate("ap:class 2=0")], report()) == [
        "ap:class 2 has no value, and must be at least 0"
    ]


@pytest.mark.parametrize("text", ["map50", "map50=", "map50=x", "map50=2", "map50=-1", "map50=nan", "=0.5x"])
def test_a_gate_that_is_none_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="must be NAME=VALUE with a value of 0 to 1"):
        read_gate(text)


def test_a_gate_of_nothing_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no figure 'mapp50'; did you mean map50"):
        missed_gates([read_gate("mapp50=0.5")], report())
    assert {"map", "map50", "map50_95", "precision", "recall", "f1", "AP", "ARlarge"} <= set(
        figures_of(report())
    )


def confident_liar(seed: int) -> Any:
    """40 images of 10 detections each that are right with the square of their confidence."""
    random = np.random.default_rng(seed)
    images = []
    for _ in range(40):
        places = [(60.0 * i, 0.0, 60.0 * i + 50, 50.0) for i in range(10)]
        confidence = random.uniform(0.1, 1.0, 10)
        right = random.random(10) < confidence**2
        found = [(place, float(c), 0) for place, c in zip(places, confidence, strict=True)]
        images.append((found, [(place, 0) for place, hit in zip(places, right, strict=True) if hit]))
    return image_set(*images, classes=1)


def test_calibration_learns_what_confidence_is_worth() -> None:
    """The true map is the square; the gap to it is ∫ c - c² over 0.1 to 1, about 0.18 on the mean."""
    done = calibrate(confident_liar(0), confident_liar(1), floor=0.05)
    assert done.before.reliability.error == pytest.approx(0.18, abs=0.03)
    assert done.after.reliability.error is not None
    assert done.after.reliability.error < 0.08
    assert (done.after.map50, done.after.map50_95) == (done.before.map50, done.before.map50_95)
    assert done.calibration.apply(np.array([0.5])) == pytest.approx(0.25, abs=0.12)


def test_the_same_detections_are_measured_before_and_after() -> None:
    """What the map lowers below the floor still counts."""
    done = calibrate(confident_liar(0), confident_liar(1), floor=0.4)
    counts = [int(seen.reliability.count.sum()) for seen in (done.before, done.after)]
    assert counts[0] == counts[1] > 200


def test_too_few_detections_are_one_line() -> None:
    few = image_set(([(BOX, 0.9, 0)], [(BOX, 0)]))
    with pytest.raises(DataError, match="1 detections are too few to calibrate on"):
        calibrate(few, few, floor=0.05)


@pytest.mark.parametrize(("count", "first"), [(2, 1), (7, 4), (600, 300)])
def test_halves(count: int, first: int) -> None:
    assert halves(count, 3).sum() == first
    assert np.array_equal(halves(count, 3), halves(count, 3))


@given(mixtures())
def test_pycocotools_comes_to_the_same(mixture: Mixture) -> None:
    gathered = random_set(mixture)
    checks = cross_check(gathered, evaluate(gathered, COCO).coco)
    assert len(checks) == 12
    assert all(abs(check.difference) < 1e-9 for check in checks)


def test_a_difference_would_show() -> None:
    gathered = random_set(Mixture(ground_truths=30, found=60))
    figures = dict(evaluate(gathered, COCO).coco)
    figures["AP50"] = (figures["AP50"] or 0.0) + 0.125
    figures["AP75"] = None
    shown = {check.name: check.difference for check in cross_check(gathered, figures)}
    assert shown["AP50"] == pytest.approx(0.125)
    assert shown["AP75"] == float("inf")
    assert abs(shown["AP"]) < 1e-9


def test_without_pycocotools_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("pycocotools"):
            raise ImportError(name)
        return plain(name, *rest, **named)

    gathered = random_set(Mixture())
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'yolo-cli\[coco\]'"):
        cross_check(gathered, {})
