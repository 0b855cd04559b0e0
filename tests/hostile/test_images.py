"""Images of strangers: damage is found, memory is bounded by the header, and pixels are those of OpenCV."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from contextlib import suppress

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from yolo_cli import accept_damaged
from yolo_cli.damage import DamagedError
from yolo_cli.datasets.lint import lint
from yolo_cli.errors import DataError
from yolo_cli.headers import read_header
from yolo_cli.images import decode_image
from yolo_cli.jpeg import jpeg_segments

RNG = np.random.default_rng(0)
SCENE = cv2.resize(RNG.integers(0, 256, (9, 12, 3), np.uint8), (240, 180), interpolation=cv2.INTER_CUBIC)


def encoded(kind: str, pixels=SCENE, **options) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def front_tiff(**options) -> bytes:
    """A TIFF file whose directory is in front of its pixels, as libtiff can write it."""
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, SCENE, rowsperstrip=60, photometric="rgb", **options)
    return buffer.getvalue()


def in_scan(data: bytes) -> int:
    return data.rindex(b"\xff\xda") + 200


def overwritten(data: bytes, at: int, count: int = 40) -> bytes:
    return data[:at] + bytes([0x5A]) * count + data[at + count :]


JPEG = encoded("JPEG", quality=90)
PROGRESSIVE = encoded("JPEG", quality=90, progressive=True)
DEFLATED = encoded("TIFF", compression="tiff_adobe_deflate")
LZW = encoded("TIFF", compression="tiff_lzw")
JPEG_TIFF = encoded("TIFF", compression="jpeg")
WEBP = encoded("WEBP", quality=90)
BMP = encoded("BMP")
TIFF = front_tiff()


def with_end(data: bytes) -> bytes:
    return data + b"\xff\xd9"


def resized_riff(data: bytes) -> bytes:
    """Half of a WebP file that says it is whole."""
    half = data[: len(data) // 2 & ~1]
    return half[:4] + struct.pack("<I", len(half) - 8) + half[8:]


DAMAGED = {
    "half a JPEG with its end": with_end(JPEG[: len(JPEG) // 2]),
    "JPEG, overwritten": overwritten(JPEG, in_scan(JPEG)),
    "JPEG, bytes missing": JPEG[: in_scan(JPEG)] + JPEG[in_scan(JPEG) + 500 :],
    "half a progressive JPEG": with_end(PROGRESSIVE[: len(PROGRESSIVE) // 2]),
    "TIFF, one strip missing": TIFF[: len(TIFF) - 60 * 240 * 3],
    "TIFF, last bytes missing": TIFF[:-10],
    "deflated TIFF, overwritten": overwritten(DEFLATED, 2000),
    "TIFF of JPEG, overwritten": overwritten(JPEG_TIFF, in_scan(JPEG_TIFF)),
    "WebP, half": resized_riff(WEBP),
    "BMP, half": BMP[: len(BMP) // 2],
    "GIF, half": encoded("GIF")[:2000],
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_is_refused(kind):
    with pytest.raises(DamagedError) as caught:
        decode_image(DAMAGED[kind], "a.jpg")
    assert caught.value.text.startswith("a.jpg: the ")
    assert caught.value.text.endswith("; save or download it again")


@pytest.mark.parametrize("kind", ["half a JPEG with its end", "TIFF of JPEG, overwritten"])
def test_damage_can_be_accepted_and_is_said(kind):
    with accept_damaged() as notes:
        image = decode_image(DAMAGED[kind], "a.jpg")
        decode_image(DAMAGED[kind], "a.jpg")
    assert image.rgb.shape == SCENE.shape
    assert len(notes) == 1
    assert notes[0].startswith("a.jpg: the ")
    assert notes[0].endswith(", and is read all the same")
    with pytest.raises(DamagedError):
        decode_image(DAMAGED[kind], "a.jpg")


def test_an_accepted_image_has_one_note():
    with accept_damaged() as notes:
        decode_image(JPEG[: len(JPEG) // 2], "a.jpg")
    assert notes == ["a.jpg: the JPEG file is truncated, and is read all the same"]


def test_a_frame_of_a_stream_is_never_refused():
    image = decode_image(DAMAGED["half a JPEG with its end"], "frame", accept_damaged=True)
    assert image.rgb.shape == SCENE.shape


@pytest.mark.parametrize("data", [JPEG, PROGRESSIVE, BMP, encoded("PNG"), TIFF, DEFLATED, LZW, WEBP])
def test_bytes_behind_the_end_are_no_damage(data):
    whole = decode_image(data, "a").rgb
    np.testing.assert_array_equal(decode_image(data + b"more" * 50, "a").rgb, whole)


def changed(marker: int, at: int, values: bytes) -> bytes:
    """The JPEG file with other bytes at a place of one of its segments, counted from its start or end."""
    start, end = next((start, end) for kind, start, end in jpeg_segments(JPEG) if kind == marker)
    place = at + (start if at >= 0 else end)
    return JPEG[:place] + values + JPEG[place + len(values) :]


ODD = {
    "zeros before its end": JPEG[:-2] + bytes(500) + with_end(b""),
    "FF, stuffed, before its end": JPEG[:-2] + b"\xff\0" * 40 + with_end(b""),
    "a few bytes before its end": JPEG[:-2] + bytes(range(1, 12)) + with_end(b""),
    "and a film behind it": JPEG[:-2] + bytes(99) + with_end(b"") + JPEG + b"\0\0\0\x18ftypmp42" * 99,
    "progressive": PROGRESSIVE[:-2] + bytes(500) + with_end(b""),
    "a profile cut short": JPEG[:2] + b"\xff\xe2\0\x15ICC_PROFILE\0\1\2short" + JPEG[2:],
    "bytes between segments": JPEG[:20] + bytes(3) + JPEG[20:],
    "JFIF 0.00": changed(0xE0, 9, b"\0\0"),
    "a scan header of a phone": changed(0xDA, -3, b"\0\0\0"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_files_of_cameras_are_no_damage(kind, capfd):
    whole = decode_image(PROGRESSIVE if kind == "progressive" else JPEG, "a").rgb
    np.testing.assert_array_equal(decode_image(ODD[kind], "a").rgb, whole)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["a profile cut short", "JFIF 0.00", "a scan header of a phone"])
def test_an_odd_header_does_not_hide_damage(kind):
    with pytest.raises(DamagedError):
        decode_image(with_end(ODD[kind][: len(JPEG) // 2]), "a")


@pytest.mark.parametrize("sampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("shape", [(180, 240), (1, 1), (17, 33)])
def test_whole_jpegs_have_the_pixels_that_opencv_gives(sampling, progressive, shape):
    pixels = SCENE[: shape[0], : shape[1]]
    for grey in (False, True):
        source = pixels[..., 0] if grey else pixels
        data = encoded("JPEG", source, quality=80, subsampling=sampling, progressive=progressive)
        wanted = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        np.testing.assert_array_equal(decode_image(data, "a").rgb, wanted)


def png(width: int, height: int, depth: int, colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(data)) + k + data + struct.pack(">I", zlib.crc32(k + data)) for k, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def tiff(*tags: tuple[int, int]) -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(64)


BOMBS = {
    "palette with tRNS": png(13_340, 13_340, 8, 3, (b"PLTE", bytes(3)), (b"tRNS", b"\0")),
    "16 bits with alpha": png(12_000, 12_000, 16, 6),
    "one row": png((1 << 31) - 1, 1, 8, 2),
    "TIFF of one tile": tiff((256, 100), (257, 100), (322, 30_000), (323, 30_000), (258, 16), (277, 4)),
    "TIFF with two widths": tiff((256, 60_000), (256, 10), (257, 60_000)),
    "animated WebP": b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0"
    + (12_000).to_bytes(3, "little") * 2,
    "GIF canvas": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + bytes(3),
    "progressive": b"\xff\xd8\xff\xc2\0\x11\x08" + struct.pack(">HH", 13_000, 13_000) + b"\3" + bytes(9)
    + b"\xff\xda\0\2\xff\xd9",
    "scans": JPEG[:-2] + b"\xff\xda" * 1_001 + b"\xff\xd9",
    "progressive scans": PROGRESSIVE[:-2] + b"\xff\xda" * 1_001 + b"\xff\xd9",
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_refused_by_their_header(kind):
    with pytest.raises(DataError):
        decode_image(BOMBS[kind], "a")


def test_libtiff_prints_nothing_of_its_own(capfd):
    """Of codes that LZW has not defined."""
    whole, refused = encoded("TIFF", compression="tiff_lzw"), 0
    for at in range(1_000, len(whole), 2_000):
        with suppress(DataError):
            decode_image(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :], "a")
            continue
        refused += 1
    assert refused > 2
    assert capfd.readouterr() == ("", "")


def test_scans_of_large_images_are_bounded_by_their_pixels():
    """A scan of 36 megapixels may be 50 bytes, and takes 0.04 s: 3 · 10⁹ are 83 of them."""
    size = struct.pack(">HH", 6_000, 6_000)
    head = b"\xff\xd8\xff\xc2\0\x11\x08" + size + b"\3" + bytes(9)
    assert read_header(head + b"\xff\xda\0\2" * 83 + b"\xff\xd9", "a").fault is None
    with pytest.raises(DataError):
        read_header(head + b"\xff\xda\0\2" * 84 + b"\xff\xd9", "a")


LARGEST = """
import resource, sys
import cv2, numpy as np
from yolo_cli.images import decode_image
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
decode_image(data, "a")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


