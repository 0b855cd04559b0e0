"""The page as a reader has it: slider, sorting, keyboard, colours, narrow windows, paper."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from tests.browser import browser, look, needs_chromium, poor_contrasts
from tests.evaluation_sets import image_set
from yolo_cli.images import Image
from yolo_cli.report import About, TrainingCurves, analyse, write_report
from yolo_cli.report.svg import Frame

pytestmark = needs_chromium

A, B, C = (10.0, 10.0, 60.0, 60.0), (100.0, 20.0, 150.0, 90.0), (160.0, 10.0, 190.0, 60.0)


def grey(name: str) -> Image:
    return Image(np.full((120, 200, 3), 128, np.uint8), name)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Class 0: 3 ground-truth boxes, found at 0.9, 0.6 and 0.3; class 1: 1 ground truth, found at 0.8, and a
    false one at 0.7; class 2: 1 ground truth, never found."""
    analysis = analyse(
        image_set(
            ([(A, 0.9, 0), (B, 0.6, 0), (C, 0.7, 1)], [(A, 0), (B, 0)]),
            ([(A, 0.3, 0), (B, 0.8, 1)], [(A, 0), (B, 1), (C, 2)]),
        )
    )
    path = tmp_path_factory.mktemp("page") / "report.html"
    curves = TrainingCurves((1, 2, 3), {"loss": (3.0, 2.0, 1.5)})
    write_report(path, analysis, About("my-model", "my-data"), grey, training_curves=curves)
    return path.as_uri()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory):
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def driver(window, page):
    """The page, fresh."""
    look(window)
    window.get(page)
    window.execute_script("localStorage.clear()")
    window.get(page)
    return window


def text(driver, selector: str) -> str:
    return driver.execute_script("return document.querySelector(arguments[0]).textContent", selector)


def slide(driver, value: float) -> None:
    """Move the slider as a reader does: set it, tell the page, and wait for the next image."""
    driver.execute_async_script(
        "const [value, done] = arguments, slider = document.getElementById('threshold');"
        "slider.value = value; slider.dispatchEvent(new Event('input'));"
        "requestAnimationFrame(() => requestAnimationFrame(done));",
        value,
    )


def click(driver, element) -> None:
    """Click in the middle of the window, where the bar at its lower edge is not in the way."""
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def readings(driver) -> list[str]:
    return [text(driver, f"#live-{name}") for name in ("precision", "recall", "f1")]


def test_the_page_has_no_fault(driver) -> None:
    assert driver.get_log("browser") == []
    assert driver.title == "my-model on my-data"


def test_without_ground_truth_the_slider_shows_no_recall(driver, tmp_path) -> None:
    path = tmp_path / "report.html"
    write_report(path, analyse(image_set(([(A, 0.9, 0)], []))), About("m", "d"), grey)
    driver.get(path.as_uri())
    slide(driver, 0.5)
    assert (readings(driver), driver.get_log("browser")) == (["0.000", "–", "–"], [])
    assert text(driver, "#class-table .live-r") == "–"


def test_the_slider_moves_precision_and_recall(driver) -> None:
    """Five objects. From 0: 4 of 5 right. From 0.65: 0.9 and 0.8 right, 0.7 wrong. From 0.95: nothing."""
    slide(driver, 0)
    assert readings(driver) == ["0.800", "0.800", "0.800"]
    assert text(driver, "#counts") == "At confidence 0.00: 4 right, 1 wrong, 1 missed."
    slide(driver, 0.65)
    assert readings(driver) == ["0.667", "0.400", "0.500"]
    assert text(driver, "#at") == "0.65"
    assert text(driver, "#counts") == "At confidence 0.65: 2 right, 1 wrong, 3 missed."
    slide(driver, 0.95)
    assert readings(driver) == ["–", "0.000", "0.000"]


def test_it_starts_at_the_best_f1_and_returns_there(driver) -> None:
    assert text(driver, "#at") == "0.30"
    slide(driver, 0.9)
    driver.find_element("id", "reset").click()
    assert (text(driver, "#at"), readings(driver)[0]) == ("0.30", "0.800")


def test_the_slider_follows_the_keyboard(driver) -> None:
    driver.find_element("id", "threshold").send_keys("\ue014\ue014")  # twice the right arrow
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert text(driver, "#at") == "0.32"
    assert readings(driver) == ["0.750", "0.600", "0.667"]
    said = driver.find_element("id", "threshold").get_attribute("aria-valuetext")
    assert said == "0.32: precision 0.75, recall 0.60"


def test_the_slider_moves_the_marks_and_the_class_table(driver) -> None:
    def mark(name: str, side: str) -> float:
        return float(driver.find_element("id", name).get_attribute(side))

    slide(driver, 0.65)
    frame = Frame()  # precision 2/3, recall 2/5
    assert (mark("pr-dot", "cx"), mark("pr-dot", "cy")) == pytest.approx(
        (frame.across(0.4), frame.down(2 / 3)), abs=0.1
    )
    assert mark("cursor", "x1") == mark("cursor", "x2") == pytest.approx(frame.across(0.65))
    cells = driver.execute_script(
        "return [...document.querySelectorAll('#class-table tbody tr')].map(row => [row.dataset.class, "
        "row.querySelector('.live-p').textContent, row.querySelector('.live-r').textContent]).sort()"
    )
    assert cells == [["class 0", "1.00", "0.33"], ["class 1", "0.50", "1.00"], ["class 2", "–", "0.00"]]


