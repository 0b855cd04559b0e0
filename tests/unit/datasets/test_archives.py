from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.made_sets import BOXES, boxes_by_name, write_voc, write_yolo
from yolo_cli.datasets import archives, lint, open_dataset
from yolo_cli.datasets.archives import unpack
from yolo_cli.errors import DataError, UsageError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def pack(folder: Path, archive: Path) -> Path:
    """A folder's content as an archive of the kind that its suffix says."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            for path in sorted(folder.rglob("*")):
                out.write(path, path.relative_to(folder.parent))
    else:
        word = {".tar": "w", ".bz2": "w:bz2", ".xz": "w:xz"}.get(archive.suffix, "w:gz")
        with tarfile.open(archive, word) as out:  # type: ignore[call-overload]
            out.add(folder, folder.name)
    return archive


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as out:
        for info, content in members:
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_is_the_data_set_that_is_in_it(tmp_path: Path, suffix: str) -> None:
    folder = write_yolo(tmp_path / "set")
    archive = pack(folder, tmp_path / f"export{suffix}")
    found = open_dataset(archive)
    assert boxes_by_name(found) == BOXES
    assert found.content_hash == open_dataset(folder).content_hash
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["set", archive.name])


def test_the_two_folders_above_voc_are_passed(tmp_path: Path) -> None:
    write_voc(tmp_path / "VOCdevkit" / "VOC2012")
    archive = pack(tmp_path / "VOCdevkit", tmp_path / "VOCtrainval_11-May-2012.tar")
    assert boxes_by_name(open_dataset(archive)) == BOXES


def test_a_changed_archive_is_read_again(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    archive = pack(folder, tmp_path / "export.zip")
    assert unpack(archive) == unpack(archive)
    assert len(open_dataset(archive)) == 4
    (folder / "labels" / "val" / "d.txt").write_text("")
    pack(folder, archive)
    os.utime(archive, (1, 1))
    assert boxes_by_name(open_dataset(archive))["d"] == []


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    archive = pack(write_yolo(tmp_path / "set"), tmp_path / "export.zip")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    code = f"from yolo_cli.datasets import open_dataset; print(len(open_dataset({str(archive)!r})))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"4\n"
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../out.txt", "leads out of it"),
        ("a/../../out.txt", "leads out of it"),
        ("/tmp/out.txt", "leads out of it"),
        ("C:/out.txt", "leads out of it"),
        ("..\\out.txt", "leads out of it"),
        ("a" * 300, "too long"),
    ],
)
def test_paths_out_of_an_archive_are_refused(tmp_path: Path, name: str, words: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as out:
        out.writestr(name, "text")
    tar_of(tmp_path / "x.tar", (member(name), b"text"))
    for archive in ("x.zip", "x.tar"):
        with pytest.raises(DataError, match=words):
            open_dataset(tmp_path / archive)
    assert not (Path(tempfile.gettempdir()) / "out.txt").exists()


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (member("x", tarfile.SYMTYPE, "/etc"), "leads out"),
        (member("x", tarfile.SYMTYPE, "../../.."), "leads out"),
        (member("x", tarfile.LNKTYPE, "/etc/passwd"), "leads out"),
        (member("x", tarfile.FIFOTYPE), "device or pipe"),
        (member("x", tarfile.CHRTYPE), "device or pipe"),
    ],
)
def test_links_out_and_devices_are_refused(tmp_path: Path, info: tarfile.TarInfo, words: str) -> None:
    with pytest.raises(DataError, match=words):
        open_dataset(tar_of(tmp_path / "x.tar", (info, b"")))


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    # The link comes first, then a file below it: the file makes a folder of that name.
    link, below = member("x", tarfile.SYMTYPE, str(tmp_path)), member("x/evil.txt")
    with pytest.raises(DataError):
        open_dataset(tar_of(tmp_path / "x.tar", (link, b""), (below, b"text")))
    assert not (tmp_path / "evil.txt").exists()


def test_a_link_to_a_split_in_the_archive_is_followed(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set", "train: images/train\nval: images/again\nnames: [cat, dog]\n")
    (folder / "images" / "again").symlink_to("val")
    (folder / "labels" / "again").symlink_to("val")
    found = open_dataset(pack(folder, tmp_path / "set.tar"))
    assert boxes_by_name(found) == BOXES


def test_a_bomb_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert archives.ALWAYS_ALLOWED == 256 << 20
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 1 << 20)
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(3):  # 6 MiB of zeros, about 6 kB packed: a thousand times less
        (folder / f"{number}.txt").write_bytes(bytes(2 << 20))
    for suffix in (".zip", ".tar.gz", ".tar.xz"):
        with pytest.raises(DataError, match="more than it may") as caught:
            open_dataset(pack(folder, tmp_path / f"x{suffix}"))
        assert "\n" not in str(caught.value)


def test_damaged_archives_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    for suffix in SUFFIXES:
        archive = pack(folder, tmp_path / f"cut{suffix}")
        archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
        with pytest.raises(DataError, match=rf"cut{suffix}: ") as caught:
            open_dataset(archive)
        assert "\n" not in str(caught.value)
        archive.write_bytes(b"no archive")
        with pytest.raises(DataError, match="cannot be unpacked"):
            open_dataset(archive)


def test_messages_name_the_archive(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "notes.md").write_text("nothing")
    with pytest.raises(DataError) as caught:
        open_dataset(pack(folder, tmp_path / "export.zip"))
    assert str(caught.value).startswith(f"{tmp_path}/export.zip: has no data set")


def test_the_archive_is_where_the_data_set_is(tmp_path: Path) -> None:
    archive = pack(write_yolo(tmp_path / "set"), tmp_path / "export.zip")
    found = open_dataset(archive)
    assert found.location == archive
    assert lint(found).to_dict()["data"] == str(archive)
    with pytest.raises(UsageError, match=r"export\.zip: has no split 'test'"):
        found.in_split("test")
    assert open_dataset(tmp_path / "set").location == tmp_path / "set"