SIDES = {
    "palette": 11_200,
    "alpha": 11_200,
    "grey": 13_340,
    "jpeg": 13_340,
    "progressive": 10_000,
    "turned": 12_400,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SIDES)
def test_the_largest_that_are_read_take_less_than_a_gigabyte(kind):
    """Sides are just below what `MAX_DECODING` (960 MiB) allows at the header's bytes a pixel."""
    side, options = SIDES[kind], {"progressive": True} if kind == "progressive" else {}
    image = Pillow.new({"palette": "P", "alpha": "RGBA", "grey": "L"}.get(kind, "RGB"), (side, side))
    if kind == "palette":
        options["transparency"] = 0
    if kind == "turned":
        options["exif"] = Pillow.Exif()
        options["exif"][274] = 6
    buffer = io.BytesIO()
    image.save(buffer, "PNG" if kind in ("palette", "alpha", "grey") else "JPEG", **options)
    done = subprocess.run(
        [sys.executable, "-c", LARGEST], input=buffer.getvalue(), capture_output=True, check=True
    )
    assert int(done.stdout) < 1000


def exif_block(order: str, *entries: tuple[int, int]) -> bytes:
    """An EXIF block with the orientation once for each count and value."""
    tags = b"".join(struct.pack(order + "HHIHH", 274, 3, count, value, 0) for count, value in entries)
    head = {"<": b"II*\0", ">": b"MM\0*"}[order]
    return head + struct.pack(order + "IH", 8, len(entries)) + tags + bytes(4)


