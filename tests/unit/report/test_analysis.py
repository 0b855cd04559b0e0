"""What the page shows, before it is a page: confusions, charts, images, text."""

from __future__ import annotations

import base64
import math
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest

from tests.evaluation_sets import Mixture, image_set, perfect, random_set
from yolo_cli.errors import DataError
from yolo_cli.evaluation import KINDS, Confusion
from yolo_cli.images import Image
from yolo_cli.report import About, TrainingCurves, analyse, read_training_curves, summary, write_plots
from yolo_cli.report.confusions import confusion_table, most_confused
from yolo_cli.report.examples import Shot, kind_shots, whole_shots
from yolo_cli.report.svg import Frame, ticks, training_charts

ABOUT = About("m", "d")
A, B = (10.0, 10.0, 60.0, 60.0), (100.0, 20.0, 150.0, 90.0)


def flat(name: str) -> Image:
    """A grey image of 200 x 120."""
    return Image(np.full((120, 200, 3), 128, np.uint8), name)


def mixed():
    """Class 0 in A found at 0.9; class 1 in B of the second image taken for 0 at 0.8; one is missed."""
    return analyse(
        image_set(
            ([(A, 0.9, 0), (B, 0.7, 2)], [(A, 0)]),
            ([(B, 0.8, 0)], [(B, 1), (A, 2)]),
        )
    )


def test_the_operating_point_is_the_best_f1() -> None:
    """At 0.9: 1 of 1 right, 1 of 3 found, F1 0.5. At 0.8: 1 of 2, F1 0.4. At 0.7: 1 of 3, F1 1/3."""
    assert mixed().confidence == 0.9


def test_the_operating_point_is_rounded_down() -> None:
    """F1 is greatest at 0.897, 1 of 1 right. Rounded up to 0.90 that detection would be dropped."""
    analysis = analyse(image_set(([(A, 0.897, 0)], [(A, 0)])))
    assert analysis.confidence == 0.89
    assert analysis.report.curve.at(analysis.confidence).recall == 1
    assert analysis.confusion.counts.tolist()[0][0] == 1
    assert re.search(
        r"^recall +1\.000\nf1 +1\.000\nat confidence +0\.89$", summary(analysis, ABOUT), re.MULTILINE
    )


def test_without_a_hit_it_is_the_usual_one() -> None:
    assert analyse(image_set(([], [(A, 0)]))).confidence == 0.25


def test_json_holds_all_figures_and_more() -> None:
    value = mixed().to_json()
    assert value["mistakes"]["kinds"]["classification"]["count"] == 1
    assert value["mistakes"]["counts_there"] == {**dict.fromkeys(KINDS, 0), "missed": 2}
    assert value["reliability"]["from_confidence"] == 0.05
    assert {"protocol", "map50", "per_class", "coco"} <= set(value)


def confusion(counts: list[list[int]]) -> Confusion:
    size = len(counts) - 1
    return Confusion((*(f"c{k}" for k in range(size)), "background"), np.array(counts), 0.5, 0.5)


def test_classes_that_never_occur_are_no_row() -> None:
    table = confusion_table(confusion([[2, 0, 1, 1], [0, 0, 0, 0], [0, 0, 4, 0], [3, 0, 0, 0]]))
    assert table.names == ("c0", "c2", "background")
    assert table.rows == [[2, 1, 1], [0, 4, 0], [3, 0, 0]]
    assert table.fractions[0] == [0.5, 0.25, 0.25]


def test_of_many_classes_those_with_few_mistakes_are_summed() -> None:
    """c0 has 4 mistakes, c2 has 2, c1 and c3 have 1: the two with the most stay."""
    counts = [[5, 0, 1, 0, 1], [0, 6, 0, 0, 0], [0, 0, 7, 1, 0], [0, 0, 0, 8, 0], [2, 1, 0, 0, 0]]
    table = confusion_table(confusion(counts), most=2)
    assert table.names == ("c0", "c2", "2 others", "background")
    assert table.rows == [[5, 1, 0, 1], [0, 7, 1, 0], [0, 0, 14, 0], [2, 0, 1, 0]]
    assert np.sum(table.rows) == np.sum(counts)


def test_the_most_frequent_mix_ups_come_first() -> None:
    pairs = most_confused(confusion([[9, 3, 0], [5, 9, 0], [7, 7, 0]]))
    assert [(it.ground_truth, it.found, it.count) for it in pairs] == [("c1", "c0", 5), ("c0", "c1", 3)]
    assert most_confused(confusion([[9, 1, 0], [1, 9, 0], [0, 0, 0]])) == []


