from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.images import QUARTERS, encode
from yolo_cli.errors import DataError, UsageError
from yolo_cli.sources import natural_key, open_source

PNG = encode(QUARTERS, "PNG")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with images, a text and a folder in a folder."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "p/a10.png",
        "p/a9.png",
        "p/B.PNG",
        "p/sub/c.jpg",
        "p/.hidden.png",
        "p/.git/d.png",
        "e ä.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    (tmp_path / "p" / "notes.md").write_text("no image")
    (tmp_path / "empty").mkdir()
    return tmp_path


def error(item):
    """Why an item cannot be read, or None."""
    try:
        item.read()
    except DataError as fault:
        return str(fault)
    return None


def names(*arguments, **options):
    source = open_source(arguments, **options)
    found = [sourced.name.replace(os.sep, "/") for sourced in source]
    assert len(source) == len(found)
    return found


def test_a_folder_is_flat_and_in_natural_order(here):
    assert names("p") == ["p/a9.png", "p/a10.png", "p/B.PNG"]


def test_a_folder_is_searched_deeply_on_request(here):
    assert names("p", recursive=True) == ["p/a9.png", "p/a10.png", "p/B.PNG", "p/sub/c.jpg"]


def test_globs(here):
    assert names("p/a*.png") == ["p/a9.png", "p/a10.png"]
    assert names("p/*") == ["p/a9.png", "p/a10.png", "p/B.PNG"]
    assert names("**/*.jpg") == ["p/sub/c.jpg"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(here):
    (here / "x[1].png").write_bytes(PNG)
    assert names("x[1].png") == ["x[1].png"]


def test_the_order_of_the_arguments_is_kept_and_nothing_is_read_twice(here):
    assert names("e ä.png", "p/a10.png", "p", "./p/a9.png") == ["e ä.png", "p/a10.png", "p/a9.png", "p/B.PNG"]


def test_a_list_file_is_relative_to_itself(here):
    (here / "p" / "list.txt").write_text("\ufeff# mine\r\na9.png\r\n\r\n ../e ä.png \r\n", encoding="utf-8")
    assert names("p/list.txt") == ["p/a9.png", "p/../e ä.png"]


def test_a_list_file_names_the_line_of_a_bad_entry(here):
    (here / "list.txt").write_text(f"p/a9.png\n\ngone.png\n{here}/e ä.png\n", encoding="utf-8")
    good, bad, absolute = open_source(["list.txt"])
    assert error(good) is None
    assert error(bad) == "list.txt:3: gone.png: no such file"
    assert error(absolute) is None


def test_an_image_carries_its_name(here):
    [item] = open_source(["e ä.png"])
    image = item.read()
    assert (item.name, image.name) == ("e ä.png", "e ä.png")
    assert image.rgb.shape == (32, 48, 3)


def test_faults_are_in_band(here):
    (here / "bad.jpg").write_text("hello")
    good, bad, gone, none = open_source(["p/a9.png", "bad.jpg", "gone.jpg", "nothing*.jpg"])
    assert error(good) is None
    assert error(bad).startswith("bad.jpg: holds text, not an image")
    assert error(gone) == "gone.jpg: no such file or folder"
    assert error(none) == "nothing*.jpg: matches no image"


def test_images_are_read_one_at_a_time(here):
    source = iter(open_source(["p"]))
    next(source).read()
    (here / "p" / "a10.png").unlink()
    assert error(next(source)) == f"{Path('p/a10.png')}: no such file"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["gone"], "gone: no such file or folder"),
        (["empty"], r"empty: has no image \(its own folders are searched with recursive\)"),
        (["*.gif"], r"\*\.gif: matches no image"),
        (["gone", "*.gif"], r"gone: no such file or folder \(and 1 more\)"),
        (["n" * 300], "n+: no such file or folder"),
        (["void.txt"], "void.txt: lists no image"),
        (["latin.txt"], "latin.txt:1: is not text in UTF-8"),
        ([""], ": no such file or folder"),
    ],
)
def test_naming_nothing_usable_is_one_line(here, arguments, says):
    (here / "void.txt").write_text("# nothing\n")
    (here / "latin.txt").write_bytes(b"\xe4.png")
    with pytest.raises(DataError, match=f"^{says}"):
        open_source(arguments)


def test_naming_nothing_at_all_is_wrong_usage():
    with pytest.raises(UsageError, match="no image is named"):
        open_source([])


def test_a_folder_that_cannot_be_listed_is_named(here, monkeypatch):
    real = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    *_, last = open_source(["p"], recursive=True)
    assert error(last) == f"{Path('p/sub')}: cannot be listed: Permission denied"


def stdin(monkeypatch, data, isatty=False):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: isatty))


def test_standard_input(monkeypatch):
    stdin(monkeypatch, PNG)
    [item] = open_source(["-", "-"])
    image = item.read()
    assert (item.name, image.name) == ("-", "-")
    assert (image.rgb == QUARTERS).all()


@pytest.mark.parametrize(
    ("data", "tty", "says"), [(b"", False, "-: is empty"), (PNG, True, "-: standard input is a terminal")]
)
def test_standard_input_without_an_image(monkeypatch, data, tty, says):
    stdin(monkeypatch, data, tty)
    [item] = open_source(["-"])
    assert error(item).startswith(says)


@given(st.lists(st.from_regex(r"[a-c0-9]{1,6}(/[a-c0-9]{1,4})?", fullmatch=True), unique=True))
def test_natural_order_is_total_and_keeps_numbers_by_value(paths):
    ordered, backwards = sorted(paths, key=natural_key), paths[::-1]
    assert ordered == sorted(backwards, key=natural_key)  # no two differing paths tie
    numbers = [int(path) for path in ordered if path.isdigit()]
    assert numbers == sorted(numbers)
