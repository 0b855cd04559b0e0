"""An explanation says what detection then does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.shared import ROOT
from yolo_cli.boxes import box_iou
from yolo_cli.codec import Head
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import YoloDetector, load_detector
from yolo_cli.errors import DataError, UsageError
from yolo_cli.explanation import draw_explanation, drawing, explain
from yolo_cli.explanation.legend import BAR
from yolo_cli.images import Image, read_image
from yolo_cli.render import class_colour
from yolo_cli.weights import ModelCard

IMAGES = ("astronaut.jpg", "cat.jpg", "coffee.jpg")


@pytest.fixture(scope="module")
def detector() -> YoloDetector:
    return load_detector(engine="onnx", device="cpu", config=DetectConfig(conf=0.05))


def over(boxes, x, y):
    return (boxes[:, 0] <= x) & (x < boxes[:, 2]) & (boxes[:, 1] <= y) & (y < boxes[:, 3])


@pytest.mark.parametrize("suppression", ["iou", "greedynms", "diounms"])
@pytest.mark.parametrize("name", IMAGES)
def test_it_says_what_the_detector_does(detector, name, suppression):
    detector = replace(detector, config=replace(detector.config, suppression=suppression))
    image = read_image(ROOT / "examples" / name)
    [found] = detector.detect([image])
    assert len(found)
    for x1, y1, x2, y2 in found.xyxy:
        x, y = float(x1 + x2) / 2, float(y1 + y2) / 2
        explained = explain(detector, image, (x, y))
        kept = [
            outcome for outcome in explained.outcomes if outcome.kept and over(np.array([outcome.xyxy]), x, y)
        ]
        there = found[over(found.xyxy, x, y)]
        assert [outcome.class_id for outcome in kept] == there.class_id.tolist()
        assert np.array([outcome.xyxy for outcome in kept]) == pytest.approx(there.xyxy, abs=0.01)
        assert [outcome.confidence for outcome in kept] == pytest.approx(there.confidence.tolist())


@pytest.mark.parametrize("name", IMAGES)
def test_who_suppressed_whom_is_so(detector, name):
    """Each box that goes names a kept, more confident box of its class that overlaps it too much."""
    detector = replace(detector, config=replace(detector.config, suppression="iou"))
    image = read_image(ROOT / "examples" / name)
    explained = explain(detector, image, (image.width / 2, image.height / 2))
    gone = [outcome for outcome in explained.outcomes if outcome.suppressed_by is not None]
    assert gone or name != "cat.jpg"
    for outcome in explained.outcomes:
        assert outcome.kept == (outcome.suppressed_by is None)
    for outcome in gone:
        winner = explained.outcomes[outcome.suppressed_by]
        assert winner.kept
        assert winner.class_id == outcome.class_id
        assert winner.confidence >= outcome.confidence
        assert outcome.overlap > explained.threshold


class Said:
    """A network of one head of 2 x 2 cells, stride 32, two anchors, one class; all silent but three slots."""

    def run(self, batch):
        raw = np.full((1, 2, 2, 2, 6), -20.0, np.float32)  # (B, rows, columns, anchors, values)
        raw[0, 0, 1, 0] = (0, 0, 0, 0, 20, 20)  # row 0, column 1: centre (48, 16), 32 x 32, confidence 1
        raw[0, 1, 1, 1] = (0, -20, 0, 0, 20, 1)  # row 1, column 1: centre (48, 32), 32 x 64, σ(1) = 0.7311
        raw[0, 0, 0, 0] = (20, 0, 0, 0, 20, 0)  # row 0, column 0: centre (32, 16), 32 x 32, σ(0) = 0.5
        return [raw.reshape(1, 2, 2, 12)]


def hand_made(**options) -> YoloDetector:
    head = Head("yolo", ((32.0, 32.0), (32.0, 64.0)), 32, 1)
    return YoloDetector(
        Said(), ModelCard("said", ("cat",), (head,), (64, 64), "stretch"), DetectConfig(**options)
    )


BLANK = Image(np.zeros((128, 64, 3), np.uint8))  # twice as high as the network's input: y doubles


def test_by_hand():
    explained = explain(hand_made(nms_iou=0.4), BLANK, (40, 20))
    assert explained.network_point == (40, 10)
    best = explained.predictions[0]  # row 0, column 1 holds (40, 10)
    assert (best.source.row, best.source.column, best.source.anchor) == (0, 1, 0)
    assert best.raw == (0, 0, 0, 0, 20)
    assert best.xyxy == pytest.approx((32, 0, 64, 64))
    assert len(explained.predictions) == 2
    # In the network's pixels: (32, 0, 64, 32); (32, 0, 64, 64), IoU 1/2 with it; (16, 0, 48, 32), IoU 1/3.
    assert [outcome.kept for outcome in explained.outcomes] == [True, False, True]
    assert [outcome.suppressed_by for outcome in explained.outcomes] == [None, 0, None]
    assert explained.outcomes[1].overlap == pytest.approx(0.5, abs=1e-4)
    assert explained.outcomes[1].source.row == 1
    assert explained.outcomes[2].xyxy == pytest.approx((16, 0, 48, 64), abs=1e-3)
    assert box_iou(np.array([explained.outcomes[0].xyxy]), np.array([explained.outcomes[2].xyxy])) < 0.4


class Broken:
    """A network whose values are NaN."""

    def run(self, batch):
        return [np.full((1, 2, 2, 12), np.nan, np.float32)]


def test_values_that_are_not_finite_are_one_line():
    detector = hand_made()
    detector = YoloDetector(Broken(), detector.card, detector.config)
    with pytest.raises(DataError, match="the model's output at stride 32 is not finite there"):
        explain(detector, BLANK, (40, 20))


def test_a_winner_elsewhere_is_shown():
    """Only the tall box is over (50, 100), but the square one that suppressed it is named."""
    explained = explain(hand_made(nms_iou=0.4), BLANK, (50, 100))
    assert [outcome.kept for outcome in explained.outcomes] == [True, False]
    assert explained.outcomes[0].xyxy[3] == pytest.approx(64)


def test_boxes_beyond_the_limit_are_not_kept():
    explained = explain(hand_made(nms_iou=0.4, max_det=1), BLANK, (40, 20))
    assert [outcome.kept for outcome in explained.outcomes] == [True, False, False]
    assert explained.outcomes[2].suppressed_by is None


@pytest.mark.parametrize("point", [(-1, 5), (64, 5), (5, 128)])
def test_a_point_outside(point):
    with pytest.raises(UsageError, match="outside"):
        explain(hand_made(), BLANK, point)


def test_soft_suppression_removes_nothing():
    with pytest.raises(UsageError, match="soft"):
        explain(hand_made(suppression="soft"), BLANK, (5, 5))


@pytest.mark.parametrize("point", [(40, 20), (2, 120)])
def test_it_can_be_drawn(point):
    """64 x 128 grows fivefold; below a title, two panels with a gap, above a legend."""
    detector = hand_made(nms_iou=0.4)
    drawn = draw_explanation(BLANK, explain(detector, BLANK, point), detector.class_names)
    assert drawn.shape[1:] == (2 * 320 + 12, 3)
    assert drawn.shape[0] > BAR + 640 + BAR
    assert not BLANK.rgb.any()
    panels = drawn[BAR : BAR + 640]
    left, right = panels[:, :320], panels[:, 332:]
    x, y = round(point[0] * 5), round(point[1] * 5)
    assert left[y, x].tolist() == right[y, x].tolist() == [255, 60, 60]
    assert (drawn[BAR + 640 :] == (255, 220, 0)).all(axis=2).any()  # the cell's colour is in the legend


def test_each_head_is_drawn_with_its_own_grid_and_boxes():
    """The one box over (20, 20) came from the head of stride 32; the other's cells are 16 wide."""
    heads = (Head("yolo", ((32.0, 32.0),), 32, 1), Head("yolo", ((16.0, 16.0),), 16, 1))

    class TwoHeads:
        def run(self, batch):
            coarse, fine = np.full((1, 2, 2, 6), -20.0, np.float32), np.full((1, 4, 4, 6), -20.0, np.float32)
            coarse[0, 0, 0] = (0, 0, 0, 0, 20, 20)  # centre (16, 16), 32 x 32
            return [coarse, fine]

    card = ModelCard("said", ("cat",), heads, (64, 64), "stretch")
    square = Image(np.zeros((64, 64, 3), np.uint8))
    explained = explain(YoloDetector(TwoHeads(), card, DetectConfig()), square, (20, 20))
    drawn = draw_explanation(square, explained, ("cat",))
    assert drawn.shape[1] == 3 * 640 + 2 * 12  # two heads, and what is left
    coarse, fine, left = (drawn[BAR : BAR + 640, at : at + 640] for at in (0, 652, 1304))
    grey = [127, 127, 127]
    assert [coarse[500, x].tolist() for x in (160, 320, 480)] == [[0] * 3, grey, [0] * 3]
    assert [fine[500, x].tolist() for x in (160, 320, 480)] == [grey] * 3
    assert not left[500, 320].any()
    cat = list(class_colour(0))
    assert [panel[250, 0].tolist() == cat for panel in (coarse, fine, left)] == [True, False, True]


