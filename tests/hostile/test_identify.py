"""`yolo identify` on what goes wrong: each is one line, and the gallery is as it was."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.shared import ROOT
from yolo_cli import list_identities
from yolo_cli.cli import main
from yolo_cli.images import write_image


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with photos, good and bad, and a gallery that holds a cat."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("cat", "coffee"):
        shutil.copy(ROOT / f"examples/{name}.jpg", folder)
    (folder / "zero.jpg").touch()
    write_image(folder / "grey.png", np.full((64, 64, 3), 127, np.uint8))
    words = ["identify", "learn", "Tom", str(folder / "cat.jpg"), "--gallery", str(folder / "gallery.json")]
    assert CliRunner().invoke(main, [*words, "--classes", "cat"]).exit_code == 0
    return folder


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    """Run the command in a copy of that folder."""
    folder = tmp_path / "here"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)

    def call(*words):
        done = CliRunner().invoke(main, ["identify", *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stderr

    return call


def test_a_name_is_text_of_a_line(run):
    before = Path("gallery.json").read_bytes()
    for name, words in (
        ("a\tb", "holds a control character"),
        ("a\nb", "holds a control character"),
        ("\x1b[31mred", "holds a control character"),
        ("ü" * 150, "has more than 255 bytes"),
        ("unknown", "choose another"),
    ):
        code, said = run("learn", name, "cat.jpg")
        assert (code, said.count("\n")) == (2, 1), said
        assert words in said
        assert "\x1b" not in said
    assert Path("gallery.json").read_bytes() == before


def test_a_name_never_leaves_the_folder(run):
    """A slash, dots and a formula are names like others; crops go by names, below the folder of crops."""
    for name in ("../../up", "a/b", "=1+1"):
        assert run("learn", name, "cat.jpg", "--classes", "cat", "--gallery", "g.json")[0] == 0
        code, _ = run("cat.jpg", "--classes", "cat", "--gallery", "g.json", "--save-crops", "--out", "out")
        assert code == 0
        [crop] = Path("out").rglob("*.jpg")
        assert crop.parts[:2] == ("out", "crops")
        assert len(crop.parts) == 4
        assert not (Path("..") / "up").exists()
        shutil.rmtree("out")
        assert run("forget", name, "--gallery", "g.json")[0] == 0


def test_photos_that_cannot_be_used_are_named_and_the_others_learnt(run):
    code, said = run("learn", "mug", "zero.jpg", "coffee.jpg", "grey.png", "--classes", "cup")
    assert code == 5
    assert "error: zero.jpg: is empty (0 bytes)" in said
    assert "error: grey.png: nothing was detected; try a lower --conf, or --whole" in said
    assert list_identities() == {"Tom": 1, "mug": 1}


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        ("zero.jpg", "zero.jpg: is empty (0 bytes)"),
        ("grey.png", "grey.png: nothing was detected"),
        ("none.jpg", "none.jpg: no such file"),
    ],
)
def test_a_photo_that_cannot_be_used_is_one_line(run, photo, words):
    before = Path("gallery.json").read_bytes()
    for command in (("learn", "mug", photo), ("verify", photo, "cat.jpg")):
        code, said = run(*command)
        assert (code, said.count("\n")) == (3, 1), said
        assert words in said
    assert Path("gallery.json").read_bytes() == before


@pytest.mark.parametrize("kept", [0, 0.3, 0.9, 0.999])
def test_a_cut_gallery_is_one_line(run, kept):
    whole = Path("gallery.json").read_bytes()
    Path("gallery.json").write_bytes(whole[: int(kept * len(whole))])
    for command in (("cat.jpg",), ("learn", "mug", "coffee.jpg"), ("list",), ("forget", "Tom")):
        code, said = run(*command)
        assert (code, said.count("\n")) == (3, 1), said
        assert said.startswith("error: gallery.json")
    assert Path("gallery.json").read_bytes() == whole[: int(kept * len(whole))]


def test_an_empty_gallery_is_one_line_before_any_work(run):
    assert run("forget", "Tom")[0] == 0
    code, _ = run("none.jpg")
    assert code == 3
    assert run("cat.jpg") == (3, "error: gallery.json: is empty; `yolo identify learn NAME PHOTO` fills it\n")


def test_a_folder_as_gallery_is_one_line(run):
    code, said = run("cat.jpg", "--gallery", ".")
    assert (code, said.count("\n")) == (3, 1), said


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_where_nothing_can_be_written_is_one_line(run):
    """Nobody, not even the superuser, may write in /proc."""
    code, said = run("learn", "Tom", "cat.jpg", "--gallery", f"/proc/{os.getpid()}/g.json")
    assert (code, said.count("\n")) == (3, 1), said
    assert "g.json" in said
    code, said = run("cat.jpg", "--save", "--out", f"/proc/{os.getpid()}/out")
    assert code in (2, 3)
    assert said.splitlines()[-1].startswith("error: ")


def test_a_gallery_of_another_length_is_one_line(run):
    """The hash is right, the embeddings are not: nothing is learnt into it, and nobody found."""
    text = re.sub(r'"embedding": .*]', '"embedding": [1.0, 2.0]', Path("gallery.json").read_text(), count=1)
    Path("gallery.json").write_text(text)
    for command in (("cat.jpg",), ("learn", "mug", "coffee.jpg")):
        code, said = run(*command)
        assert (code, said.count("\n")) == (3, 1), said
        assert "its embeddings have 2 numbers, those of 'objects-embedding' 128" in said
    assert Path("gallery.json").read_text() == text
