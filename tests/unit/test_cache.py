"""Where the cache is, and where there is none."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.backends import python_of
from tests.shared import ROOT
from yolo_cli import cache
from yolo_cli.cache import cache_folder, keep_newest, once

NAMES = ("YOLO_CLI_CACHE", "XDG_CACHE_HOME", "JAX_COMPILATION_CACHE_DIR")
PRINT_FOLDER = "import yolo_cli.model, jax, json; print(json.dumps(jax.config.jax_compilation_cache_dir))"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no variable that speaks of caches."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_it_is_below_the_cache_folder_of_the_user(home: Path) -> None:
    folder = cache_folder("fonts")
    assert folder == home / ".cache" / "yolo-cli" / "fonts"
    assert folder.is_dir()


def test_xdg_cache_home_moves_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    assert cache_folder("fonts") == home / "elsewhere" / "yolo-cli" / "fonts"


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_xdg_cache_home_must_be_absolute(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache_folder("fonts") == home / ".cache" / "yolo-cli" / "fonts"


@pytest.mark.parametrize("value", ["off", "OFF"])
def test_off_makes_no_folder(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("YOLO_CLI_CACHE", value)
    assert cache_folder("fonts") is None
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_be_written_is_done_without(home: Path) -> None:
    (home / ".cache").write_text("a file where a folder should be", encoding="utf-8")
    assert cache_folder("fonts") is None


def test_what_was_found_out_about_a_file_is_kept_until_it_changes(home: Path, tmp_path: Path) -> None:
    path, asked = tmp_path / "a.txt", list[str]()

    def find_out() -> dict[str, int]:
        asked.append(path.read_text())
        return {"length": len(asked[-1])}

    path.write_text("four")
    assert [once("lengths", [path], find_out) for _ in range(3)] == [{"length": 4}] * 3
    (tmp_path / "b.txt").write_text("five!")
    (tmp_path / "b.txt").replace(path)
    assert once("lengths", [path], find_out) == {"length": 5}
    [*_, note] = sorted(
        (home / ".cache/yolo-cli/lengths").iterdir(), key=lambda file: file.stat().st_mtime_ns
    )
    whole = note.read_bytes()
    for damaged in (whole[:-3], whole.replace(b"5", b"6"), whole[9:], b"", b"x y"):
        note.write_bytes(damaged)
        assert once("lengths", [path], find_out) == {"length": 5}
    assert asked == ["four", *["five!"] * 6]


def test_another_version_finds_out_again(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it may need to know more, or find a fault that this one does not."""
    assert once("lengths", [tmp_path], lambda: 1) == once("lengths", [tmp_path], lambda: 2) == 1
    monkeypatch.setattr(cache, "__version__", "99")
    assert once("lengths", [tmp_path], lambda: 3) == 3


def test_old_notes_are_removed(home: Path, tmp_path: Path) -> None:
    for number in range(202):
        (tmp_path / str(number)).touch()
        once("lengths", [tmp_path / str(number)], lambda: 0)
    assert len(list((home / ".cache/yolo-cli/lengths").iterdir())) == 200


def test_what_is_wrong_with_a_file_is_found_each_time(home: Path, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            once("faults", [tmp_path], lambda: 1 // 0)


def test_the_newest_files_stay(tmp_path: Path) -> None:
    for number in range(4):
        keep_newest(tmp_path / str(number), b"data", most=3)
        os.utime(tmp_path / str(number), (number, number))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "3"]
    keep_newest(tmp_path / "no folder" / "4", b"data")  # a full disk is done without


def jax_folder(**environment: str) -> str | None:
    """Where JAX keeps what it compiles, once this package has imported Keras."""
    kept = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [python_of("jax"), "-c", PRINT_FOLDER],
        env=kept | {"KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    folder: str | None = json.loads(done.stdout)
    return folder


def test_jax_keeps_its_programs_there_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    home = str(tmp_path)
    found = jax_folder(XDG_CACHE_HOME=home)
    assert found is not None
    assert found.startswith(f"{home}/yolo-cli/jax-")
    assert jax_folder(XDG_CACHE_HOME=home, JAX_COMPILATION_CACHE_DIR=f"{home}/own") == f"{home}/own"
    assert jax_folder(XDG_CACHE_HOME=home, YOLO_CLI_CACHE="off") is None
