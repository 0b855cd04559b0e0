"""The page as a file: whole, self-contained, well formed, and safe whatever a class is called."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation_sets import Mixture, image_set, random_set
from yolo_cli.errors import DataError
from yolo_cli.evaluation import COCO, Difference, Evaluator, protocol
from yolo_cli.images import Image
from yolo_cli.report import About, TrainingCurves, analyse, write_report

VOID = {"meta", "link", "input", "br", "img", "hr"}
ALONE = {"rect", "line", "polyline", "circle", "image"}  # of SVG, written <rect/>
BOX = (10.0, 10.0, 60.0, 60.0)


class Page(HTMLParser):
    """Checks that every element is closed, and collects ids, links and words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self._note(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        assert tag in ALONE
        self._note(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def _note(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]


def smooth(name: str) -> Image:
    y, x = np.mgrid[:240, :320]
    return Image(np.stack([x % 256, y % 256, (x + y) % 256], axis=-1).astype(np.uint8), name)


def written(tmp_path: Path, gathered=None, rules=COCO, **more) -> str:
    path = tmp_path / "report.html"
    about = more.pop("about", About("my-model", "my-data, split val"))
    analysis = analyse(random_set(Mixture(seed=3)) if gathered is None else gathered, rules)
    write_report(path, analysis, about, more.pop("read", smooth), **more)
    return path.read_text(encoding="utf-8")


def test_it_is_whole_and_says_what_was_evaluated(tmp_path: Path) -> None:
    page = Page(written(tmp_path))
    words = " ".join(" ".join(page.words).split())
    assert "my-model" in words
    assert "evaluated on my-data, split val: 5 images" in words
    for part in ("Curves", "Classes", "Mistakes", "Confusion", "Calibration", "Images"):
        assert part in words
    assert "101 points" in words  # the protocol


def test_it_needs_no_other_file_and_no_network(tmp_path: Path) -> None:
    text = written(tmp_path)
    page = Page(text)
    links = [value for _, name, value in page.attributes if name in ("href", "src", "action")]
    assert all(value.startswith(("#", "data:")) for value in links)
    assert not re.search(r"https?:|@import|url\(", text)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_ids_are_unique_and_links_lead_somewhere(tmp_path: Path) -> None:
    page = Page(written(tmp_path))
    assert len(page.ids) == len(set(page.ids))
    targets = [value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    named = [value for _, name, value in page.attributes if name in ("for", "aria-labelledby", "list")]
    assert set(targets + named) <= set(page.ids)


def test_every_image_and_chart_has_words(tmp_path: Path) -> None:
    text = written(tmp_path)
    drawings = re.findall(r"<svg[^>]*>", text)
    assert len(drawings) > 5
    assert all('role="img"' in tag and re.search(r'aria-label="[^"]+"', tag) for tag in drawings)


def test_a_class_may_be_called_anything(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>\"'&<b>"
    evaluator = Evaluator((evil, "b"))
    one = image_set(([(BOX, 0.9, 0), (BOX, 0.8, 1)], [(BOX, 0)]), classes=2)
    evaluator.add("<img src=x onerror=alert(1)>.jpg", one.found, one.ground_truth)
    text = written(tmp_path, evaluator.gathered(), about=About(evil, evil, (evil,), lint=evil))
    assert "alert(1)</script>" not in text
    assert "<b>" not in text
    assert "<img" not in text
    page = Page(text)
    assert any(value == evil for _, name, value in page.attributes if name == "data-class")


def test_the_slider_has_what_it_needs(tmp_path: Path) -> None:
    """Right at 0.9 and 0.5, wrong at 0.7, of three objects: what stays at a threshold of 0, 0.6, 0.95."""
    far = (100.0, 100.0, 150.0, 150.0)
    gathered = image_set(
        ([(BOX, 0.9, 0), (far, 0.5, 0)], [(BOX, 0), (far, 0)]), ([(BOX, 0.7, 1)], [(far, 0)])
    )
    text = written(tmp_path, gathered)
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))
    at = {
        place: [data[key][place] for key in ("found", "right", "precision", "recall")]
        for place in (0, 60, 95)
    }
    assert at[0] == [3, 2, 0.666667, 0.666667]
    assert at[60] == [2, 1, 0.5, 0.333333]
    assert at[95] == [0, 0, None, 0.0]  # of no detections, no fraction is right
    assert data["ground_truths"] == 3
    assert data["classes"]["class 0"][0][0] == 1.0
    assert len(data["precision"]) == 101


def test_head_slider_and_confusion_agree(tmp_path: Path) -> None:
    """Objects found at 0.897 and 0.93, nothing else: all of them at 0.89, but 1 of 2 at 0.90."""
    far = (100.0, 100.0, 150.0, 150.0)
    text = written(tmp_path, image_set(([(BOX, 0.897, 0), (far, 0.93, 0)], [(BOX, 0), (far, 0)])))
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))
    assert re.search(r'id="threshold"[^>]* value="0.89"', text)
    assert (data["recall"][89], data["recall"][90]) == (1, 0.5)
    assert "<dt>Recall</dt><dd>1.000</dd>" in text
    assert 'recall <b id="live-recall">1.000</b>' in text
    assert re.search(r'<th scope="row">class 0</th><td class="hit"[^>]*>2</td><td></td>', text)  # none missed


