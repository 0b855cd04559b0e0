"""Whatever the course says is run, the images it shows are made again, and what it points to is there."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner

from tests.shared import ROOT
from yolo_cli.cli import main

PAGE = ROOT / "docs" / "course.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines()]


def script(name):
    """A program of the course as a module."""
    found = importlib.util.spec_from_file_location(name, PAGE.parent / "course" / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


IMAGES = script("images")
IMAGE_OF = {command: name for name, command in IMAGES.COMMANDS.items()}


def command(line: str) -> str:
    return line.split("  #", maxsplit=1)[0]


def blocks():
    """Each block; those with a comment of their time take more than ten seconds on two quiet cores."""
    for block in BLOCKS:
        marks = [pytest.mark.slow] if re.search(r"  # \d+ s$", block, flags=re.MULTILINE) else []
        yield pytest.param(block.splitlines(), marks=marks, id=command(block.splitlines()[0]))


def test_there_are_commands():
    assert len(LINES) >= 30
    assert {line.split()[0] for line in LINES} == {"yolo", "python"}


@pytest.mark.parametrize("lines", list(blocks()))
def test_the_commands_run_and_make_the_image(lines, tmp_path, monkeypatch):
    monkeypatch.chdir(IMAGES.prepared(tmp_path))
    if any(map(IMAGES.lacks, lines)):
        pytest.skip(f"needs {' or '.join(IMAGES.OUTSIDE)} in ../shared")
    for line in map(command, lines):
        before = IMAGES.images_in(tmp_path)
        run(line)
        name = IMAGE_OF.get(line)
        for plot in IMAGES.plots(name) if name else ():
            path = tmp_path / plot if plot.endswith(".png") else max(IMAGES.images_in(tmp_path) - before)
            check_image(plot, path)


def run(line: str) -> None:
    words = shlex.split(line)
    if words[0] == "python":
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, *words[1:]], env=environment, check=True)
        return
    done = CliRunner().invoke(main, words[1:])
    assert done.exit_code == 0, done.output
    assert done.stdout


def check_image(name, path) -> None:
    """As large as the one of the page, and nearly alike: WebP and another release change a little.

    What 200 steps of an optimizer end at changes more.
    """
    assert IMAGES.difference(name, IMAGES.shrunk(name, path)) < (16 if name == "stylized.webp" else 8)


def test_another_image_is_noticed():
    import cv2

    made = cv2.imread(str(PAGE.parent / "course" / "rcnn.webp"))
    assert IMAGES.difference("rcnn.webp", made) == 0
    assert IMAGES.difference("rcnn.webp", made[:, ::-1]) > 16
    with pytest.raises(ValueError, match="but was made with"):
        IMAGES.difference("rcnn.webp", made[1:])


def test_each_image_is_shown_below_its_command():
    shown = re.findall(r"\]\(course/([\w-]+\.\w+)[^)]*\)", TEXT)
    assert set(IMAGES.COMMANDS) <= set(shown)
    for name, made_by in IMAGES.COMMANDS.items():
        assert made_by in map(command, LINES), name
    kinds = {".jpg", ".png", ".webp"}
    files = {path.name for path in (PAGE.parent / "course").iterdir() if path.suffix in kinds}
    assert files <= set(shown)


HEADINGS = """
edges;padding;stride;volume;pooling;one layer;why convolutions;LeNet;AlexNet;VGG
ResNet;Inception;1 × 1;MobileNet;bottleneck;EfficientNet;Transfer;Augmentation
Localisation;Landmarks;sliding window;convolutional sliding window;grid;Intersection over union;U-Net
Non-maximum suppression;Anchors;YOLO;R-CNN;Fast R-CNN;Faster R-CNN;Verification;one-shot;Siamese;Triplet
Binary classification;style transfer;What layers learn;cost;one dimension;three dimensions
"""


@pytest.mark.parametrize("heading", re.split("[;\n]", HEADINGS.strip()))
def test_every_heading_of_the_lecture_is_there(heading):
    assert heading.lower() in TEXT.lower()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)[^)]*\)", TEXT))))
def test_what_it_links_to_is_there(target):
    assert (PAGE.parent / target).exists()


@pytest.mark.parametrize("name", re.findall(r"yolo\s+weights\s+show\s+([\w-]+)", TEXT))
def test_the_models_that_it_names_are_there(name):
    assert CliRunner().invoke(main, ["weights", "show", name]).exit_code == 0
