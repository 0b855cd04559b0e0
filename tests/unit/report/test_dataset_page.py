"""The page of a data set, as text and as a browser shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser import browser, look, needs_chromium, poor_contrasts
from tests.there_and_back import make_images, memory_set
from yolo_cli.datasets.statistics import statistics
from yolo_cli.report.dataset_page import write_dataset_page

BOXES = {
    "a": [[0, 8, 12, 40, 36], [1, 0, 0, 16, 24]],
    "b": [[1, 0, 0, 37, 91]] * 3,
    "c": [[0, 0, 0, 320, 300]],
    "d": [],
}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    dataset = memory_set(make_images(tmp_path / "<script>alert(1)</script>".replace("/", "_")), BOXES)
    write_dataset_page(tmp_path / "report.html", statistics(dataset))
    return tmp_path / "report.html"


def test_it_needs_no_other_file_and_escapes_names(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    assert "<script>alert" not in text
    assert "4 images, 6 boxes, 3 classes" in text
    assert "<title>images with 3 or more boxes: 1</title>" in text


def test_a_single_class_has_no_matrix(tmp_path: Path) -> None:
    dataset = memory_set(make_images(tmp_path / "images"), {"a": BOXES["a"][:1]})
    write_dataset_page(tmp_path / "report.html", statistics(dataset))
    assert "occur together" not in (tmp_path / "report.html").read_text()


def test_no_box_at_all(tmp_path: Path) -> None:
    dataset = memory_set(make_images(tmp_path / "images"), {"a": [], "b": []})
    write_dataset_page(tmp_path / "report.html", statistics(dataset))
    assert "2 images, 0 boxes" in (tmp_path / "report.html").read_text()


@needs_chromium
def test_it_can_be_read_in_both_colours_and_on_a_phone(page: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as driver:
        for width, dark in ((1280, False), (1280, True), (400, False)):
            look(driver, width, 900, dark)
            driver.get(page.as_uri())
            assert poor_contrasts(driver) == []
            assert driver.execute_script("return document.documentElement.scrollWidth") <= width
            assert driver.get_log("browser") == []
