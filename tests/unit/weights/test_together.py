"""The files of a model change together, whenever the process that writes them dies."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from yolo_cli.errors import DataError, UsageError
from yolo_cli.locks import locked
from yolo_cli.weights import together
from yolo_cli.weights.store import list_models, model_files, new_model
from yolo_cli.weights.together import MODEL_SUFFIXES, current, model_folder, settle

STEPS = ("mkdir", "rename", "replace", "unlink", "rmdir", "touch")  # of pathlib: whatever changes names


class Killed(BaseException):
    """As SIGKILL: nothing afterwards is done, not even by ``finally``."""


def write(out: Path, text: str, suffixes: tuple[str, ...] = MODEL_SUFFIXES) -> None:
    with model_folder(out) as draft:
        for suffix in suffixes:
            (draft / f"{out.name}{suffix}").write_text(text + suffix)


def read(out: Path) -> dict[str, str]:
    """What a reader finds."""
    model_files(out)
    files = {suffix: current(out, suffix) for suffix in MODEL_SUFFIXES}
    return {suffix: path.read_text() for suffix, path in files.items() if path}


def whole(text: str, suffixes: tuple[str, ...] = MODEL_SUFFIXES) -> dict[str, str]:
    return {suffix: text + suffix for suffix in suffixes}


def visible(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))  # noqa: PTH208 - hidden files, too


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch):
    """Die before the step with this number; True if there were as many. Ctrl-C still cleans up."""

    def at(number: int, work, how: type[BaseException] = Killed) -> bool:
        left = [number]

        def counted(step):
            def run(*args, **options):
                if left[0] == 0:
                    left[0] = 0 if how is Killed else -1  # what cleans up is done
                    raise how
                left[0] -= 1
                return step(*args, **options)

            return run

        with monkeypatch.context() as patch:
            for name in STEPS:
                patch.setattr(Path, name, counted(getattr(Path, name)))
            if how is Killed:
                patch.setattr(together, "remove_folder", lambda _: None)
            try:
                work()
            except how:
                return True
        return False

    return at


def die_after_commit(dies, out: Path) -> None:
    """Leave a new model whose files have not all moved to their places."""
    next(
        n
        for n in range(9)
        if dies(n, lambda: write(out, "new")) and out.with_name(f".{out.name}.yolo-new").exists()
    )


@pytest.mark.parametrize("old", [MODEL_SUFFIXES, (".keras",), (), (".onnx", ".md")], ids=str)
@pytest.mark.parametrize("new", [MODEL_SUFFIXES, (".keras",), (".keras", ".md")], ids=str)
def test_a_reader_finds_the_old_model_or_the_new_one_whenever_a_writer_dies(old, new, dies, tmp_path):
    """Before the rename that commits it the old one, after it the new one; a later writer then succeeds."""
    found = []
    for number in range(20):
        out = tmp_path / str(number) / "mine"
        if old:
            write(out, "old", old)
        died = dies(number, lambda out=out: write(out, "new", new))
        found.append(read(out))
        assert found[-1] in (whole("old", old), whole("new", new))
        write(out, "third", MODEL_SUFFIXES)
        assert read(out) == whole("third")
        if not died:
            break
    assert not died
    assert found[0] == whole("old", old)
    assert found[-1] == whole("new", new)


def test_ctrl_c_between_two_files_leaves_the_old_model_or_the_new_one(dies, tmp_path):
    """As when a process dies; nothing hidden is left but files of the new model that have not moved yet."""
    found, hidden = [], set()
    for number in range(20):
        out = tmp_path / str(number) / "mine"
        write(out, "old")
        if not dies(number, lambda out=out: write(out, "new"), KeyboardInterrupt):
            break
        hidden |= {name for name in visible(out.parent) if name.startswith(".")}
        found.append(read(out))
    assert found == sorted(found, key=lambda files: files == whole("new"))
    assert {files[".keras"] for files in found} == {"old.keras", "new.keras"}
    assert all(files in (whole("old"), whole("new")) for files in found)
    assert hidden <= {".mine.yolo-new", ".yolo-cli.lock"}


def test_a_folder_that_cannot_be_written_shows_the_new_model(dies, tmp_path, monkeypatch):
    """`settle` fails there, so the files are read from where they are."""
    out = tmp_path / "mine"
    write(out, "old")
    die_after_commit(dies, out)
    monkeypatch.setattr(together, "_move", lambda _: (_ for _ in ()).throw(PermissionError(13, "read-only")))
    assert read(out) == whole("new")


def test_nothing_else_is_left_in_the_folder(tmp_path):
    write(tmp_path / "mine", "old")
    write(tmp_path / "mine", "new", (".keras",))
    assert visible(tmp_path) == ["mine.keras"]


def test_a_failure_leaves_the_old_model(tmp_path):
    write(tmp_path / "mine", "old")

    def fill_the_disk() -> None:
        with model_folder(tmp_path / "mine") as draft:
            (draft / "mine.keras").write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(DataError, match="mine: cannot be written: No space left on device; free some space"):
        fill_the_disk()
    assert read(tmp_path / "mine") == whole("old")
    assert visible(tmp_path) == ["mine.keras", "mine.md", "mine.onnx"]


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    (tmp_path / "mine.onnx").mkdir()
    with pytest.raises(DataError, match=r"mine\.onnx: is a folder; move it away, or choose another name"):
        write(tmp_path / "mine", "new")
    assert visible(tmp_path) == ["mine.onnx"]


def test_a_model_whose_files_have_not_moved_yet_is_listed_and_not_overwritten(tmp_path, dies, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "weights" / "first"
    die_after_commit(dies, out)
    with pytest.raises(UsageError, match=r"first\.keras: exists"):
        new_model("first")
    assert "first" in [files.name for files in list_models()]


def test_a_draft_that_a_kill_left_is_not_listed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / ".mine.123-4.keras").write_text("half")
    assert not [files for files in list_models() if files.name.startswith(".")]


def test_names_of_the_greatest_length_can_be_written(tmp_path):
    """249 letters and ``.keras`` are 255 bytes."""
    long = "a" * 249
    write(tmp_path / long, "new")
    assert read(tmp_path / long) == whole("new")


def test_many_writers_and_readers_at_once_see_whole_models(tmp_path):
    out = tmp_path / "mine"
    write(out, "0")
    texts = [str(number) for number in range(40)]

    def once(text: str) -> dict[str, str]:
        write(out, text)
        with locked(tmp_path):  # a reader opens files one by one, so it keeps writers out
            return {suffix: out.with_name(f"mine{suffix}").read_text() for suffix in MODEL_SUFFIXES}

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(once, texts):
            assert found in [whole(text) for text in texts]
    settle(out)
    assert visible(tmp_path) == ["mine.keras", "mine.md", "mine.onnx"]
