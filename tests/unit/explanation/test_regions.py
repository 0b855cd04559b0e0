"""An explanation of windows and proposals says what detection then does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.regions import FixedRegions
from tests.shared import ROOT
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import load_detector
from yolo_cli.detectors.regions import RegionDetector, RegionMethod
from yolo_cli.detectors.trace import RegionScores
from yolo_cli.errors import UsageError
from yolo_cli.explanation import RegionExplanation, draw_explanation, explain
from yolo_cli.explanation.legend import BAR
from yolo_cli.explanation.outcomes import covers
from yolo_cli.images import Image, read_image
from yolo_cli.weights import ModelCard

IMAGES = ("astronaut.jpg", "cat.jpg", "coffee.jpg")
MODELS = {
    "localisation": "localisation-voc",
    "conv-sliding-window": "windows-voc",
    "fast-rcnn": "fast-rcnn-voc",
    "rcnn": "rcnn-voc",
}
SLOW = {"sliding-window": "windows-voc"}


class Remembering:
    """A method that views, proposes and classifies each image once; of R-CNN's proposals only the first."""

    def __init__(self, method: RegionMethod, few: int | None) -> None:
        self.view, self.origins, self.cost = cache(method.view), method.origins, method.cost
        self.propose = cache(lambda view: method.propose(view)[:few])
        self.classify = lambda view, boxes: self.classified(view) if boxes is self.propose(view) else None
        self.classified = cache(lambda view: method.classify(view, self.propose(view)))


@cache
def detector(kind: str) -> RegionDetector:
    config = DetectConfig(conf=0.3)
    loaded = load_detector((MODELS | SLOW)[kind], engine="onnx", device="cpu", config=config, kind=kind)
    few = 200 if kind == "rcnn" else None  # it has a run of the network for each
    return replace(loaded, method=Remembering(loaded.method, few))


@cache
def make_image(name: str) -> Image:
    return read_image(ROOT / "examples" / name)


def told(kind: str, name: str, point: tuple[float, float]) -> RegionExplanation:
    return explain(detector(kind), make_image(name), point)


KINDS = [*MODELS, pytest.param("sliding-window", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_the_detector_does(kind, name):
    [found] = detector(kind).detect([make_image(name)])
    assert len(found)
    for x1, y1, x2, y2 in found.xyxy[:20].tolist():
        point = (x1 + x2) / 2, (y1 + y2) / 2
        kept = [outcome for outcome in told(kind, name, point).outcomes if outcome.kept]
        kept = [outcome for outcome in kept if covers(np.array([outcome.xyxy]), point)]
        there = found[covers(found.xyxy, point)]
        assert len(there)
        assert [outcome.class_id for outcome in kept] == there.class_id.tolist()
        assert np.array([outcome.xyxy for outcome in kept]) == pytest.approx(there.xyxy)
        assert [outcome.confidence for outcome in kept] == pytest.approx(there.confidence.tolist())


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_the_parts_say(kind, name):
    """The regions over the point, their scores and boxes are those of the detector's own parts."""
    image, parts = make_image(name), detector(kind)
    point = (image.width / 2, image.height / 2)
    explained, trace = told(kind, name, point), parts.trace(image)
    boxes, scored = trace.regions, trace.proposed.predictions
    over = covers(boxes, point)
    assert explained.regions == len(boxes)
    assert len(explained.over) == over.sum() > 0
    assert len(explained.best) == min(10, over.sum())
    tops = np.sort(scored.scores[over].max(axis=1))[::-1]
    assert [best.confidence for best in explained.best] == pytest.approx(tops[:10].tolist())
    drawn = np.broadcast_to(scored.xyxy, (*scored.scores.shape, 4))
    for best in explained.best:
        number = best.source.number
        assert best.source.xyxy == tuple(boxes[number].tolist())
        assert best.scores == tuple(scored.scores[number].tolist())
        assert best.xyxy == tuple(drawn[number, best.class_id].tolist())


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_who_suppressed_whom_is_so(kind, name):
    """Each box that goes names a kept, more confident box of its class that overlaps it too much."""
    image = make_image(name)
    explained = told(kind, name, (image.width / 2, image.height / 2))
    gone = [outcome for outcome in explained.outcomes if outcome.suppressed_by is not None]
    assert gone or name == "coffee.jpg" or kind == "localisation"
    for outcome in explained.outcomes:
        assert outcome.kept == (outcome.suppressed_by is None)
    for outcome in gone:
        winner = explained.outcomes[outcome.suppressed_by]
        assert winner.kept
        assert winner.class_id == outcome.class_id
        assert winner.confidence >= outcome.confidence
        assert outcome.overlap > explained.threshold


def test_windows_name_their_place_in_the_pyramid():
    explained = told("conv-sliding-window", "cat.jpg", (220, 150))
    for best in explained.best:
        words = best.source.origin
        wide, high = (int(side) for side in words.split("windows of ")[1].split(",")[0].split("x"))
        x1, y1, x2, y2 = best.source.xyxy
        assert (x2 - x1, y2 - y1) == pytest.approx((wide, high), abs=0.51)
        row, column = int(words.split("row ")[1].split(",")[0]), int(words.split("column ")[1])
        # Neighbours are 16 of a window's 128 pixels apart.
        assert (x1, y1) == pytest.approx((column * (x2 - x1) / 8, row * (y2 - y1) / 8))


def hand_made(**options) -> RegionDetector:
    """Four regions, two classes; the third region is fixed for class 0, and the fourth is elsewhere."""
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 20, 20], [30, 30, 40, 40]])
    drawn = np.repeat(boxes[:, None], 2, axis=1)  # (4, 2, 4)
    drawn[2, 0] = (20, 20, 40, 40)
    scores = np.float32([[0.9, 0.1], [0.8, 0.4], [0.3, 0.2], [0.7, 0.0]])
    return RegionDetector(
        FixedRegions(boxes, RegionScores(scores, drawn)),
        ModelCard("said", ("cat", "dog"), (), (64, 64), "stretch"),
        DetectConfig(**options),
    )


