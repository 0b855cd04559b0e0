"""Whatever bytes are in a file: an image or one plain line, and nothing on stderr."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.images import encode, huge_header, smooth
from yolo_cli.errors import DataError
from yolo_cli.headers import read_header
from yolo_cli.images import Image, decode_image, read_image
from yolo_cli.limits import MAX_PIXELS

WHOLE = {
    "jpeg": encode(smooth(), "JPEG"),
    "progressive": encode(smooth(), "JPEG", progressive=True),
    "cmyk": encode(smooth(), "JPEG", "CMYK"),
    "png": encode(smooth(), "PNG"),
    "rgba": encode(smooth(), "PNG", "RGBA"),
    "webp": encode(smooth(), "WEBP"),
    "webp-lossless": encode(smooth(), "WEBP", lossless=True),
    "bmp": encode(smooth(), "BMP"),
    "gif": encode(smooth(), "GIF", "P"),
    "tiff": encode(smooth(), "TIFF"),
    "tiff-lzw": encode(smooth(), "TIFF", compression="tiff_lzw"),
    "ppm": encode(smooth(), "PPM"),
}


def fault_of(data):
    with pytest.raises(DataError) as caught:
        decode_image(data, "it.jpg")
    text = str(caught.value)
    assert text.startswith("it.jpg: ")
    assert "\n" not in text
    return text


def decoded(data: bytes, **options: int) -> Image | None:
    try:
        return decode_image(data, "it.jpg", **options)
    except DataError:
        return None


def image_or_line(data):
    """Either an image comes out, or a DataError of one line."""
    try:
        rgb = decode_image(data, "it.jpg").rgb
    except DataError as fault:
        line = str(fault)
    else:
        line = "" if rgb.dtype == np.uint8 and rgb.size else "no image\n"
    assert "\n" not in line


@pytest.mark.parametrize("kind", ["jpeg", "progressive", "cmyk"])
def test_a_reduced_size_finds_the_same_damage(kind: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        data = bytearray(WHOLE[kind])
        for at in rng.integers(2, len(data), 3):
            data[at] = rng.integers(256)
        whole, reduced = decoded(bytes(data)), decoded(bytes(data), at_least=8)
        assert (whole is None) == (reduced is None)


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("kept", [0.03, 0.3, 0.5, 0.9, 0.99])
def test_a_truncated_image_never_passes(kind, kept, capfd):
    data = WHOLE[kind]
    text = fault_of(data[: int(len(data) * kept)])
    assert "truncated" in text or "not an image" in text or "text" in text
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", sorted(set(WHOLE)))
def test_not_even_the_last_byte_may_lack(kind, capfd):
    fault_of(WHOLE[kind][:-1])
    assert capfd.readouterr().err == ""


def test_damage_inside_a_png_is_found_by_its_checksum(capfd):
    data = bytearray(WHOLE["png"])
    data[len(data) // 2] ^= 0xFF
    assert fault_of(bytes(data)) == "it.jpg: the PNG file is damaged at byte 33; save or download it again"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it.jpg: is empty (0 bytes); save or download it again"),
        (b"hello\n", "it.jpg: holds text, not an image; give a JPEG, PNG"),
        ("größe\n".encode(), "it.jpg: holds text"),
        (b"<html>404</html>" * 40, "it.jpg: holds text"),
        (b"\0" * 500, "it.jpg: is not an image"),
        (b"%PDF-1.7\n\0", "it.jpg: holds a PDF document"),
        (b"\0\0\0\x1cftypavif\0\0", "it.jpg: holds AVIF, which is not read here"),
        (b"\0\0\0\x1cftypheic\0\0", "it.jpg: holds HEIC, which is not read here"),
        (b"\xff\xd8\xff", "it.jpg: the image's header is truncated or damaged"),
        (b"GIF89a\0\0\0\0\0\0\0", "it.jpg: the header gives a size of 0x0"),
        (b"P6 x", "it.jpg: the image's header is truncated or damaged"),
        (b"II*\0\xff\xff\xff\xff", "it.jpg: the image's header is truncated or damaged"),
    ],
)
def test_each_fault_has_its_own_words(data, says):
    assert fault_of(data).startswith(says)


def huge_files():
    side = 20_000
    jpeg = bytearray(WHOLE["jpeg"])
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = side.to_bytes(2, "big") * 2
    bmp = bytearray(WHOLE["bmp"])
    bmp[18:26] = side.to_bytes(4, "little") + (-side).to_bytes(4, "little", signed=True)
    gif = bytearray(WHOLE["gif"])
    gif[6:10] = side.to_bytes(2, "little") * 2
    ppm = b"P6\n# made up\n20000 20000\n255\n"
    return {"png": huge_header(), "jpeg": bytes(jpeg), "bmp": bytes(bmp), "gif": bytes(gif), "ppm": ppm}


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "gif", "ppm"])
def test_a_huge_claim_is_refused_before_decoding(kind, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    assert "20,000x20,000 pixels are more than 178,000,000" in fault_of(huge_files()[kind])


def test_the_size_of_tiff_and_webp_is_known_before_decoding():
    for kind in ("tiff", "tiff-lzw", "webp", "webp-lossless", "rgba", "cmyk", "progressive"):
        header = read_header(WHOLE[kind], "x")
        assert (header.width, header.height) == (60, 40), kind


def test_the_limit_itself():
    # 178 MP passes the guard (and then fails as data); one row more does not.
    assert "damaged" in fault_of(huge_header(20_000, MAX_PIXELS // 20_000))
    assert "are more than" in fault_of(huge_header(20_000, MAX_PIXELS // 20_000 + 1))


def test_1x1_images():
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"):
        assert decode_image(encode(np.full((1, 1, 3), 255, np.uint8), kind), "x").rgb.shape == (1, 1, 3)


def test_paths_that_are_no_images(tmp_path, monkeypatch):
    def says(path):
        with pytest.raises(DataError) as caught:
            read_image(path, "it")
        return str(caught.value)

    assert says(tmp_path / "none.jpg") == "it: no such file"
    assert says(tmp_path) == "it: is a folder, not an image"
    assert "embedded null" in says("a\0b")
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert says(tmp_path / "a.jpg" / "b.jpg") == "it: cannot be read: Not a directory"

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", denied)
    assert says(tmp_path / "a.jpg") == "it: may not be read: permission denied"


def test_an_enormous_file_is_not_even_read(tmp_path):
    with (tmp_path / "film.jpg").open("wb") as file:
        file.truncate((1 << 30) + 1)  # sparse: takes no disk
    with pytest.raises(DataError, match="over 1,024 MiB, no image is read"):
        read_image(tmp_path / "film.jpg")


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(sorted(WHOLE)), data=st.data())
def test_flipped_bytes_give_an_image_or_one_line(kind, data):
    raw = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    image_or_line(bytes(raw))


@settings(max_examples=150, deadline=None)
@given(start=st.sampled_from([data[:16] for data in WHOLE.values()] + [b""]), rest=st.binary(max_size=60))
def test_any_bytes_give_one_line(start, rest):
    image_or_line(start + rest)
