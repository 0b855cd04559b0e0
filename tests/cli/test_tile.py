"""`--tile`, on the command line and in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("words", "tile"),
    [
        ([], None),
        (["--tile"], "auto"),
        (["--tile", "auto"], "auto"),
        (["--tile", "--no-labels"], "auto"),
        (["--tile", "640"], (640, 640)),
        (["--tile=480x640"], (480, 640)),
    ],
)
def test_size_of_tiles(cli: Any, words: list[str], tile: object) -> None:
    cli("detect", "p", "--no-save", *words)
    assert cli.loaded[0]["config"].tile == tile
    assert cli.loaded[0]["config"].tile_overlap == 0.2


def test_overlap(cli: Any) -> None:
    cli("detect", "p", "--no-save", "--tile", "--tile-overlap", ".4")
    assert cli.loaded[0]["config"].tile_overlap == 0.4


def test_from_a_file(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("tile: 640\n")
    cli("detect", "p", "--no-save", "--config", str(tmp_path / "my.yaml"))
    assert cli.loaded[0]["config"].tile == (640, 640)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--tile", "p/a.jpg"], "p/a.jpg is not a size; give auto, 640, or height x width as 480x640"),
        (["--tile-overlap", ".4"], "--tile-overlap: there are no tiles without --tile"),
        (["--tile", "16"], "--tile is 16, but must be between 32 and 1000000"),
        (["--tile", "--tile-overlap", "1"], "--tile-overlap is 1.0, but must be between 0 and 0.9"),
    ],
)
def test_one_line_says_what_is_wrong(cli: Any, words: list[str], says: str) -> None:
    result = cli("detect", "p", "--no-save", *words)
    assert result.exit_code == 2
    assert says in result.stderr
