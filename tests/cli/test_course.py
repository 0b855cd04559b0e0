"""Whatever the course says is run, and what it points to is there."""

from __future__ import annotations

import re
import shlex

import pytest
from click.testing import CliRunner

from tests.shared import ROOT
from yolo_cli.cli import main

PAGE = ROOT / "docs" / "course.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines()]


def test_there_are_commands():
    assert len(LINES) >= 6
    assert all(line.startswith("yolo ") for line in LINES)


@pytest.mark.parametrize("line", LINES)
def test_the_command_runs(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("examples", "docs"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    done = CliRunner().invoke(main, shlex.split(line)[1:])
    assert done.exit_code == 0, done.output
    assert done.stdout


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT))))
def test_what_it_links_to_is_there(target):
    assert (PAGE.parent / target).exists()


@pytest.mark.parametrize("name", re.findall(r"yolo\s+weights\s+show\s+([\w-]+)", TEXT))
def test_the_models_that_it_names_are_there(name):
    assert CliRunner().invoke(main, ["weights", "show", name]).exit_code == 0