BLOCKS = [exif_block("<", (2, 6)), exif_block(">", (1, 6)), exif_block("<", (1, 6), (1, 1))]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("empty_first", [False, True])
def test_one_reading_of_exif_turns_boxes_and_pixels(block, empty_first):
    from yolo_cli.headers import read_header

    exif = b"Exif\0\0" + block
    segments = (
        (b"\xff\xe1\0\x08Exif\0\0" if empty_first else b"") + b"\xff\xe1" + struct.pack(">H", len(exif) + 2)
    )
    data = JPEG[:2] + segments + exif + JPEG[2:]
    turned = read_header(data, "a").orientation == 6
    assert turned
    assert decode_image(data, "a").rgb.shape == (240, 180, 3)


def test_lint_has_a_rule(tmp_path):
    for name, data in (("a", JPEG), ("b", DAMAGED["half a JPEG with its end"])):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "images" / f"{name}.jpg").write_bytes(data)
        (tmp_path / "labels" / f"{name}.txt").write_text("0 .5 .5 .5 .5\n")
    assert [(f.code, f.image) for f in lint(tmp_path).findings if f.code == "Y107"] == [
        ("Y107", "images/b.jpg")
    ]
    with accept_damaged():
        assert not [f for f in lint(tmp_path).findings if f.code == "Y107"]


def test_an_image_that_takes_too_long_is_exit_3(tmp_path):
    from click.testing import CliRunner

    from yolo_cli.cli import main

    (tmp_path / "a.jpg").write_bytes(JPEG)
    done = CliRunner().invoke(main, ["detect", str(tmp_path), "--no-save", "--timeout", "1e-6"])
    assert (done.exit_code, "was not read within 1e-06 s (--timeout)" in done.stderr) == (3, True)


@pytest.mark.parametrize("images", ["images", "JPEGImages"])
def test_labels_of_a_data_set_are_not_overwritten(images, tmp_path):
    """Labels that `detect` saved itself are: they have no image in a folder of images beside them."""
    from click.testing import CliRunner

    from yolo_cli.cli import main

    (tmp_path / "set" / images).mkdir(parents=True)
    (tmp_path / "set" / "labels").mkdir()
    (tmp_path / "set" / images / "a.png").write_bytes(JPEG)
    (tmp_path / "set" / "labels" / "a.txt").write_text("0 .5 .5 .5 .5\n")
    (tmp_path / "a.jpg").write_bytes(JPEG)
    words = ["detect", str(tmp_path / "a.jpg"), "--no-save", "--save-txt", "--exist-ok", "--out"]
    done = CliRunner().invoke(main, [*words, str(tmp_path / "set")])
    assert (done.exit_code, "a label of the data set there" in done.stderr) == (2, True)
    assert (tmp_path / "set" / "labels" / "a.txt").read_text() == "0 .5 .5 .5 .5\n"
    for _ in range(2):
        assert CliRunner().invoke(main, [*words, str(tmp_path / "mine")]).exit_code == 0


def test_images_are_not_overwritten_by_their_results(tmp_path):
    from click.testing import CliRunner

    from yolo_cli.cli import main

    (tmp_path / "a.jpg").write_bytes(JPEG)
    done = CliRunner().invoke(main, ["detect", str(tmp_path), "--out", str(tmp_path), "--exist-ok"])
    assert (done.exit_code, "would overwrite" in done.stderr) == (2, True)
    assert (tmp_path / "a.jpg").read_bytes() == JPEG
