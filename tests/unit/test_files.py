"""Files appear complete, or stay as they were."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import (
    atomic_folder,
    atomic_write,
    atomic_write_bytes,
    atomic_write_text,
    exchange,
    find_files,
    make_folder,
)
from yolo_cli.run_folders import open_run_folder


def test_text_is_utf8_with_plain_line_ends(tmp_path: Path) -> None:
    atomic_write_text(tmp_path / "a.txt", "é\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa9\n"


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write(draft: Path) -> None:
        draft.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(DataError) as caught:
        atomic_write(path, write)
    assert str(caught.value) == f"{path}: cannot be written: No space left on device; free some space"
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == {"a.txt": "old"}


def test_an_interrupt_leaves_no_draft(tmp_path: Path) -> None:
    def write(draft: Path) -> None:
        draft.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "a.txt", write)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["n" * 251 + ".txt", "é" * 125 + ".txt", "a." + "s" * 253], ids=len)
def test_names_of_255_bytes_can_be_written(tmp_path: Path, name: str) -> None:
    atomic_write_bytes(tmp_path / name, b"1")
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["n" * 256, "missing/a.txt", "here"])
def test_a_path_that_cannot_be_written_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(DataError) as caught:
        atomic_write_text(tmp_path / name, "1")
    assert str(caught.value).startswith(f"{tmp_path / name}: cannot be written: ")
    assert "\n" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["here"]


def test_the_file_is_on_the_disk_before_it_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "a.txt", []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.exists()))
    atomic_write_text(path, "1")
    assert seen == [False]


def test_drafts_of_killed_processes_go_after_a_day(tmp_path: Path) -> None:
    """Those of the same path only: one of yesterday, not one of now, of another file, or a user's own."""
    kept = [tmp_path / name for name in (".a.7-1.png", ".b.7-0.png", ".a.mine.png", ".a.7-0.jpg")]
    old = tmp_path / ".a.7-0.png"
    for path in (*kept, old):
        path.write_text("half")
    folder = tmp_path / ".set.7-0"
    (folder / "images").mkdir(parents=True)
    for path in (*kept[1:], old, folder):
        os.utime(path, (0, 0))
    atomic_write(tmp_path / "a.png", lambda draft: draft.write_text("1"))
    with atomic_folder(tmp_path / "set"):
        pass
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / "a.png", tmp_path / "set"])


def test_the_draft_names_the_process_and_keeps_the_suffix(tmp_path: Path) -> None:
    drafts: list[str] = []
    atomic_write(tmp_path / "a.png", lambda draft: (drafts.append(draft.name), draft.touch()))
    assert str(os.getpid()) in drafts[0]
    assert drafts[0].startswith(".")
    assert drafts[0].endswith(".png")


def test_threads_that_write_the_same_file_do_not_meet(tmp_path: Path) -> None:
    path, barrier = tmp_path / "a.txt", threading.Barrier(2)
    faults: list[Exception] = []

    def write(draft: Path) -> None:
        draft.write_text("1")
        barrier.wait(10)

    def run() -> None:
        try:
            atomic_write(path, write)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert path.read_text() == "1"


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    atomic_write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    thread = threading.Thread(target=lambda: read.append(path.read_bytes()))
    thread.start()
    atomic_write_bytes(path, b"1")
    thread.join()
    assert read == [b"1"]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_appears_complete(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "set"
    if there:
        path.mkdir()
    with atomic_folder(path) as draft:
        (draft / "a.txt").write_text("1")
        assert path.exists() == there
    assert (path / "a.txt").read_text() == "1"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_fails_disappears(tmp_path: Path) -> None:
    path = tmp_path / "set"
    with pytest.raises(DataError, match="set: cannot be written: No such file"), atomic_folder(path) as draft:
        (draft / "missing" / "a.txt").write_text("1")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file/a: cannot be written: Not a directory"):
        make_folder(tmp_path / "file" / "a")


def test_a_walk_follows_links_knows_loops_and_passes_over_hidden_files(tmp_path: Path) -> None:
    for name in ("a/b.jpg", "a/c/d.JPG", "a/.hidden.jpg", "a/.ipynb_checkpoints/e.jpg", "a/__MACOSX/f.jpg",
                 "elsewhere/g.jpg", "a/notes.txt", "a/c/folder.jpg/h.jpg"):  # fmt: skip
        make_folder((tmp_path / name).parent)
        (tmp_path / name).touch()
    (tmp_path / "a" / "link").symlink_to("../elsewhere")  # followed
    (tmp_path / "a" / "c" / "loop").symlink_to("..")  # would never end
    (tmp_path / "elsewhere" / "loop").symlink_to("../a")  # nor would this
    (tmp_path / "a" / "nowhere.jpg").symlink_to("missing")  # named, so that reading it can say why not
    assert [str(Path(path).relative_to(tmp_path)) for path in find_files(tmp_path / "a", (".jpg",))] == [
        "a/b.jpg",
        "a/nowhere.jpg",
        "a/c/d.JPG",
        "a/c/folder.jpg/h.jpg",
        "a/link/g.jpg",
    ]
    assert len(list(find_files(tmp_path / "a", (".jpg",), recursive=False))) == 2


def test_two_links_to_one_folder_are_both_followed(tmp_path: Path) -> None:
    make_folder(tmp_path / "real").joinpath("a.jpg").touch()
    make_folder(tmp_path / "set")
    for split in ("train", "val"):
        (tmp_path / "set" / split).symlink_to("../real")
    assert [Path(path).parent.name for path in find_files(tmp_path / "set", (".jpg",))] == ["train", "val"]


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    told: list[OSError] = []
    assert list(find_files(tmp_path / "missing", (".jpg",), refused=told.append)) == []
    assert [fault.filename for fault in told] == [str(tmp_path / "missing")]


@pytest.mark.parametrize("linux", [True, False])
def test_two_folders_change_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linux: bool) -> None:
    """At once where the C library can, else by three renames."""
    if not linux:
        monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: None)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    exchange(tmp_path / "one", tmp_path / "other")
    assert [(tmp_path / name / "a.txt").read_text() for name in ("one", "other")] == ["other", "one"]
    assert sorted(os.listdir(tmp_path)) == ["one", "other"]  # noqa: PTH208 - hidden files, too


def test_bytes_of_names_that_are_not_utf8_are_escaped_as_json_has_them(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    atomic_write_text(tmp_path / "a.json", json.dumps([name], ensure_ascii=False))
    assert json.loads((tmp_path / "a.json").read_bytes()) == [name]


@pytest.mark.parametrize("out", [os.fsdecode(b"o\xe9"), "\ud800"])
def test_folders_for_output_have_names_in_utf8(tmp_path: Path, out: str) -> None:
    with pytest.raises(UsageError, match="is not a name in UTF-8; choose another"):
        open_run_folder("runs", str(tmp_path / out), exist_ok=False)