def test_the_slider_hides_boxes_and_ground_truths_become_missed(driver) -> None:
    def seen(kind: str) -> int:
        return len(driver.find_elements("css selector", f"#images .shot {kind}:not(.off)"))

    slide(driver, 0)
    assert (seen(".right"), seen(".wrong"), seen(".missed")) == (4, 1, 1)
    slide(driver, 0.65)
    assert (seen(".right"), seen(".wrong"), seen(".missed")) == (2, 1, 3)
    slide(driver, 0.95)
    assert (seen(".right"), seen(".wrong"), seen(".missed")) == (0, 0, 5)
    assert "0 right, 0 wrong" in text(driver, "#images .tally")


def column(driver, place: int) -> list[str]:
    return driver.execute_script(
        "const rows = [...document.querySelectorAll('#class-table tbody tr')];"
        "return rows.map(row => row.cells[arguments[0]].textContent)",
        place,
    )


def orders(driver) -> list[str]:
    heads = driver.find_elements("css selector", "#class-table thead th")
    return [head.get_attribute("aria-sort") for head in heads]


def test_the_table_sorts_on_a_click(driver) -> None:
    heads = driver.find_elements("css selector", "#class-table thead button")
    assert orders(driver)[2] == "descending"  # AP50, as it comes
    click(driver, heads[1])
    assert column(driver, 1) == ["3", "1", "1"]  # objects, the most first
    assert orders(driver)[:3] == ["none", "descending", "none"]
    click(driver, heads[1])
    assert column(driver, 1) == ["1", "1", "3"]
    assert orders(driver)[1] == "ascending"
    click(driver, heads[0])
    assert column(driver, 0) == ["class 0", "class 1", "class 2"]  # names from A
    click(driver, heads[0])
    assert column(driver, 0) == ["class 2", "class 1", "class 0"]


def test_what_has_no_figure_stays_last(driver) -> None:
    head = driver.find_elements("css selector", "#class-table thead button")[7]
    for _ in range(2):
        click(driver, head)
        assert column(driver, 7)[-1] == "–"


@pytest.mark.parametrize("key", ["\ue007", " "], ids=["enter", "space"])
def test_the_table_sorts_from_the_keyboard(driver, key: str) -> None:
    driver.find_elements("css selector", "#class-table thead button")[0].send_keys(key)
    assert column(driver, 0) == ["class 0", "class 1", "class 2"]


def test_one_class_can_be_shown_among_the_curves(driver) -> None:
    driver.execute_script(
        "const pick = document.getElementById('pick'); pick.value = 'class 1';"
        "pick.dispatchEvent(new Event('change'))"
    )
    chosen = driver.find_elements("css selector", ".of-class.chosen")
    assert [curve.get_attribute("data-class") for curve in chosen] == ["class 1"]


def test_names_on_boxes_can_be_taken_away(driver) -> None:
    first = driver.find_element("css selector", "#images .box.right text")
    assert first.value_of_css_property("display") != "none"
    click(driver, driver.find_element("id", "labels"))
    assert first.value_of_css_property("display") == "none"


def test_no_label_covers_another_or_leaves_its_image(driver) -> None:
    slide(driver, 0)
    places = driver.execute_script(
        "return [...document.querySelectorAll('#images .shot')].map(shot => [shot.viewBox.baseVal.width,"
        "[...shot.querySelectorAll('.box:not(.off):not(.clash) text')].map(text => text.getBBox())"
        ".filter(box => box.width).map(box => [box.x, box.y, box.x + box.width, box.y + box.height])])"
    )
    assert sum(len(boxes) for _, boxes in places) >= 5
    for width, boxes in places:
        assert all(box[0] >= 0 and box[2] <= width + 0.01 for box in boxes)
        for place, (left, top, right, bottom) in enumerate(boxes):
            for other in boxes[:place]:
                assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def background(driver) -> str:
    return driver.execute_script("return getComputedStyle(document.body).backgroundColor")


def test_colours_follow_the_system_until_the_reader_chooses(driver, page: str) -> None:
    light = background(driver)
    button = driver.find_element("id", "theme")
    assert button.text == "Dark"
    button.click()
    dark = background(driver)
    assert (dark != light, button.text) == (True, "Light")
    driver.get(page)
    assert background(driver) == dark  # the choice stays
    driver.execute_script("localStorage.clear()")
    look(driver, dark=True)
    driver.get(page)
    assert background(driver) == dark
    assert driver.find_element("id", "theme").text == "Light"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_contrasts_with_its_background(driver, dark: bool) -> None:
    """WCAG 2.1 asks for a contrast of 4.5."""
    look(driver, dark=dark)
    assert poor_contrasts(driver) == []


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_window_never_scrolls_sideways(driver, width: int) -> None:
    look(driver, width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.find_element("id", "threshold").is_displayed()


def test_tab_goes_through_everything_that_can_be_used(driver) -> None:
    """The first is the link past the head; then come all buttons, the slider, and the boxes that scroll."""
    reached = driver.execute_script(
        "const all = [...document.querySelectorAll('a, button, input, select, summary, [tabindex=\"0\"]')];"
        "return all.filter(e => e.offsetParent && e.tabIndex < 0).length"
    )
    assert reached == 0
    driver.execute_script("document.activeElement.blur()")
    driver.find_element("tag name", "body").send_keys("\ue004")
    assert driver.switch_to.active_element.text == "Skip to the figures"


def test_it_prints_without_its_controls(driver) -> None:
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = ("nav", "#bar", "#theme", ".pick")
    assert [driver.find_element("css selector", it).is_displayed() for it in hidden] == [False] * 4
    assert background(driver) == "rgb(255, 255, 255)"
    data = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert data.startswith(b"%PDF")
