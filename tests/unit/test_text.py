"""Text files in every form that Windows, macOS and Linux write."""

from __future__ import annotations

import codecs
import threading
from pathlib import Path

import pytest

from yolo_cli.datasets import open_dataset
from yolo_cli.errors import DataError, UsageError
from yolo_cli.text import read_json, read_lines, read_text, read_yaml, text_encoding
from yolo_cli.text_table import columns

LINES = "Käse\nœuf\n"


def written(folder: Path, data: bytes) -> Path:
    path = folder / "a.txt"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        LINES.encode(),
        codecs.BOM_UTF8 + LINES.encode(),
        LINES.encode("utf-16"),
        codecs.BOM_UTF16_BE + LINES.encode("utf-16-be"),
        LINES.replace("\n", "\r\n").encode(),
        LINES.replace("\n", "\r").encode(),
        codecs.BOM_UTF8 + LINES.replace("\n", "\r\n").encode(),
    ],
)
def test_marks_and_line_ends_are_no_part_of_the_text(tmp_path: Path, data: bytes) -> None:
    assert read_text(written(tmp_path, data)) == LINES
    assert read_lines(written(tmp_path, data)) == ["Käse", "œuf"]


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    assert read_lines(written(tmp_path, b" a \n\n# b\n\n\n")) == ["a", "", "# b"]


def test_other_encodings_are_refused_with_the_line_and_the_byte(tmp_path: Path) -> None:
    # "ok", a line end, "K": the fifth byte, on the second line, is ä in cp1252.
    path = written(tmp_path, "ok\nKäse".encode("cp1252"))
    with pytest.raises(DataError) as caught:
        read_text(path)
    assert str(caught.value) == (
        f"{path}:2: is not text in UTF-8 (byte 4: 0xE4); "
        "save it as UTF-8, or name its encoding, likely encoding cp1252"
    )


@pytest.mark.parametrize(("encoding", "word"), [("cp1252", "Käse"), ("gbk", "行人"), ("utf-16-le", "Käse")])
def test_an_encoding_that_is_named_is_read(tmp_path: Path, encoding: str, word: str) -> None:
    path = written(tmp_path, word.encode(encoding))
    assert read_text(path, encoding) == word
    with text_encoding(encoding):
        assert read_lines(path) == [word]
    with pytest.raises(DataError, match="is not text"):
        read_text(path)


def test_a_byte_order_mark_goes_before_the_encoding_that_is_named(tmp_path: Path) -> None:
    assert read_text(written(tmp_path, codecs.BOM_UTF8 + LINES.encode()), "cp1252") == LINES


def test_utf16_without_a_mark_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"NUL bytes.*may be utf-16-le: name it with encoding"):
        read_text(written(tmp_path, b"a\0b\0"))


@pytest.mark.parametrize("name", ["klingon", "hex"])
def test_an_encoding_that_does_not_exist_is_refused(name: str) -> None:
    says = f"encoding {name}: is not known; give a name such as cp1252"
    with pytest.raises(UsageError, match=says), text_encoding(name):
        pass


def test_the_encoding_is_that_of_its_block_and_thread(tmp_path: Path) -> None:
    path, faults = written(tmp_path, b"\xe4"), []

    def read() -> None:
        try:
            read_text(path)
        except DataError as fault:
            faults.append(fault)

    with text_encoding("cp1252"):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    read()
    assert len(faults) == 2


def test_yaml_with_and_without_types(tmp_path: Path) -> None:
    path = written(tmp_path, b"names: [no, 1]\n2: x\n")
    assert read_yaml(path) == {"names": [False, 1], "2": "x"}
    assert read_yaml(path, strings=True) == {"names": ["no", "1"], "2": "x"}


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (read_yaml, "a: 1\nb: [", ":2: is not YAML: "),
        (read_yaml, "- a", ": must hold lines such as 'key: value'"),
        (read_json, '{"a": 1,\n "b"', ":2: is not JSON (cut short?): "),
    ],
)
def test_broken_files_are_one_line_with_the_place(tmp_path: Path, read, text: str, says: str) -> None:
    path = written(tmp_path, text.encode())
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}{says}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.txt: no such file"):
        read_text(tmp_path / "none.txt")


def test_a_data_set_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"1")
    (tmp_path / "labels" / "a.txt").touch()
    (tmp_path / "data.yaml").write_bytes("train: images\nnames: [Käse]\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"data.yaml:2: is not text in UTF-8"):
        open_dataset(tmp_path)
    assert open_dataset(tmp_path, encoding="cp1252").class_names == ("Käse",)


ROWS = [["image", "found", "n"], ["photos/a.jpg", "traffic light", "7"], ["b", "cat", "10"]]


def test_columns_are_as_wide_as_their_widest_cell():
    lines = columns(ROWS, left=(0, 1)).splitlines()
    # 12 + 2 + 13 + 2 + 2 characters
    assert lines == [
        "image         found           n",
        "photos/a.jpg  traffic light   7",
        "b             cat            10",
    ]
    assert columns(ROWS, left=(0, 1), width=31).splitlines() == lines


def test_columns_wrap_their_widest_cells_where_the_terminal_is_narrow():
    # 31 - 25 = 6 characters too many: 13 and 12 give way in turn, to 10 and 9 (12, 12; 11, 12 or 12, 11; ...)
    lines = columns(ROWS, left=(0, 1), width=25).splitlines()
    assert max(map(len, lines)) <= 25
    assert [line[:9].strip() for line in lines[1:3]] == ["photos/a.", "jpg"]
    assert [line[11:21].strip() for line in lines[1:3]] == ["traffic", "light"]
    assert lines[1].endswith(" 7")
    narrowest = columns(ROWS, left=(0, 1), width=3)
    assert columns(ROWS, left=(0, 1), width=5) == narrowest  # 8 characters are the minimum


def test_columns_of_wide_and_combining_characters():
    lines = columns([["a", "1"], ["猫の", "1"], ["e\u0301a", "1"]]).splitlines()
    assert lines == ["a     1", "猫の  1", "e\u0301a    1"]


def test_columns_are_painted_after_they_are_padded():
    shown = columns([["a", "b"], ["ccc", "d"]], paint=lambda row, at, cell: f"<{row}{at}{cell}>")
    assert shown == "<00a  >  <01b>\n<10ccc>  <11d>\n"
