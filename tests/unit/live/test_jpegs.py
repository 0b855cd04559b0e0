"""JPEG images out of a stream of bytes, however it is cut into pieces."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from tests.stream_server import jpeg, part
from yolo_cli.errors import DataError
from yolo_cli.live import jpegs, split_jpegs

IMAGES = [jpeg(number) for number in range(3)]


def with_thumbnail() -> bytes:
    """An image that holds another in its Exif block."""
    file = io.BytesIO()
    Pillow.new("RGB", (64, 48), "red").save(file, "JPEG", exif=b"Exif\0\0" + IMAGES[1])
    return file.getvalue()


def progressive() -> bytes:
    """An image in several scans, with restart markers."""
    file = io.BytesIO()
    noise = Pillow.effect_noise((64, 48), 90)
    noise.save(file, "JPEG", progressive=True, restart_marker_blocks=1)
    return file.getvalue()


EVERY = [*IMAGES, with_thumbnail(), progressive()]


@given(
    which=st.lists(st.sampled_from(EVERY), max_size=4),
    between=st.sampled_from([b"", b"\r\n--frame\r\nContent-Length: 7\r\n\r\n", b"\xff", bytes(9)]),
    size=st.integers(1, 3000),
)
def test_images_come_out_as_they_went_in(which, between, size):
    data = between.join([b"", *which, b""]) if which else between
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert list(split_jpegs(pieces, "x")) == which


def test_an_image_is_given_before_the_next_one_begins():
    stream = split_jpegs(iter([IMAGES[0]]), "x")
    assert next(stream) == IMAGES[0]


def test_an_image_that_is_cut_off_does_not_take_the_next_with_it():
    cut = part(1)[:-60]
    assert list(split_jpegs([part(0), cut, part(2)], "x"))[::2] == [IMAGES[0], IMAGES[2]]


def test_the_last_one_may_be_cut_off():
    assert list(split_jpegs([IMAGES[0], IMAGES[1][:-5]], "x")) == [IMAGES[0], IMAGES[1][:-5]]
    assert list(split_jpegs([IMAGES[0], IMAGES[1][:-5]], "x", cut=False)) == [IMAGES[0]]


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(jpegs, "MAX_JPEG_BYTES", 1 << 20)
    endless = (bytes(1 << 16) for _ in range(100))
    assert list(split_jpegs(endless, "x")) == []  # nothing begins
    with pytest.raises(DataError, match=r"^x: holds an image of over 1 MB$"):
        list(split_jpegs([IMAGES[0][:-2], *[b"a" * (1 << 16)] * 100], "x"))
