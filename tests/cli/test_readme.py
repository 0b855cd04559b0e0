"""Whatever the README says is run: each `yolo` line of its ```sh blocks, beside a copy of the data."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.example_sets import write_examples
from tests.shared import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line.startswith("yolo ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory that looks like the checkout, so that results do not land in it."""
    place = tmp_path_factory.mktemp("readme")
    (place / "examples").symlink_to(ROOT / "examples")
    write_examples(place / "my-data")
    return place


def test_there_are_commands() -> None:
    assert len(LINES) >= 6


@pytest.mark.parametrize("line", LINES)
def test_the_command_runs(line: str, folder: Path) -> None:
    command = [sys.executable, "-m", "yolo_cli", *shlex.split(line)[1:]]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_what_it_links_to_is_there(target: str) -> None:
    assert (ROOT / target).exists()
