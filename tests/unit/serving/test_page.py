"""The page for people, in headless Chromium: an image, the threshold, several models, the camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import browser, look, needs_chromium, poor_contrasts
from tests.shared import ROOT
from yolo_cli.config import ServeConfig
from yolo_cli.detectors import load_detector
from yolo_cli.serving import Server, create_app

pytestmark = needs_chromium

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with browser(tmp_path_factory.mktemp("profile"), *CAMERA) as found:
        yield found


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """One server with two models, and one with a token."""
    detectors = [load_detector(name, engine="onnx") for name in ("yolov4-tiny-coco", "fast-rcnn-voc")]
    free, closed = ServeConfig(port=0), ServeConfig(port=0, token=TOKEN)
    with (
        Server(create_app(detectors, free), free) as one,
        Server(create_app(detectors[:1], closed), closed) as two,
    ):
        yield {"free": one.url, "closed": two.url}


def until(driver: Any, ready: Callable[[], Any]) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 60, 0.1).until(lambda _: ready())


def find(driver: Any, selector: str) -> list[Any]:
    return list(driver.find_elements("css selector", selector))


def text(driver: Any, selector: str) -> str:
    return " ".join(element.text for element in find(driver, selector))


def open_page(driver: Any, url: str) -> None:
    driver.get(url)
    until(driver, lambda: find(driver, "#models input"))


def choose(driver: Any, image: str) -> None:
    find(driver, "#file")[0].send_keys(str(ROOT / "examples" / image))


def set_threshold(driver: Any, value: float) -> None:
    slider = find(driver, "#conf")[0]
    script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
    driver.execute_script(script, slider, value)


def test_two_models_find_the_cup_and_the_threshold_chooses(driver: Any, urls: dict[str, str]) -> None:
    open_page(driver, urls["free"])
    choose(driver, "coffee.jpg")
    until(driver, lambda: len(find(driver, "#results canvas")) == 2)
    first = "#results section:first-child"
    assert text(driver, "#results h2") == "yolov4-tiny-coco fast-rcnn-voc"
    # At the model's own threshold, .25: the cup (.93) and the table (.37), as the command line finds them.
    assert "2 objects" in text(driver, f"{first} .sub")
    assert "cup 1 × confidence 0.93" in text(driver, f"{first} tr")
    set_threshold(driver, 0.5)
    assert "1 object," in text(driver, f"{first} .sub")
    set_threshold(driver, 0.95)
    assert "0 objects" in text(driver, f"{first} .sub")
    assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_can_be_read_in_light_and_dark(driver: Any, urls: dict[str, str], width: int, dark: bool) -> None:
    look(driver, width, 900, dark)
    open_page(driver, urls["free"])
    choose(driver, "coffee.jpg")
    until(driver, lambda: len(find(driver, "#results canvas")) == 2)
    assert poor_contrasts(driver) == []
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


# Answers with three objects in one place, and keeps the rectangles that are filled.
THREE_IN_ONE = """
    const box = [100, 100, 300, 300], names = ["cat", "dog", "bear"];
    const found = (class_name, class_id) => ({class_id, class_name, confidence: 0.9 - class_id / 10, box});
    const detections = names.map(found);
    const image = {image: "x", width: 600, height: 400, time_ms: {}, detections};
    const answer = JSON.stringify({model: {}, images: [image]});
    window.fetch = () => Promise.resolve(new Response(answer));
    const fill = CanvasRenderingContext2D.prototype.fillRect;
    window.filled = [];
    CanvasRenderingContext2D.prototype.fillRect = function (...place) {
      window.filled.push(place);
      fill.apply(this, place);
    };
"""


def test_labels_of_objects_in_one_place_do_not_cover_each_other(driver: Any, urls: dict[str, str]) -> None:
    open_page(driver, urls["free"])
    driver.execute_script(THREE_IN_ONE)
    find(driver, "#models input")[1].click()  # one model is enough
    choose(driver, "coffee.jpg")
    until(driver, lambda: "3 objects" in text(driver, "#results .sub"))
    places = driver.execute_script("return window.filled")
    # Letters are 14.4 pixels high, labels 18.72: two are above the box, one a side, one is inside it.
    assert sorted(round(top, 2) for _, top, _, _ in places) == [81.28, 81.28, 100]
    (one, _, wide, _), (other, *_) = sorted(place for place in places if place[1] < 100)
    assert one + wide <= other


def test_the_camera_is_followed_until_it_is_stopped(driver: Any, urls: dict[str, str]) -> None:
    look(driver)
    open_page(driver, urls["free"])
    find(driver, "#camera")[0].click()
    until(driver, lambda: "frames a second" in text(driver, "#status"))
    assert text(driver, "#camera") == "Stop the camera"
    find(driver, "#camera")[0].click()
    assert text(driver, "#camera") == "Use the camera"


def test_a_text_file_is_refused_in_words(driver: Any, urls: dict[str, str], tmp_path: Path) -> None:
    open_page(driver, urls["free"])
    (tmp_path / "notes.jpg").write_text("no image at all")
    find(driver, "#file")[0].send_keys(str(tmp_path / "notes.jpg"))
    until(driver, lambda: "holds text, not an image" in text(driver, "#status"))


def test_a_server_with_a_token_asks_for_it(driver: Any, urls: dict[str, str]) -> None:
    driver.get(urls["closed"])
    until(driver, find(driver, "#token")[0].is_displayed)
    find(driver, "#token")[0].send_keys(TOKEN)
    find(driver, "#token-form button")[0].click()
    until(driver, lambda: find(driver, "#models input"))
    choose(driver, "cat.jpg")
    until(driver, lambda: "cat 1 ×" in text(driver, "#results tr"))


def test_nothing_comes_from_elsewhere() -> None:
    """The page's files name no other server; the policy would refuse it, too."""
    for file in (ROOT / "yolo_cli" / "serving" / "page").iterdir():
        assert "://" not in file.read_text(encoding="utf-8")
