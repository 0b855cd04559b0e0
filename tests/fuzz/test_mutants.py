"""Mutants of good files: a few of each kind always, two minutes of them with ``-m slow``."""

from __future__ import annotations

import pytest

from tests.fuzz.mutants import TARGETS
from tests.fuzz.trials import Target, attack

HEAVY = {"keras", "onnx", "openvino"}


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_mutants(name):
    report = attack(TARGETS[name], 60 if name in HEAVY else 200, seed=0, seconds=30)
    assert not report.faults


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_many_mutants(name):
    report = attack(TARGETS[name], 100_000, seed=1, seconds=120 / len(TARGETS))
    assert not report.faults


def test_a_reader_that_breaks_is_found():
    report = attack(Target(lambda path: 1 / (path.stat().st_size - 8), lambda: {".a": bytes(9)}), 200, 0, 10)
    assert any("ZeroDivisionError" in fault for fault in report.faults)
