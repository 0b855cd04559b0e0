"""The page of a comparison: arithmetic adds up, every class has one colour, no name covers another."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.browser import browser, look, needs_chromium, poor_contrasts
from tests.comparisons import data, measured, row
from yolo_cli.comparison import Measured
from yolo_cli.comparison.arithmetic import arithmetic_map, colour_scale, decades, heat_colours
from yolo_cli.comparison.chart import accuracy_chart, place_names
from yolo_cli.comparison.page import write_page
from yolo_cli.detections import Detections
from yolo_cli.detectors import Cost
from yolo_cli.errors import DataError

AREA = (48, 12, 434, 276)


def test_arithmetic_adds_up_by_hand():
    # 12 over all of 4 x 3 pixels is 1 each; 8 for each region: 2 a pixel on 2 x 2, and 8 on a single one.
    spent = arithmetic_map(measured([[0, 0, 2, 2], [3, 2, 4, 3]], Cost(12, 8)), height=3, width=4)
    assert spent.tolist() == [[3, 3, 1, 1], [3, 3, 1, 1], [1, 1, 1, 9]]


def test_arithmetic_adds_up_whatever_the_regions():
    random = np.random.default_rng(0)
    corners = random.uniform(-10, 60, (200, 2, 2))  # some reach out of the image, some are outside
    regions = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    spent = arithmetic_map(measured(regions.tolist(), Cost(1000, 7)), height=30, width=50)
    assert spent.sum() == pytest.approx(1000 + 200 * 7)
    assert spent.min() >= 0


def test_the_colours_span_what_was_spent() -> None:
    """1 a pixel and 2,000 a pixel: from 10^0 to 10^4; black, and 3.3 of 4 of the way to bright."""
    spent = np.array([[1.0, 2000.0]])
    assert decades([spent]) == (0, 4)
    assert decades([np.full((1, 1), 5.0)]) == (0, 1)
    assert decades([np.zeros((1, 1))]) == (0, 1)  # less than one counts as one
    dark, bright = heat_colours(spent, (0, 4))[0].astype(int)
    assert dark.sum() < 10
    assert bright.sum() > 300
    marks = re.findall(r">([^<>]+)</text>", colour_scale((2, 7)))
    assert marks == ["100", "1 k", "10 k", "100 k", "1 M", "10 M"]


def test_a_name_is_right_of_its_dot_if_it_fits() -> None:
    """It begins 7 + 3 beside the dot's centre; 4 letters of 7.6 are 30.4 wide, a line is 16 high."""
    assert place_names([(100, 50)], ["YOLO"], AREA) == [pytest.approx((110, 42, 140.4, 58))]
    assert place_names([(430, 50)], ["YOLO"], AREA) == [pytest.approx((389.6, 42, 420, 58))]  # else left


@pytest.mark.parametrize("spread", [0, 5, 40])
def test_no_name_covers_another_or_a_dot(spread: float) -> None:
    dots = [(200 + place * spread, 150.0) for place in range(7)]
    names = [
        "localisation",
        "sliding window",
        "convolutional window",
        "R-CNN",
        "Fast R-CNN",
        "Faster",
        "YOLO",
    ]
    places = place_names(dots[:5], names[:5], AREA) if spread == 40 else place_names(dots, names, AREA)
    rectangles = [*places, *((x, y, x, y) for x, y in dots)]
    for at, one in enumerate(places):
        assert AREA[0] <= one[0] < one[2] <= AREA[2]
        assert AREA[1] <= one[1] < one[3] <= AREA[3]
        for other in rectangles[:at] + rectangles[len(places) :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_the_chart_has_readable_times() -> None:
    """From 12 to 900 ms: 10 to 1,000."""
    rows = [row(propose_ms=10.0), row(propose_ms=898.0), row(map50=None)]
    chart = accuracy_chart(rows)
    assert chart is not None
    labels = re.findall(r'text-anchor="middle">([\d,]+)</text>', chart)
    assert labels == ["10", "20", "50", "100", "200", "500", "1,000"]
    assert chart.count("<circle") == 2


def page(tmp_path, found: list[Measured], images=("cat.jpg", "coffee.jpg")) -> str:
    write_page(tmp_path / "page.html", found, data(*images), "A & B")
    return (tmp_path / "page.html").read_text()


def seen(names: tuple[str, ...], class_id: int, **changes: object) -> Measured:
    box = Detections(np.float32([[5, 5, 90, 90]]), np.float32([0.9]), np.array([class_id]))
    one = measured([], Cost(5, 0), **changes)
    return replace(one, class_names=names, found={"cat.jpg": box})


def test_the_page_is_self_contained(tmp_path):
    text = page(tmp_path, [seen(("cat",), 0, name="<first>"), measured([], Cost(5, 0), name="second")])
    assert "&lt;first&gt;" in text
    assert "A &amp; B" in text
    assert "not reached within the time limit" in text
    assert "http" not in text  # nothing is loaded from elsewhere
    assert "<svg" in text
    assert text.count("data:image/jpeg") == 4  # two images, each once, and two maps


def test_a_class_has_one_colour_whatever_its_number(tmp_path):
    """Cat is class 0 of the data and of one model, and class 1 of the other."""
    text = page(tmp_path, [seen(("cat", "dog"), 0), seen(("dog", "cat"), 1), seen(("dog", "cat"), 0)])
    colours = set(re.findall(r'<span class="class" style="--c:([^"]+)">(\w+)', text))
    assert len(colours) == 2
    assert {name for _, name in colours} == {"cat", "dog"}
    assert len({colour for colour, _ in colours}) == 2
    assert "cat 0.90" in text


def test_what_models_were_trained_on_is_said_once(tmp_path):
    found = [
        measured([], Cost(5, 0), name=name, trained_on=text) for name, text in zip("abc", "VVC", strict=True)
    ]
    text = page(tmp_path, found)
    assert "<dt>a (w), b (w)</dt><dd>V</dd>" in text
    assert "<dt>c (w)</dt><dd>C</dd>" in text


def test_the_page_without_accuracy_has_no_chart(tmp_path):
    assert "Accuracy against time" not in page(tmp_path, [measured([], Cost(5, 0), map50=None)], ("cat.jpg",))


def test_a_page_that_cannot_be_written(tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        write_page(tmp_path / "no" / "p.html", [measured([], Cost(5, 0))], data("cat.jpg"), "t")


@needs_chromium
def test_it_can_be_read_in_light_and_dark_and_on_a_phone(tmp_path):
    names = ("localisation", "convolutional window", "R-CNN", "YOLO")
    page(tmp_path, [seen(("cat",), 0, name=name) for name in names])
    with browser(tmp_path / "profile") as driver:
        for width, dark in ((1280, False), (1280, True), (390, False)):
            look(driver, width, dark=dark)
            driver.get((tmp_path / "page.html").as_uri())
            assert poor_contrasts(driver) == []
            assert driver.execute_script("return document.documentElement.scrollWidth") <= width
            boxes = driver.execute_script(
                "return [...document.querySelectorAll('.accuracy text')].map(text => {"
                "const box = text.getBoundingClientRect();"
                "return [box.left, box.top, box.right, box.bottom]})"
            )
            for place, (left, top, right, bottom) in enumerate(boxes):
                for other in boxes[:place]:
                    assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
        assert driver.get_log("browser") == []
