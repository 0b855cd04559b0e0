"""Several images on standard input."""

from __future__ import annotations

import io
import sys
import tarfile
import tracemalloc
from types import SimpleNamespace

import pytest

from tests.made_videos import grey_level, paged
from tests.stream_server import jpeg
from yolo_cli.sources import open_source


@pytest.fixture
def given(monkeypatch):
    def run(data):
        stream = data if hasattr(data, "read") else io.BytesIO(data)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(stream), isatty=bool))
        for frame in open_source(["-"]):
            yield frame.name, frame.fault or grey_level(frame.read().rgb)

    return run


def tar(files, mode="w"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


FILES = {"cats/1.jpg": jpeg(1), "notes.txt": b"hello", "cats/._1.jpg": b"x", "2.JPG": jpeg(2)}


def test_jpegs_one_after_the_other(given):
    data = jpeg(1) + jpeg(2) + jpeg(3)[:-9] + jpeg(4)
    cut = "-#3: the JPEG file is truncated; save or download it again"
    assert list(given(data)) == [("-", 1), ("-#2", 2), ("-#3", cut), ("-#4", 4)]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_archive(given, mode):
    assert list(given(tar(FILES, mode))) == [("cats/1.jpg", 1), ("2.JPG", 2)]


@pytest.mark.parametrize("kind", ["tiff", "gif"])
def test_pages_and_animations(given, kind):
    pages = paged(kind, 5, 10, 15)
    assert list(given(pages)) == [("-#0", 5), ("-#1", 10), ("-#2", 15)]
    inside = list(given(tar({f"a.{kind}": pages, f"b.{kind}": pages[:-200], "c.jpg": jpeg(1)})))
    assert inside[:3] == [(f"a.{kind}#0", 5), (f"a.{kind}#1", 10), (f"a.{kind}#2", 15)]
    assert inside[-1] == ("c.jpg", 1)
    assert (f"b.{kind}#0", 5) in inside  # of the file that is cut off


def test_a_damaged_image_in_an_archive(given):
    files = {"a.jpg": b"hello", "b.heic": b"0000ftypheic", "c.jpg": jpeg(3)}
    (_, first), (_, second), last = given(tar(files))
    assert first == "a.jpg: holds text, not an image; give a JPEG, PNG, WebP, BMP, TIFF, GIF or PNM file"
    assert second.startswith("b.heic: holds HEIC, which is not read here")
    assert last == ("c.jpg", 3)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_archive_that_is_cut_off(given, mode):
    data = tar({f"{number}.jpg": jpeg(number) for number in range(9)}, mode)
    *_, (name, fault) = given(data[: len(data) // 2])
    assert name == "-"
    assert fault.startswith("-: the tar archive is cut off or damaged after image ")


def test_an_archive_without_images(given):
    assert list(given(tar({"a.txt": b"hello"}))) == [("-", "-: the tar archive holds no image")]


def test_memory_does_not_grow(given):
    class Endless(io.RawIOBase):
        """The same image 3,000 times, 12 MB."""

        left = 3000

        def readable(self):
            return True

        def readinto(self, buffer):
            data = jpeg(1)[: len(buffer)] if self.left else b""
            self.left -= 1
            buffer[: len(data)] = data
            return len(data)

    images = given(Endless())
    for _ in range(100):
        next(images)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    assert sum(1 for _ in images) == 2900
    assert tracemalloc.get_traced_memory()[0] - before < 100_000
    tracemalloc.stop()


def test_standard_input_that_is_closed_is_one_line(monkeypatch):
    """As by ``yolo detect - <&-``."""
    monkeypatch.setattr(sys, "stdin", None)
    [frame] = open_source(["-"])
    assert "standard input is closed" in str(frame.fault)
