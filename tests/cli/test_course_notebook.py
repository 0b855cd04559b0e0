"""The notebook of the course is that of the page, and runs from top to bottom; the pages make a site."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from tests.cli.test_course import IMAGES, PAGE, TEXT, script
from tests.shared import ROOT

NOTEBOOK = script("notebook")
MKDOCS = os.environ.get("YOLO_CLI_DOCS_PYTHON")
LONGEST = 40  # seconds on two quiet cores


def test_the_notebook_is_that_of_the_page():
    """After a change of the page: python docs/course/notebook.py"""
    assert (PAGE.parent / "course.ipynb").read_text(encoding="utf-8") == NOTEBOOK.notebook(TEXT)


def test_the_notebook_has_every_command():
    cells = NOTEBOOK.cells(TEXT)
    code = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code")
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL))
    lines = "".join(f"!{line}\n" for line in blocks.splitlines())
    assert code == f"{NOTEBOOK.START}\n{lines}"
    assert "dark-mode" not in json.dumps(cells)


@pytest.mark.slow
def test_the_notebook_runs(tmp_path):
    """Cell by cell, in one folder, as a notebook would; those of over 40 seconds are left out."""
    IMAGES.prepared(tmp_path)
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "yolo").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m yolo_cli "$@"\n')
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    for cell in json.loads((PAGE.parent / "course.ipynb").read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        long = any(int(took) > LONGEST for took in re.findall(r"# (\d+) s$", source, flags=re.MULTILINE))
        if cell["cell_type"] != "code" or long or IMAGES.lacks(source):
            continue
        for line in re.findall("^!(.*)", source, flags=re.MULTILINE):
            subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environment, check=True)


@pytest.mark.skipif(not MKDOCS, reason="YOLO_CLI_DOCS_PYTHON names no Python with docs/requirements.txt")
def test_the_pages_make_a_site(tmp_path):
    """Without network: no page asks for a font or a script from elsewhere, and each image is there."""
    words = ["-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    offline = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "https_proxy": "http://127.0.0.1:9"}
    subprocess.run([MKDOCS, *words], cwd=ROOT, env=offline, check=True)
    page = (tmp_path / "course" / "index.html").read_text(encoding="utf-8")
    assert "How detection came about" in page
    assert not re.findall(r'<(?:script|img)[^>]+src="https?://|<link[^>]+stylesheet[^>]+https?://', page)
    images = re.findall(r'<img[^>]+src="([^"#]+)', page)
    assert len(images) > 20
    assert [image for image in images if not (tmp_path / "course" / image).is_file()] == []
