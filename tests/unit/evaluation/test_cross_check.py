"""The same detections, evaluated by pycocotools."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from hypothesis import given

from tests.evaluation_sets import Mixture, mixtures, random_set
from yolo_cli.errors import UsageError
from yolo_cli.evaluation import COCO, cross_check, evaluate


@given(mixtures())
def test_pycocotools_comes_to_the_same(mixture: Mixture) -> None:
    gathered = random_set(mixture)
    checks = cross_check(gathered, evaluate(gathered, COCO).coco)
    assert len(checks) == 12
    assert all(abs(check.difference) < 1e-9 for check in checks)


def test_a_difference_would_show() -> None:
    gathered = random_set(Mixture(ground_truths=30, found=60))
    figures = dict(evaluate(gathered, COCO).coco)
    figures["AP50"] = (figures["AP50"] or 0.0) + 0.125
    figures["AP75"] = None
    shown = {check.name: check.difference for check in cross_check(gathered, figures)}
    assert shown["AP50"] == pytest.approx(0.125)
    assert shown["AP75"] == float("inf")
    assert abs(shown["AP"]) < 1e-9


def test_without_pycocotools_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("pycocotools"):
            raise ImportError(name)
        return plain(name, *rest, **named)

    gathered = random_set(Mixture())
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'yolo-cli\[coco\]'"):
        cross_check(gathered, {})
