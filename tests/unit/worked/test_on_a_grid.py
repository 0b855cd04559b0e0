"""A box on the grid of the bundled model, by hand; its loss against the slow oracle; the rounds of NMS."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.oracles_loss import slow_loss
from tests.shared import ROOT
from yolo_cli.boxes import box_iou
from yolo_cli.codec import encode
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import load_detector
from yolo_cli.errors import UsageError
from yolo_cli.images import Image, read_image
from yolo_cli.loss import LossWeights
from yolo_cli.worked import show_encoding, show_loss, show_stages

BLANK = Image(np.full((416, 416, 3), 128, np.uint8), "grey.png")  # as large as the network's input
CAT = read_image(ROOT / "examples" / "cat.jpg")
CAT_BOX = (13.0, 0.0, 431.0, 270.0)


@pytest.fixture(scope="module")
def detector():
    return load_detector(engine="onnx", device="cpu", config=DetectConfig(conf=0.05))


def test_a_box_by_hand(detector):
    """Centre 200,170 and 200 x 240 pixels: at stride 32 it is at 6.25, 5.3125, in column 6 and row 5.

    The model has a scale of 1.05, so that σ(tx) = (0.25 + 0.025) / 1.05 and σ(ty) = (0.3125 + 0.025) / 1.05.
    The anchors 81x82 (ratios 2.47 and 2.93), 135x169 and 344x319 are within 4 times; so is 81x82 at stride
    16, but 37x58 (5.4 and 4.1) is not.
    """
    shown = show_encoding(detector, BLANK, (100, 50, 300, 290))
    assert shown.centre_and_size == (200, 170, 200, 240)
    mine = [slot for slot in shown.slots if (slot.cell.row, slot.cell.column, slot.cell.stride) == (5, 6, 32)]
    assert [slot.cell.anchor_size for slot in mine] == [(81, 82), (135, 169), (344, 319)]
    x, y = 0.275 / 1.05, 0.3375 / 1.05
    wanted = [math.log(x / (1 - x)), math.log(y / (1 - y)), math.log(200 / 135), math.log(240 / 169)]
    assert mine[1].raw == pytest.approx(wanted, abs=1e-4)
    assert [fit.assigned for fit in shown.anchors] == [True, True, True, False, False, True]
    best = max(shown.anchors, key=lambda fit: fit.iou)
    assert best.cell.anchor_size == (135, 169)
    assert best.iou == pytest.approx(135 * 169 / (200 * 240))  # it is within the box
    text = shown.to_text()
    assert "stride 32: the centre is in row 5, column 6, 0.25 of a cell from its left edge and 0.31" in text
    assert f"Assigned to {len(shown.slots)} slots" in text


def test_the_plot_of_an_encoding(detector):
    plot = show_encoding(detector, BLANK, (100, 50, 300, 290)).plot()
    assert plot.shape == (480 + 30, 2 * 480 + 8, 3)
    assert (plot == (255, 60, 60)).all(axis=2).sum() > 2 * 4 * 200  # red frames


def test_the_loss_is_that_of_training(detector):
    """Two cats, of which the second is not there."""
    boxes = [CAT_BOX, (10.0, 10.0, 60.0, 80.0)]
    shown = show_loss(detector, CAT, [("cat", box) for box in boxes])
    grid = detector.trace(CAT).grid
    inside = grid.letterbox.forward(np.float32(boxes)).astype(np.float32)
    cat = detector.class_names.index("cat")
    found = encode(inside, np.array([cat, cat]), grid.heads, [raw.shape[:2] for raw in grid.raw_heads])
    targets = {
        "slot": found.slot[None],
        "cxcywh": found.cxcywh[None],
        "class_id": found.class_id[None],
        "positive": np.ones((1, len(found))),
        "ground_truths": inside[None],
        "ignored": np.zeros((1, 2)),
    }
    slow = slow_loss(targets, [raw[None] for raw in grid.raw_heads], grid.heads, LossWeights())
    assert shown.terms == pytest.approx(slow, rel=1e-3)
    assert shown.total == pytest.approx(sum(slow.values()), rel=1e-3)
    assert {slot.object for slot in shown.slots} == {0, 1}


def test_what_the_slots_of_a_found_object_say(detector):
    """The box is the detected one, so that the slot that found it fits nearly, and is sure."""
    shown = show_loss(detector, CAT, [("cat", tuple(detector.detect([CAT])[0].xyxy[0].tolist()))])
    best = max(shown.slots, key=lambda slot: slot.iou)
    assert best.iou > 0.9
    assert best.objectness * best.class_score == pytest.approx(0.71, abs=0.01)  # the confidence that is found
    assert f"{best.iou:.3f}" in shown.to_text()
    assert len(shown.objectness) == 2
    assert shown.objectness[0][1].shape == CAT.rgb.shape[:2]
    assert shown.plot().shape[1] == 3 * 480 + 16


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ([], "is missing"),
        ([("unicorn", CAT_BOX)], "has no class 'unicorn'"),
        ([("cat", (5, 5, 4, 9))], "X1 < X2"),
    ],
)
def test_a_ground_truth_that_cannot_be(detector, objects, says):
    with pytest.raises(UsageError, match=says):
        show_loss(detector, CAT, objects)


def test_stages_are_those_of_the_detector(detector):
    coffee = read_image(ROOT / "examples" / "coffee.jpg")
    detector = replace(detector, config=replace(detector.config, conf=0.02, suppression="iou"))
    shown, [found] = show_stages(detector, coffee), detector.detect([coffee])
    assert shown.evaluated == 3 * (13 * 13 + 26 * 26)
    assert [each.confidence for each in shown.rounds] == pytest.approx(found.confidence.tolist())
    assert len(shown.candidates) == len(shown.rounds) + sum(len(each.removed) for each in shown.rounds)
    for each in shown.rounds:
        if each.removed:
            overlaps = box_iou(np.array([each.xyxy]), np.array(each.removed))[0]
            assert overlaps.min() > shown.threshold - 0.02  # boxes are clipped to the image here
    assert shown.to_text().count("keep") == len(found)
    assert shown.confidence.max() == pytest.approx(found.confidence.max(), abs=1e-6)
    assert shown.plot().shape[1] == 3 * 480 + 16


def test_regions_have_stages_but_no_grid():
    detector = load_detector("faster-rcnn-voc", engine="onnx", device="cpu")
    shown = show_stages(detector, CAT)
    assert shown.evaluated == len(shown.regions) == 156
    assert (
        "156 regions; 21 boxes above the confidence 0.25; 2 after suppression (iou, 0.45)" in shown.to_text()
    )
    with pytest.raises(UsageError, match="has no anchors on a grid"):
        show_encoding(detector, CAT, CAT_BOX)


@pytest.mark.parametrize(
    ("config", "says"),
    [({"suppression": "soft"}, "soft"), ({"tile": (320, 320)}, "tile: explain follows one run")],
)
def test_stages_that_cannot_be_shown(detector, config, says):
    with pytest.raises(UsageError, match=says):
        show_stages(replace(detector, config=replace(detector.config, **config)), CAT)