def test_the_slider_rounds_once(tmp_path: Path) -> None:
    """52 of 61 right is 0.85246, 0.852 in the head; rounded to 0.8525 first, the slider would say 0.853."""
    places = [(10.0 * k, 10.0, 10.0 * k + 9, 60.0) for k in range(61)]
    found = [(place, 0.9, 0) for place in places]
    text = written(tmp_path, image_set((found, [(place, 0) for place in places[:52]])))
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))
    assert "<dt>Precision</dt><dd>0.852</dd>" in text
    assert f"{data['precision'][90]:.3f}" == "0.852"


def test_a_class_never_found_has_no_precision(tmp_path: Path) -> None:
    text = written(tmp_path, image_set(([(BOX, 0.9, 0)], [(BOX, 0), (BOX, 1)])))
    assert re.search(
        r'<tr data-class="class 1">.*\n.*<td class="n live-p">–</td><td class="n live-r">0.00</td>', text
    )
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))
    assert data["classes"]["class 1"] == [[None] * 101, [0.0] * 101]
    assert data["classes"]["class 0"][0][90:92] == [1.0, None]


def test_without_ground_truth_there_is_no_recall(tmp_path: Path) -> None:
    """One detection of class 1, which has no object, is wrong: precision 0; recall would be 0 / 0."""
    text = written(tmp_path, image_set(([(BOX, 0.9, 1)], [])))
    for name, value in (("Precision", "0.000"), ("Recall", "–"), ("F1", "–")):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in text
    assert re.search(r'<td class="n live-p">0.00</td><td class="n live-r">–</td><td class="n">–</td>', text)
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))
    assert data["recall"] == [None] * 101
    assert data["classes"]["class 1"] == [[0.0] * 91 + [None] * 10, [None] * 101]
    assert '<polyline class="recall" points=""/><polyline class="f1" points=""/>' in text.replace("\n", "")


def test_it_stays_small_with_large_images_and_many_classes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1600, 3), np.uint8)
    gathered = random_set(Mixture(seed=1, images=30, classes=80, ground_truths=600, found=3000))
    text = written(tmp_path, gathered, read=lambda name: Image(noise, name))
    assert len(text) < 3_000_000


@pytest.mark.parametrize(
    "empty", [([], []), ([], [(BOX, 0)]), ([(BOX, 0.9, 0)], [])], ids=["both", "found", "ground_truth"]
)
def test_nothing_found_and_nothing_there(empty, tmp_path: Path) -> None:
    Page(written(tmp_path, image_set(empty)))


def test_without_images_there_is_no_gallery(tmp_path: Path) -> None:
    page = Page(written(tmp_path, read=None))
    assert "images" not in page.ids
    assert "image" not in {tag for tag, _, _ in page.attributes}


def test_another_overlap_has_its_own_figure(tmp_path: Path) -> None:
    assert "mAP at IoU 0.75" in written(tmp_path, rules=protocol("voc10", 0.75))
    assert "mAP at IoU" not in written(tmp_path)


def test_a_baseline_and_a_training(tmp_path: Path) -> None:
    about = About("m", "d", differences={"map50": Difference(0.5, 0.625, 0.0625, 0.1875, "better")})
    curves = TrainingCurves((1, 2), {"loss": (2.0, 1.0)})
    page = Page(written(tmp_path, about=about, training_curves=curves))
    words = " ".join(page.words)
    assert "+0.125" in words
    assert "better" in words
    assert {"training", "h-training"} <= set(page.ids)


def test_it_is_the_same_every_time(tmp_path: Path) -> None:
    assert written(tmp_path) == written(tmp_path)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    analysis = analyse(random_set(Mixture()))
    with pytest.raises(DataError, match="cannot be written: No such file or directory"):
        write_report(tmp_path / "none" / "report.html", analysis, About("m", "d"))
