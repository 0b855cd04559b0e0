"""The part of a page about pseudo-labels."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.report.test_page import Page, written
from yolo_cli.report.pseudo_labels import ClassCount, PseudoLabelFigures, Trained

MODELS = ()


def test_rows_are_fractions_of_each_kind() -> None:
    """Of 8 labels 6 are cats, of 20 pseudo-labels 5: .75 and .25. Birds occur in neither."""
    classes = (ClassCount("dog", 2, 15), ClassCount("cat", 6, 5), ClassCount("bird", 0, 0))
    figures = PseudoLabelFigures("", classes, MODELS)
    assert [(one.class_name, a, b) for one, a, b in figures.rows] == [
        ("cat", 0.75, 0.25),
        ("dog", 0.25, 0.75),
    ]
    assert figures.highest == 0.75


def test_without_pseudo_labels_their_bars_are_empty() -> None:
    figures = PseudoLabelFigures("", (ClassCount("cat", 3, 0),), MODELS)
    assert [row[1:] for row in figures.rows] == [(1.0, 0.0)]
    assert PseudoLabelFigures("", (), MODELS).highest == 1.0


def test_the_page_shows_them(tmp_path: Path) -> None:
    """Bars are relative to the longest: .75 of the labels is 100 %, .25 of the pseudo-labels a third."""
    classes = (ClassCount("cat & co", 6, 5), ClassCount("dog", 2, 15))
    models = (Trained("labelled images alone", 0, 0.6, 0.3, False), Trained("round 1", 1234, 0.7, 0.4, True))
    figures = PseudoLabelFigures("it helps", classes, models)
    text = written(tmp_path, pseudo_labels=figures)
    page = Page(text)
    assert "pseudo-labels" in page.ids
    assert "It helps." in page.words
    part = text[text.index('<section id="pseudo-labels"') :]
    assert "cat &amp; co" in part
    assert ">1,234</td><td" in part.replace(' class="n"', "")
    assert part.count("kept") == 1
    widths = [float(width) for width in re.findall(r'class="of-[a-z]+" style="width:([\d.]+)%"', part)]
    assert widths == [100.0, 33.3, 33.3, 100.0]


def test_a_page_without_them_does_not_mention_them(tmp_path: Path) -> None:
    assert "seudo-label" not in written(tmp_path)
