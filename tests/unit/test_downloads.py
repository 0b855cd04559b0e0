"""Downloads from a server on loopback: whole, cut, resumed, redirected, silent, wrong, too large."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.file_server import FileServer, no_proxy, serving
from yolo_cli import downloads
from yolo_cli.downloads import Digest, check_address, download
from yolo_cli.errors import DataError, UsageError

__all__ = ["no_proxy"]

DATA = bytes(range(256)) * 40  # 10,240 bytes, in blocks of 1,000
RIGHT = Digest("sha256", hashlib.sha256(DATA).hexdigest())

pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(downloads, "BLOCK", 1000)
    monkeypatch.setattr(downloads, "PAUSE_S", 0.0)
    with serving(DATA) as state:
        yield state


def fetched(server: FileServer, path: str, folder: Path, digest: Digest = RIGHT) -> bytes:
    download(server.url(path), digest, folder / "file", progress=lambda blocks, _: blocks)
    assert [each.name for each in folder.iterdir()] == ["file"]
    return (folder / "file").read_bytes()


def fails(server: FileServer, path: str, folder: Path, digest: Digest = RIGHT) -> str:
    """The one line of a download that cannot be."""
    with pytest.raises(DataError) as failure:
        download(server.url(path), digest, folder / "file")
    assert "\n" not in str(failure.value)
    assert not (folder / "file").exists()
    return str(failure.value)


@pytest.mark.parametrize("path", ["good", "moved/good", "unmeasured/good", "whole/good", "a?b=c"])
def test_a_file_comes_whole(server, path, tmp_path):
    assert fetched(server, path, tmp_path) == DATA


def test_sha1_and_capital_letters_will_do(server, tmp_path):
    assert fetched(server, "good", tmp_path, Digest("sha1", hashlib.sha1(DATA).hexdigest().upper())) == DATA


def test_progress_is_told_the_number_of_blocks(server, tmp_path):
    """10,240 bytes in blocks of 1,000: eleven, the last of 240."""
    seen = []

    def progress(blocks, total):
        for block in blocks:
            seen.append((len(block), total))
            yield block

    download(server.url("good"), RIGHT, tmp_path / "file", progress)
    assert seen == [(1000, 11)] * 10 + [(240, 11)]


def test_a_cut_connection_goes_on_where_it_ended(server, tmp_path):
    """Half of 10,240, then half of the other 5,120, then the last 2,560."""
    server.cuts = 2
    assert fetched(server, "good", tmp_path) == DATA
    assert [asked for _, asked in server.asked] == [None, "bytes=5120-", "bytes=7680-"]


def test_a_server_without_ranges_sends_it_again(server, tmp_path):
    server.cuts = 1
    assert fetched(server, "whole/good", tmp_path) == DATA


def test_what_came_is_kept_for_the_next_try(server, tmp_path):
    """Four tries leave 10,240 · 15/16 = 9,600 bytes."""
    server.cuts = 4
    said = fails(server, "good", tmp_path)
    assert "the connection was cut, 0.6 MiB are missing; the first 9.6 MiB are kept" in said  # "MiB" of 1,000
    assert (tmp_path / "file.part").read_bytes() == DATA[:9600]
    assert fetched(server, "good", tmp_path) == DATA
    assert server.asked[-1] == ("/good", "bytes=9600-")


def test_a_complete_part_is_only_checked(server, tmp_path):
    (tmp_path / "file.part").write_bytes(DATA)
    assert fetched(server, "good", tmp_path) == DATA


@pytest.mark.parametrize("begun", [b"", b"another file, " * 100, DATA + b"more"])
def test_another_file_is_not_kept(server, begun, tmp_path):
    (tmp_path / "file.part").write_bytes(begun)
    server.data = DATA[:-1] + b"!"
    said = fails(server, "good", tmp_path)
    assert f"but must have {RIGHT.value}; nothing is kept" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("missing", "the server answers 404 Not Found; is the address right?"),
        ("busy", "the server answers 503 Service Unavailable; try again later"),
        ("to-a-file", "the server answers 302"),
    ],
)
def test_what_is_not_there(server, path, says, tmp_path):
    assert says in fails(server, path, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("secret", ["s3cret@", "me:s3cret@"])
def test_secrets_of_an_address_are_not_told(secret, tmp_path):
    url = f"http://{secret}127.0.0.1:9/a.onnx"
    with pytest.raises(DataError, match=r"\*\*\*@127\.0\.0\.1:9/a\.onnx: cannot be reached") as caught:
        download(url, Digest("sha256", "0" * 64), tmp_path / "a.onnx")
    assert "s3cret" not in caught.value.text
    with pytest.raises(UsageError) as refused:
        check_address(f"ftp://{secret}host/a?token=s3cret")
    assert "s3cret" not in refused.value.text


def test_a_silent_server_is_given_up(server, monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "SILENCE_S", 0.2)
    monkeypatch.setattr(downloads, "TRIES", 2)
    assert "the server sent nothing for 0.2 s" in fails(server, "silent/good", tmp_path)


def test_too_much_is_refused_before_it_fills_the_disk(server, monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "MAX_MODEL", 9_999)
    assert "sends more than 9,999 bytes" in fails(server, "good", tmp_path)


def test_nobody_answers(tmp_path):
    with serving(DATA) as server:
        pass
    said = fails(server, "good", tmp_path)
    assert "cannot be reached (Connection refused); are you offline" in said


def test_a_proxy_that_does_not_answer_is_named_without_its_password(server, monkeypatch, tmp_path):
    monkeypatch.setenv("http_proxy", "http://me:secret@127.0.0.1:9")
    said = fails(server, "good", tmp_path)
    assert "cannot be reached through the proxy 127.0.0.1 (Connection refused)" in said
    assert "secret" not in said


def test_a_full_disk_is_freed(server, monkeypatch, tmp_path):
    def full(blocks: Iterator[bytes], _: int) -> Iterator[bytes]:
        yield next(blocks)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DataError, match=r"no space is left for http://127.*; make some, and run it again"):
        download(server.url("good"), RIGHT, tmp_path / "file", full)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(server, tmp_path):
    assert "cannot be written" in fails(server, "good", tmp_path / "none")


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "file:///etc/passwd", "https://", "http://a", "http://[a/b", "b"]
)
def test_what_is_not_an_address(url):
    with pytest.raises(UsageError, match="is not an address that begins with https://"):
        check_address(url)


@pytest.mark.parametrize("value", ["", "12", "g" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n"])
def test_what_is_not_a_hash(value):
    with pytest.raises(UsageError, match="must be 64 digits"):
        Digest("sha256", value)
