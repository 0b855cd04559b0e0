"""Lists of images as tools write them, and folders with kinds of images that are not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_sets import write_image, write_text
from yolo_cli.errors import DataError
from yolo_cli.sources import open_source

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.mark.parametrize(
    "line",
    ["img/a.png", "img\\a.png", "./img/a.png", '"img/a.png"', "../img/a.png", "data/img/a.png", "img/a.png 1",
     "/content/drive/img/a.png", "C:\\set\\img\\a.png"],
)  # fmt: skip
def test_lines_of_lists_as_tools_write_them(tmp_path: Path, line: str) -> None:
    write_image(tmp_path / "img" / "a.png", (8, 8))
    write_text(tmp_path / "list.txt", f"# ours\n\n{line}\n")
    [item] = open_source([str(tmp_path / "list.txt")])
    assert item.read().width == 8


def test_a_line_that_means_nothing_is_named_with_its_number(tmp_path: Path) -> None:
    write_text(tmp_path / "list.txt", "\ngone/a.png\n")
    [item] = open_source([str(tmp_path / "list.txt")])
    with pytest.raises(DataError, match=r"list\.txt:2: .*gone/a\.png"):
        item.read()


@pytest.mark.parametrize("argument", ["", "/*", "/**"])
def test_images_that_are_not_read_are_named_in_folders(tmp_path: Path, argument: str) -> None:
    write_image(tmp_path / "c.png", (8, 8))
    (tmp_path / "a.HEIC").write_bytes(HEIC)
    write_text(tmp_path / "__MACOSX" / "._c.png", "x")
    write_text(tmp_path / "._c.png", "x")
    items = list(open_source([f"{tmp_path}{argument}"], recursive=not argument))
    assert [Path(item.name).name for item in items] == ["a.HEIC", "c.png"]
    with pytest.raises(DataError, match="holds HEIC, which is not read here"):
        items[0].read()
