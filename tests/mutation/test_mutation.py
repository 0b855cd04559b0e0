"""The runner of mutation tests: what it changes, and that the change arrives."""

from __future__ import annotations

import sys
from importlib import import_module

from tests.mutation.__main__ import CODE, PARTS, ROOT, SURVIVORS, known
from tests.mutation.mutants import mutants_of
from tests.mutation.transplant import transplant

SOURCE = '''
"""Words are left alone."""
from dataclasses import dataclass

LIMIT = 3


def below(value, most=LIMIT):
    if value < 0:
        raise ValueError(f"{value - 1}")
    return value <= most and sorted([value], reverse=True)[0] * 2 < 40


@dataclass
class Box:
    width: int = 7

    @property
    def half(self):
        return self.width / 2
'''


def texts(folder):
    (folder / "changed_here.py").write_text(SOURCE)
    return {mutant.text: mutant for mutant in mutants_of(folder / "changed_here.py")}


def test_what_is_changed(tmp_path):
    found = texts(tmp_path)
    assert "below: value < 0 → value <= 0" in found
    assert "below: sorted([value], reverse=True) → sorted([value])" in found
    assert "Box.half: self.width / 2 → self.width * 2" in found
    assert not [text for text in found if "Words" in text or "ValueError" in text or "value - 1" in text]


def test_a_change_arrives_where_the_function_was_imported_before(tmp_path, monkeypatch):
    found = texts(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    module = import_module("changed_here")
    monkeypatch.setitem(sys.modules, "changed_here", module)
    below, box = module.below, module.Box()
    old = compile(SOURCE, str(tmp_path / "changed_here.py"), "exec", dont_inherit=True)

    assert below(3)
    transplant(module, old, found["below: value <= most → value < most"].code())
    assert not below(3)
    transplant(module, old, found[": 3 → 2"].code())
    assert (module.LIMIT, below.__defaults__) == (2, (2,))
    transplant(module, old, found["Box.half: self.width / 2 → self.width * 2"].code())
    assert box.half == 14


def test_its_parts_and_survivors_exist():
    for code, tests in PARTS.values():
        assert all((CODE / place).exists() for place in code)
        assert all((ROOT / place).exists() for place in tests)
    every = {
        f"{path.relative_to(CODE)}: {mutant.text}"
        for part in PARTS.values()
        for place in part[0]
        for path in (sorted((CODE / place).rglob("*.py")) or [CODE / place])
        for mutant in mutants_of(path)
    }
    assert known() <= every, f"remove from {SURVIVORS.name}"
