"""What names from outside do to terminals, spreadsheets and file systems: nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.commands import ROOT, on_terminal, photo, yolo
from yolo_cli.names import LONGEST_NAME, as_cell, folder_name, printable, short_name

NASTY = "\x1b]0;x\x07\x9b31m\u202e.jpg"  # sets the title, colours, turns the direction
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
OURS = re.compile(rb"\x1b\[[0-9;]*m|\r\x1b\[K|\r\n|\x1b\[\?25[lh]")


@given(st.text(st.characters(exclude_characters='"\\')))
def test_printable_text_has_no_control_character_but_tabs_and_line_ends(text: str) -> None:
    shown = printable(text)
    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\t\n"]
    assert json.loads(f'"{shown}"', strict=False) == text


def test_no_mark_turns_the_direction_of_what_follows() -> None:
    turning = [chr(code) for code in range(0x3000) if unicodedata.bidirectional(chr(code)) in TURNING]
    marks = [*turning, "\u061c", "\u200e", "\u200f"]  # the last three turn only what is beside them
    assert len(marks) == 12
    assert printable("".join(marks)).isascii()


@given(st.text())
def test_no_cell_is_a_formula_and_each_can_be_read_back(text: str) -> None:
    cell = str(as_cell(text))
    assert cell == "-" or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert (cell.removeprefix("'") if cell.startswith("'") else cell) == text


def test_numbers_are_no_formulas() -> None:
    assert (as_cell(-1.5), as_cell(None)) == (-1.5, None)


@given(st.text(min_size=1, max_size=400), st.text(min_size=1, max_size=400))
def test_folders_of_names_that_differ_differ_and_can_be_made(one: str, other: str) -> None:
    for name in (one, other):
        folder = folder_name(name)
        assert folder not in ("", ".", "..")
        assert "/" not in folder
        assert "\0" not in folder
        assert len(folder.encode()) <= LONGEST_NAME
    assert (folder_name(one) == folder_name(other)) == (one == other)


@given(st.integers(0, 400), st.integers(0, 400))
def test_shortened_names_stay_apart(one: int, other: int) -> None:
    """Names that differ only behind the cut."""
    names = [short_name("a" * 300 + "b" * number, ".png") for number in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(len(name) <= LONGEST_NAME and name.endswith(".png") for name in names)


def test_a_terminal_gets_no_control_character_of_a_name(tmp_path: Path) -> None:
    """In the table, in errors and in progress; our own colours pass."""
    photo(tmp_path / NASTY)
    (tmp_path / f"bad{NASTY}").write_text("no image")
    seen = on_terminal(["detect", ".", "--no-save", "--conf", "0.01"], tmp_path)
    assert b"\\u001b]0;x\\u0007\\u009b31m\\u202e.jpg" in seen
    rest = OURS.sub(b"", seen).decode()
    assert not [c for c in rest if unicodedata.category(c) in ("Cc", "Cf") and c not in "\r\n"], rest


@pytest.mark.parametrize(
    "words", [["lint", "--data", "."], ["weights", "show"], ["detect"], ["eval", "--data"]]
)
def test_neither_do_other_commands_pass_one_on(words: list[str], tmp_path: Path) -> None:
    if words[0] == "lint":
        (tmp_path / "images").mkdir()
        photo(tmp_path / "images" / NASTY)
    seen = on_terminal([*words, *([] if words[0] == "lint" else [NASTY])], tmp_path)
    assert b"\x07" not in seen
    assert "\x9b".encode() not in seen


def test_a_pipe_gets_the_bytes(tmp_path: Path) -> None:
    photo(tmp_path / NASTY)
    seen = yolo("detect", NASTY, "--no-save", "--format", "ndjson", cwd=tmp_path)
    assert json.loads(seen.stdout)["image"] == NASTY
    assert NASTY.encode() in yolo("detect", NASTY, "--no-save", cwd=tmp_path).stdout


def test_no_module_of_the_command_line_prints_past_the_escapes() -> None:
    found = [
        path.name
        for path in (ROOT / "yolo_cli" / "cli").glob("*.py")
        if path.name != "terminal.py"
        and re.search(
            r"click\.(s?echo|secho)\((?!ctx\.get_help)|std(out|err)\.write|(?<!\.)\bprint\(", path.read_text()
        )
    ]
    assert not found


def test_csv_of_detect_holds_no_formula(tmp_path: Path) -> None:
    for name in ("=1+1.jpg", "@x.jpg", "+x.jpg", "'x.jpg", "x.jpg"):
        (tmp_path / name).write_bytes((ROOT / "examples" / "coffee.jpg").read_bytes())
    done = yolo(
        "detect",
        "./@x.jpg",
        *sorted(p.name for p in tmp_path.iterdir()),
        "--no-save",
        "--format",
        "csv",
        cwd=tmp_path,
    )
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    names = [*dict.fromkeys(row["image"] for row in rows)]
    assert names == ["./@x.jpg", "''x.jpg", "'+x.jpg", "'=1+1.jpg", "x.jpg"]
    assert {row["class_name"] for row in rows} == {"cup", "diningtable"}


def test_images_with_names_of_255_bytes_keep_apart(tmp_path: Path) -> None:
    """Names, that differ in their last letter only, with every output."""
    for end in "ab":
        (tmp_path / f"{'ü' * 125}{end}.jpg").write_bytes((ROOT / "examples" / "coffee.jpg").read_bytes())
    done = yolo("detect", ".", "--save-crops", "--save-txt", "--out", "o", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    counts = {folder: len(os.listdir(tmp_path / "o" / folder)) for folder in ("labels", "crops/cup")}  # noqa: PTH208
    assert counts == {"labels": 2, "crops/cup": 2}
    assert len([*(tmp_path / "o").glob("*.jpg")]) == 2


def test_one_file_that_cannot_be_named_ends_no_run(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    done = yolo(
        "detect", "a.jpg", "b" * 300 + ".jpg", "a.jpg", "--no-save", "--format", "ndjson", cwd=tmp_path
    )
    assert done.returncode == 5
    assert b"Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_names_of_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    photo(tmp_path / name)
    done = yolo("detect", ".", "--out", "o", "--save-txt", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [each["image"] for each in json.loads(done.stdout)["images"]] == [f"./{name}"]
    assert (tmp_path / "o" / name).is_file()
    refused = yolo("detect", name, "--out", os.fsdecode(b"o\xe9"), cwd=tmp_path)
    assert (refused.returncode, refused.stderr) == (
        2,
        b"error: --out o\\udce9: is not a name in UTF-8; choose another\n",
    )


def test_links_in_a_circle_end_a_glob(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    (tmp_path / "b" / "c").mkdir(parents=True)
    photo(tmp_path / "b" / "c" / "d.jpg")
    for place in ("one", "b/two", "b/c/three"):
        (tmp_path / place).symlink_to(tmp_path)
    done = yolo(
        "detect",
        "**/*.jpg",
        "b/**/d.*",
        "**/c/*",
        "--no-save",
        "--format",
        "ndjson",
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["image"] for line in done.stdout.splitlines()] == ["a.jpg", "b/c/d.jpg"]
