"""A working directory for what the documentation runs: ``examples``, and a data set in ``my-data``."""

from __future__ import annotations

import pytest

from tests.example_sets import write_examples
from tests.shared import ROOT


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Go there."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    write_examples(tmp_path / "my-data")
    monkeypatch.chdir(tmp_path)
