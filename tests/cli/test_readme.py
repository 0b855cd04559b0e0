"""Whatever the README says is run: each `yolo` line of its ```sh blocks, beside a copy of the data."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import ROOT
from yolo_cli.images import read_image, write_image

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line.startswith("yolo ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory that looks like the checkout, so that results do not land in it."""
    place = tmp_path_factory.mktemp("readme")
    (place / "examples").symlink_to(ROOT / "examples")
    _write_data(place / "my-data")
    return place


def _write_data(folder: Path) -> None:
    """A small data set in YOLO form, without splits: the example images and their mirror images."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    (folder / "classes.txt").write_text("cat\ncup\nperson\n")
    boxes = {
        "cat": (0, 0.49, 0.5, 0.92, 1),
        "coffee": (1, 0.48, 0.38, 0.41, 0.69),
        "astronaut": (2, 0.42, 0.46, 0.73, 0.92),
    }
    for name, (class_id, x, y, w, h) in boxes.items():
        rgb = read_image(ROOT / "examples" / f"{name}.jpg").rgb
        for mirrored in (False, True):
            stem = f"{name}{mirrored:d}"
            write_image(folder / "images" / f"{stem}.jpg", rgb[:, ::-1] if mirrored else rgb)
            (folder / "labels" / f"{stem}.txt").write_text(
                f"{class_id} {1 - x if mirrored else x} {y} {w} {h}\n"
            )


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
