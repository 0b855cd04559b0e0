"""The part of a page about pseudo-labels."""

from __future__ import annotations

from yolo_cli.report.pseudo_labels import ClassCount, PseudoLabelFigures

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