BLANK = Image(np.zeros((50, 100, 3), np.uint8), "blank")


def test_by_hand():
    explained = explain(hand_made(), BLANK, (5, 5))
    assert explained.regions == 4
    assert explained.over == ((0, 0, 10, 10), (0, 0, 10, 8), (0, 0, 20, 20))
    assert [best.source.number for best in explained.best] == [0, 1, 2]
    assert explained.best[2].xyxy == (20, 20, 40, 40)
    assert explained.best[1].scores == pytest.approx((0.8, 0.4))
    # Above 0.25 and here: cat 0.9 of region 0; cat 0.8 of region 1, IoU 80 / 100; dog 0.4 of region 1; cat
    # 0.3, drawn by region 2, which is here. Its box shares 100 of 400 with region 3: 0.25, so it stays.
    kinds = [
        (outcome.class_id, outcome.source.number, outcome.kept, outcome.suppressed_by)
        for outcome in explained.outcomes
    ]
    assert kinds == [(0, 0, True, None), (0, 1, False, 0), (1, 1, True, None), (0, 2, True, None)]
    assert explained.outcomes[1].overlap == pytest.approx(0.8)
    assert explained.outcomes[0].source.origin == "proposal 1"


def test_a_winner_from_elsewhere_is_told_of():
    """The box of region 2, which covers (35, 35), now loses to region 3's: 0.25 > 0.2."""
    explained = explain(hand_made(nms_iou=0.2), BLANK, (15, 15))
    assert [outcome.source.number for outcome in explained.outcomes] == [3, 2]
    assert explained.outcomes[1].suppressed_by == 0
    assert explained.outcomes[1].overlap == pytest.approx(0.25)


def test_boxes_beyond_the_limit_are_not_kept():
    explained = explain(hand_made(max_det=1), BLANK, (5, 5))
    assert [outcome.kept for outcome in explained.outcomes] == [True, False, False, False]
    assert [outcome.suppressed_by for outcome in explained.outcomes] == [None, 0, None, None]


def test_nothing_covers_the_point():
    explained = explain(hand_made(), BLANK, (90, 45))
    assert explained.over == explained.best == explained.outcomes == ()
    drawn = draw_explanation(BLANK, explained, ("cat", "dog"))
    assert drawn.shape[1:] == (2 * 640 + 12, 3)
    assert drawn.shape[0] > BAR + 320 + BAR


@pytest.mark.parametrize("point", [(-1, 5), (100, 5), (5, 50)])
def test_a_point_outside(point):
    with pytest.raises(UsageError, match="outside"):
        explain(hand_made(), BLANK, point)


def test_soft_suppression_removes_nothing():
    with pytest.raises(UsageError, match="soft"):
        explain(hand_made(suppression="soft"), BLANK, (5, 5))


def test_it_can_be_drawn():
    # The image grows from 100 x 50 to 640 x 320: 6.4 times.
    drawn = draw_explanation(BLANK, explain(hand_made(), BLANK, (5, 5)), ("cat", "dog"))
    panels = drawn[BAR : BAR + 320]
    left, right = panels[:, :640], panels[:, 652:]
    assert left[32, 32].tolist() == right[32, 32].tolist() == [255, 60, 60]
    faint = left[127, 100].astype(int)  # the lower edge of region 2, y = 20 · 6.4 - 1
    assert 0 < faint.max() < 255
    bold = left[63, 20]  # the lower edge of the best detection
    assert bold.max() > faint.max()
    assert not right[127, 20].any()  # region 2 itself is not a detection
    assert not BLANK.rgb.any()
