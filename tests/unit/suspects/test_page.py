"""The page of suspects, by its keys, and what it saves, applied to a copy."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import browser, look, needs_chromium, poor_contrasts
from tests.made_sets import write_yolo
from yolo_cli.api.linting import lint
from yolo_cli.datasets import Dataset, open_dataset
from yolo_cli.results import Detection
from yolo_cli.suspects import Label, Suspect, SuspectReport
from yolo_cli.suspects.page import MOST_OF_A_KIND


def suspects_of(data: Dataset) -> tuple[Suspect, ...]:
    """One of each kind, on three of the made images."""
    by_stem = {sample.path.stem: sample for sample in data.samples}

    def suspect(kind: str, score: float, stem: str, label: Label | None, seen: Detection | None) -> Suspect:
        sample = by_stem[stem]
        return Suspect(kind, score, sample.split, sample.name, f"{stem} <here>", label, seen)

    return (
        suspect("overlooked", 0.9, "b", None, Detection("dog", 1, 0.8, (4, 6, 24, 26))),
        suspect(
            "swapped", 0.8, "a", Label(1, "cat", (8, 12, 40, 36)), Detection("dog", 1, 0.7, (8, 12, 40, 36))
        ),
        suspect(
            "misplaced", 0.7, "a", Label(2, "dog", (0, 0, 16, 24)), Detection("dog", 1, 0.7, (8, 0, 24, 24))
        ),
        suspect("invented", 0.6, "c", Label(1, "dog", (4, 16, 12, 48)), None),
    )


@pytest.fixture
def report(tmp_path: Path) -> SuspectReport:
    data = open_dataset(write_yolo(tmp_path / "pets & co"))
    return SuspectReport(data, data.content_hash, "a <model>", suspects_of(data), ("mind <this>",))


def test_the_files(tmp_path: Path, report: SuspectReport) -> None:
    page = report.save(tmp_path)
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") == 4
    assert "a &lt;model&gt;" in text
    assert "mind &lt;this&gt;" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    saved = json.loads((tmp_path / "suspects.json").read_text())
    assert saved == report.to_dict()
    assert saved["counts"] == {"overlooked": 1, "swapped": 1, "misplaced": 1, "invented": 1}


def test_the_page_is_bounded_and_leaves_out_unreadable_images(tmp_path: Path, report: SuspectReport) -> None:
    first, *rest = report.suspects
    many = SuspectReport(report.dataset, report.content_hash, "m", (first,) * 100 + tuple(rest))
    text = many.save(tmp_path).read_text()
    assert text.count("data:image/jpeg;base64,") == MOST_OF_A_KIND + 3
    next(sample for sample in report.dataset.samples if sample.path.stem == "b").path.write_bytes(b"")
    assert report.save(tmp_path).read_text().count("data:image/jpeg;base64,") == 3


def test_no_suspects(tmp_path: Path, report: SuspectReport) -> None:
    nothing = SuspectReport(report.dataset, report.content_hash, "m", ())
    assert "No label is suspect" in nothing.save(tmp_path).read_text()


@pytest.fixture
def page(tmp_path: Path, report: SuspectReport) -> Iterator[Any]:
    path = report.save(tmp_path)
    with browser(tmp_path / "profile") as driver:
        folder = {"behavior": "allow", "downloadPath": str(tmp_path)}
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", folder)
        driver.get(path.as_uri())
        yield driver


def press(driver: Any, keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(driver).send_keys(keys).perform()


def shown(driver: Any, name: str) -> str:
    return str(driver.find_element("id", name).text)


@needs_chromium
def test_keys_accept_reject_undo_and_save(tmp_path: Path, report: SuspectReport, page: Any) -> None:
    assert shown(page, "title") == "1 of 4: overlooked, score 0.90"
    press(page, "a")  # the overlooked dog
    assert shown(page, "title").startswith("2 of 4: swapped")
    assert shown(page, "where") == "a <here>"
    press(page, "r")
    press(page, "u")
    assert shown(page, "title").startswith("2 of 4: swapped")
    assert shown(page, "status") == "1 accepted, 0 rejected, 3 left."
    press(page, "a")
    press(page, "n")  # neither: the misplaced one
    press(page, "p")
    assert shown(page, "proposal") == "Accept: move the box to where the model sees the object."
    press(page, "n")
    press(page, "r")
    assert shown(page, "status") == "This one is rejected. 2 accepted, 1 rejected, 1 left."
    press(page, "s")
    path = tmp_path / "corrections.json"
    deadline = time.monotonic() + 10
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    fixed = lint(report.dataset.root, fix=tmp_path / "fixed", apply=path).fixed
    assert [it for it in fixed.done if "box" in it or "added" in it] == [
        "images/train/b.jpg: added dog at 4 6 24 26",
        "images/train/a.jpg: box 1 is dog now",
    ]
    assert page.get_log("browser") == []


@needs_chromium
def test_decisions_outlive_the_page_and_belong_to_the_data(page: Any) -> None:
    press(page, "a")
    assert shown(page, "status") == "1 accepted, 0 rejected, 3 left."
    page.refresh()
    assert shown(page, "status") == "1 accepted, 0 rejected, 3 left."
    assert shown(page, "title").startswith("2 of 4")  # the first without a decision


@needs_chromium
def test_one_kind_at_a_time(page: Any) -> None:
    from selenium.webdriver.support.select import Select

    Select(page.find_element("id", "kind")).select_by_value("invented")
    assert shown(page, "title") == "1 of 1: invented, score 0.60"
    assert shown(page, "seen") == "nothing"
    assert not page.find_elements("css selector", "#right rect")
    assert len(page.find_elements("css selector", "#left .label")) == 1


@needs_chromium
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_can_be_read(page: Any, dark: bool) -> None:
    for width in (1280, 360):
        look(page, width=width, height=800, dark=dark)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        assert poor_contrasts(page) == []