def test_boxes_have_the_numbers_of_the_text(monkeypatch):
    """At (40, 20) there are three boxes; the second was suppressed by the first."""
    seen = []
    monkeypatch.setattr(drawing, "draw_boxes", lambda image, boxes: seen.append(boxes) or image.rgb.copy())
    detector = hand_made(nms_iou=0.4)
    draw_explanation(BLANK, explain(detector, BLANK, (40, 20)), detector.class_names)
    grid, left = ([(box.text, box.line_width) for box in boxes] for boxes in seen)
    assert grid == [("1. cat 1.00", 3), ("2. cat 0.73", 1), ("3. cat 0.50", 3)]
    assert left == [("1. cat 1.00", 3), ("3. cat 0.50", 3)]


class Distances:
    """A head without anchors: 2 x 2 cells, stride 32, two distances, one class; one cell says something."""

    def run(self, batch):
        raw = np.full((1, 2, 2, 9), -20.0, np.float32)
        raw[0, 0, 1] = (np.log(4), 0, np.log(3), -50, 0, 0, 0, 0, 0)  # 3/4, 1, 1/2 and 1/2 cells
        raw[0, 0, 1, 3:5] = (-50, 0)
        return [raw]


def test_a_head_without_anchors_by_hand():
    """Row 0, column 1: left (1 − 3/4) · 32 = 8, top −32, right 48, bottom 16; y doubles in the image."""
    head = Head("gfl", (), 32, 1, bins=2)
    detector = YoloDetector(Distances(), ModelCard("said", ("cat",), (head,), (64, 64), "stretch"))
    explained = explain(detector, BLANK, (40, 20))
    [best] = explained.predictions
    assert best.source.origin == "stride 32, row 0, column 1"
    assert best.raw == pytest.approx((0.75, 1, 0.5, 0.5))
    assert (best.raw_class, best.confidence) == pytest.approx((np.log(4), 0.8))
    assert best.xyxy == pytest.approx((8, -64, 48, 32))
    [outcome] = explained.outcomes
    assert (outcome.source, outcome.kept) == (best.source, True)
    lines = list(explained.lines("it.png", ("cat",)))
    assert any("left top right bottom in cells, raw class" in line for line in lines)
    assert lines[-1].split()[-5:] == ["0.75", "1.00", "0.50", "0.50,", "1.39"]
    assert [entry.text for entry in explained.legend] == ["cell that holds the point"]
    assert draw_explanation(BLANK, explained, ("cat",)).shape[2] == 3