def test_a_frame_maps_values_to_positions() -> None:
    frame = Frame((0, 10), (0, 2), width=120, height=70, left=10, right=10, top=5, bottom=15)
    assert [frame.across(x) for x in (0, 5, 10)] == [10, 60, 110]
    assert [frame.down(y) for y in (0, 1, 2)] == [55, 30, 5]
    assert frame.points([0, 5, 7], [2, 1, math.nan]) == "10.0,5.0 60.0,30.0"


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 0.003), (-2.5, 2.5), (1, 300), (0, 7e6)])
def test_ticks_are_few_and_inside(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 2 <= len(found) <= 7
    assert all(low <= value <= high for value in found)


def test_training_charts_bear_gaps_and_constants() -> None:
    curves = TrainingCurves((1, 2, 3), {"loss": (3.0, math.nan, 1.0), "map50": (0.0, 0.0, 0.0)})
    names, charts = zip(*training_charts(curves), strict=True)
    assert names == ("Loss", "mAP50")
    drawings = [ET.fromstring(chart) for chart in charts]
    lines = [drawing.find("polyline") for drawing in drawings]
    assert [len(drawing.findall("circle")) for drawing in drawings] == [2, 3]  # a dot for each value
    assert [len(str(line.get("points")).split()) for line in lines if line is not None] == [2, 3]
    assert len(training_charts(TrainingCurves((1,), {"loss": (3.0,)}))) == 1


def test_training_charts_have_titles_with_units_and_space_for_their_numbers() -> None:
    """0.00025 is 7 letters: 14 + 8 · 7 = 70 to the left of the axis; epochs are whole numbers."""
    figures = {"learning_rate": (0.001, 0.0), "images_per_second": (3.0, 4.0), "seconds": (40.0, 80.0)}
    titles, charts = zip(*training_charts(TrainingCurves((1, 2), figures)), strict=True)
    assert titles == ("Learning rate", "Images per second", "Time since the start (seconds)")
    [_, *numbers] = [text for text in ET.fromstring(charts[0]).findall("text") if "x" in text.attrib]
    assert [text.text for text in ET.fromstring(charts[0]).findall("text")][:2] == ["1", "2"]
    for number in numbers:
        if number.get("text-anchor") == "end":
            assert float(str(number.get("x"))) >= 8 * len(str(number.text))


def test_results_of_a_training_are_read(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("epoch, loss, map50, note\n1, 2.5, , good\n2, 1.5, 0.25, bad\n")
    curves = read_training_curves(path)
    assert curves.epochs == (1, 2)
    assert curves.figures["loss"] == (2.5, 1.5)
    assert math.isnan(curves.figures["map50"][0])
    assert "note" not in curves.figures
    path.write_text("epoch,loss\n")
    with pytest.raises(DataError, match="has no row of figures"):
        read_training_curves(path)
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_training_curves(tmp_path / "none.csv")


def decoded(shot: Shot) -> np.ndarray:
    kind, data = shot.href.split(",", 1)
    assert kind == "data:image/jpeg;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


def one_mistake() -> object:
    """Class 1 in B was taken for 0 at 0.8, above a hit at 0.7, so that 0.7 is the operating point."""
    return analyse(
        image_set(([(B, 0.8, 0), (A, 0.7, 2), (A, 0.7, 1)], [(B, 1), (A, 2)]), ([(A, 0.7, 2)], [(A, 2)]))
    )


def test_a_crop_shows_both_boxes_with_a_margin() -> None:
    """B is 50 x 70 at (100, 20); its margin is 0.35 · 70 = 24.5: x 75 to 175, y 0 (cut) to 115."""
    analysis = one_mistake()
    assert analysis.confidence == 0.7
    [shot] = kind_shots(analysis, "classification", flat)[:1]
    assert (shot.width, shot.height) == (100, 115)
    assert decoded(shot).shape == (115, 100, 3)
    ground_truth, found = shot.boxes
    assert (ground_truth.role, ground_truth.label, ground_truth.corners) == (
        "ground_truth",
        "class 1",
        (25, 20, 50, 70),
    )
    assert (found.role, found.label, found.confidence) == ("wrong", "class 0", 0.8)
    assert shot.caption == "class 0 0.80; ground truth class 1, IoU 1.00"


def test_a_large_image_is_shrunk_with_its_boxes() -> None:
    big = lambda name: Image(np.zeros((1200, 2000, 3), np.uint8), name)  # noqa: E731
    box = (100.0, 200.0, 1900.0, 1000.0)
    analysis = analyse(image_set(([], [(box, 0)]), ([(A, 0.9, 0)], [(A, 0)])))
    [shot] = kind_shots(analysis, "missed", big)
    assert max(shot.width, shot.height) == 200
    assert shot.boxes[0].corners == pytest.approx((10, 20, 180, 80), abs=0.2)
    whole = whole_shots(analysis, big)[0]
    assert (whole.width, whole.height) == (448, 269)
    assert whole.boxes[0].corners == pytest.approx((22.4, 44.8, 403.2, 179.2), abs=0.1)


def test_the_worst_images_come_first_with_what_became_of_each_box() -> None:
    """The first has a wrong class at 0.8, a second box at 0.7 and a missed object; the other is right."""
    shot, other = whole_shots(one_mistake(), flat)
    assert (shot.name, other.name) == ("0000.jpg", "0001.jpg")
    roles = [(box.role, box.label, box.confidence) for box in shot.boxes]
    assert roles == [
        ("ground_truth", "class 1", 2.0),
        ("ground_truth", "class 2", 0.7),
        ("right", "class 2", 0.7),
        ("wrong", "class 1", 0.7),
        ("wrong", "class 0", 0.8),
    ]


def test_images_without_mistakes_are_shown_too() -> None:
    analysis = analyse(perfect(random_set(Mixture(ground_truths=10))))
    shots = whole_shots(analysis, flat)
    assert [shot.name for shot in shots] == list(analysis.gathered.images)
    assert "wrong" not in {box.role for shot in shots for box in shot.boxes}
    assert [kind_shots(analysis, kind, flat) for kind in KINDS] == [[]] * 6


def test_an_image_that_cannot_be_read_is_left_out() -> None:
    def read(name: str) -> Image:
        raise DataError(f"{name}: is gone")

    assert whole_shots(one_mistake(), read) == []
    assert kind_shots(one_mistake(), "classification", read) == []


def test_plots_are_files(tmp_path: Path) -> None:
    paths = write_plots(tmp_path / "plots", analyse(random_set(Mixture())))
    names = {"precision_recall", "threshold", "confusion", "reliability"}
    assert {path.name for path in paths} == {f"{name}{end}" for name in names for end in (".png", ".svg")}
    for path in paths:
        start = path.read_bytes()[:200]
        assert start.startswith(b"\x89PNG" if path.suffix == ".png" else b"<?xml")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_plots(tmp_path / "file" / "plots", mixed())


def test_the_text_says_the_headline() -> None:
    text = summary(mixed(), About("my-model", "my-data, split val"))
    assert text.startswith(
        "my-model on my-data, split val: 2 images, 3 objects\nevaluated by coco: 101 points, IoU 0.5\n"
    )
    assert re.search(r"^mAP50 +0\.333$", text, re.MULTILINE)
    assert re.search(r"^class 0 +1 +1\.000 +1\.000 +1\.000 +1\.000 +0\.90$", text, re.MULTILINE)
    assert re.search(r"^missed +2 +0\.\d{3}$", text, re.MULTILINE)
    assert text.endswith("\n")
    assert "mAP at IoU" not in text


def test_the_text_bears_nothing_found_and_nothing_there() -> None:
    assert "mAP50" in summary(analyse(image_set(([], []))), ABOUT)
    assert "–" in summary(analyse(image_set(([], [(A, 0)]))), ABOUT)


def test_without_ground_truth_there_is_no_recall():
    """One wrong detection: precision 0 of 1; recall would be 0 of 0."""
    analysis = analyse(image_set(([(A, 0.9, 1)], [])))
    lines = [line.split() for line in summary(analysis, ABOUT).splitlines()]
    assert [line for line in lines if line and line[0] in ("precision", "recall", "f1")] == [
        ["precision", "0.000"],
        ["recall", "–"],
        ["f1", "–"],
    ]
    values = analysis.to_json()
    for figures in (values, values["per_class"][1], values["per_size"][1]):
        assert (figures["recall"], figures["f1"]) == (None, None)
    assert (values["precision"], values["confidence"]) == (0.0, 0.9)
