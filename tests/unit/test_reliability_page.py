"""docs/reliability.md: every promise names a test, and the test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
TABLES = re.findall(r"^\| what \|.*\n\|-.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
ROWS = [line for table in TABLES for line in table.splitlines()]


def exists(name: str) -> bool:
    path, _, function = name.partition("::")
    file = ROOT / "tests" / path
    if not file.is_file():
        return False
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return function in tests if function else any(test.startswith("test") for test in tests)


def test_every_promise_names_tests_that_exist() -> None:
    assert len(ROWS) >= 25
    for row in ROWS:
        names = re.findall(r"`([\w/]+\.py(?:::\w+)?)`", row.split(" | ")[-1])
        assert names, row
        assert [name for name in names if not exists(name)] == [], row


def test_a_missing_test_would_be_seen() -> None:
    assert not exists("hostile/test_nothing.py")
    assert not exists("hostile/test_streams.py::test_nothing")
