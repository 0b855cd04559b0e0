from __future__ import annotations

import struct
import zlib
from threading import Event, Thread, current_thread

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from tests.images import QUARTERS, encode, reference, smooth
from yolo_cli.datasets.sizes import image_header
from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import Image, decode_image, read_image, write_image


def far(a, b):
    """The mean absolute difference of two images of one shape."""
    assert a.shape == b.shape
    return np.abs(a.astype(int) - b).mean()


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("PNG", None, {}),
        ("PNG", "P", {}),
        ("PNG", "L", {}),
        ("PNG", "1", {}),
        ("BMP", None, {}),
        ("BMP", "P", {}),
        ("PPM", None, {}),
        ("PPM", "L", {}),
        ("TIFF", None, {}),
        ("TIFF", None, {"compression": "tiff_lzw"}),
        ("TIFF", None, {"compression": "tiff_deflate"}),
        ("TIFF", "L", {}),
        ("WEBP", None, {"lossless": True}),
        ("GIF", "P", {}),
        ("JPEG", None, {"quality": 90}),
        ("JPEG", None, {"quality": 90, "progressive": True}),
        ("JPEG", "L", {"quality": 90}),
        ("WEBP", None, {"quality": 90}),
    ],
)
def test_every_format_reads_as_another_program_reads_it(kind, mode, options):
    data = encode(smooth(), kind, mode, **options)
    image = decode_image(data, "x")
    assert image.rgb.flags.c_contiguous
    # Lossy decoders may round by a level or two; lossless ones may not.
    lossy = kind == "JPEG" or options.get("quality")
    assert far(image.rgb, reference(data)) <= (1.0 if lossy else 0.0)


def test_channels_are_red_green_blue():
    assert decode_image(encode(QUARTERS, "PNG"), "x").rgb[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("adobe_transform", [0, 2], ids=["CMYK", "YCCK"])
@pytest.mark.parametrize("marker", [True, False], ids=["adobe-marker", "no-marker"])
def test_cmyk_jpeg_agrees_with_pillow(adobe_transform, marker):
    data = encode(smooth(), "JPEG", "CMYK", quality=98)  # Pillow writes it inverted, as Adobe does
    at = data.index(b"\xff\xee")  # FF EE, length 00 0E, "Adobe", version, two flags, transform
    assert data[at + 2 : at + 9] == b"\x00\x0eAdobe"
    if marker:
        data = data[: at + 15] + bytes([adobe_transform]) + data[at + 16 :]
    else:
        data = data[:at] + data[at + 16 :]
    # Measured: 1.0 level on average, from integer rounding of C * K / 255.
    assert far(decode_image(data, "x").rgb, reference(data)) < 1.6


def test_cmyk_jpeg_gives_the_colours_that_went_in():
    assert far(decode_image(encode(smooth(), "JPEG", "CMYK", quality=98), "x").rgb, smooth()) < 2


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_of_16_bits_the_upper_8_are_taken(suffix, channels):
    deep = (np.arange(2400).reshape(40, 60) * 27).astype(np.uint16)  # up to 64,773
    stored = deep if channels == 1 else np.dstack([deep] * 3)
    rgb = decode_image(cv2.imencode(suffix, stored)[1].tobytes(), "x").rgb
    # libtiff's own reduction of three channels rounds, so it may differ by one level.
    assert np.abs(rgb.astype(int) - (deep >> 8)[..., None]).max() <= (suffix == ".tif" and channels == 3)


def half_transparent():
    """Orange (200, 100, 50): rows 0-9 with alpha 0, rows 10-19 with alpha 128, then opaque."""
    rgba = np.zeros((30, 8, 4), np.uint8)
    rgba[...] = (200, 100, 50, 255)
    rgba[:10, :, 3], rgba[10:20, :, 3] = 0, 128
    return rgba


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})]
)
def test_transparent_parts_are_blended_over_white(kind, options):
    rgb = decode_image(encode(half_transparent(), kind, **options), "x").rgb.astype(int)
    assert rgb[5, 4].tolist() == [255, 255, 255]
    # Alpha 128: 200 * 128/255 + 255 * 127/255 = 100.4 + 127; 50.2 + 127; 25.1 + 127.
    assert np.abs(rgb[15, 4] - [227, 177, 152]).max() <= 1
    assert rgb[25, 4].tolist() == [200, 100, 50]


def test_transparent_grey_is_blended_over_white():
    grey = np.dstack([np.full((2, 2), 100, np.uint8), np.uint8([[0, 255], [0, 255]])])
    data = encode(grey, "PNG")
    assert decode_image(data, "x").rgb[0].tolist() == [[255] * 3, [100] * 3]


def test_transparent_palette_colour_is_blended_over_white():
    image = Pillow.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    for kind in ("PNG", "GIF"):
        data = encode_pillow(image, kind, transparency=0)
        assert decode_image(data, "x").rgb[0].tolist() == [[255] * 3, [40, 50, 60]], kind


def encode_pillow(image, kind, **options):
    import io

    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def test_transparency_of_16_bits():
    deep = np.uint16([[[0, 0, 65535, 0], [0, 0x8040, 65535, 65535]]])  # BGRA: hidden red, shown orange
    data = cv2.imencode(".png", deep)[1].tobytes()
    assert decode_image(data, "x").rgb[0].tolist() == [[255, 255, 255], [255, 0x80, 0]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
def test_all_exif_orientations_come_upright(orientation, kind, alpha):
    if alpha and kind == "JPEG":
        return  # JPEG knows no alpha
    # What undoes each orientation, by the EXIF standard's own words on row 0 and column 0.
    lay_down = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Pillow.Exif()
    exif[0x112] = orientation
    pixels = np.dstack([QUARTERS, np.full((32, 48), 255, np.uint8)]) if alpha else QUARTERS
    options = {"quality": 100} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    data = encode(np.ascontiguousarray(lay_down(pixels)), kind, exif=exif, **options)
    assert far(decode_image(data, "x").rgb, QUARTERS) < 8  # chroma bleeds at the edges in JPEG


def grey_png(depth, levels, transparent):
    """A grey PNG of one row of ``levels``, the level ``transparent`` of which is hidden."""
    bits = "".join(f"{level:0{depth}b}" for level in levels)
    bits += "0" * (-len(bits) % 8)
    row = bytes([0, *(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))])
    head = struct.pack(">IIBBBBB", len(levels), 1, depth, 0, 0, 0, 0)
    chunks = [
        (b"IHDR", head),
        (b"tRNS", struct.pack(">H", transparent)),
        (b"IDAT", zlib.compress(row)),
        (b"IEND", b""),
    ]
    parts = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("depth", "hidden", "shown"), [(1, 0, 1), (2, 1, 2), (4, 7, 3), (8, 9, 100), (16, 513, 514)]
)
def test_the_transparent_level_of_a_grey_png_is_white(depth, hidden, shown):
    # The level that shows comes as 8 bits: of 2 bits 2 is 2 · 255 / 3 = 170; of 16 bits the upper 8 count.
    top = 2**depth - 1
    grey = shown >> 8 if depth == 16 else shown * 255 // top
    rgb = decode_image(grey_png(depth, [hidden, shown], hidden), "x").rgb
    assert rgb.tolist() == [[[255] * 3, [grey] * 3]]
    assert decode_image(grey_png(depth, [shown], hidden), "x").rgb.tolist() == [[[grey] * 3]]


def exif_jpeg(*blocks):
    """A JPEG of 48 x 32 with these TIFF-shaped EXIF blocks."""
    parts = (b"Exif\0\0" + block for block in blocks)
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts)
    data = encode(QUARTERS, "JPEG")
    return data[:2] + segments + data[2:]


def exif_block(*entries):
    """A TIFF block of entries: tag, type, count, and the value's four bytes."""
    rows = b"".join(struct.pack("<HHI4s", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + b"\0" * 4


@pytest.mark.parametrize(
    "blocks",
    [
        [exif_block((274, 3, 1, b"\6\0\0\0"))],
        [exif_block((274, 3, 2, b"\6\0\1\0"))],  # two values: the first counts
        [exif_block(), exif_block((274, 3, 1, b"\6\0\0\0"))],  # the first block says nothing
        [exif_block((274, 1, 1, b"\6\0\0\0"))],  # a byte where a short belongs
        [b"II", exif_block((274, 4, 1, b"\3\0\0\0"))],
        [exif_block((274, 3, 1, b"\x09\0\0\0"))],
    ],
)
def test_pixels_and_header_are_turned_by_one_reading(tmp_path, blocks):
    path = tmp_path / "a.jpg"
    path.write_bytes(exif_jpeg(*blocks))
    image, header = read_image(path), image_header(path)
    assert (image.height, image.width) == header.upright
    assert (
        far(image.rgb, {1: QUARTERS, 3: QUARTERS[::-1, ::-1], 6: np.rot90(QUARTERS, -1)}[header.orientation])
        < 8
    )


def test_the_first_of_several_frames_is_taken():
    red, blue = (Pillow.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    for kind in ("GIF", "TIFF", "WEBP"):
        data = encode_pillow(red, kind, save_all=True, append_images=[blue])
        assert np.abs(decode_image(data, "x").rgb[0, 0].astype(int) - [255, 0, 0]).max() <= 3, kind


def test_bytes_after_the_end_of_a_jpeg_do_no_harm():
    data = encode(smooth(), "JPEG")
    assert far(decode_image(data + b"\0" * 99 + b"trailer", "x").rgb, reference(data)) <= 1


def test_the_end_marker_of_a_thumbnail_is_not_that_of_the_jpeg():
    thumbnail = encode(smooth(8, 8), "JPEG")
    data = encode(smooth(), "JPEG")
    block = b"Exif\0\0" + thumbnail
    data = data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:]
    assert decode_image(data, "x").rgb.shape == (40, 60, 3)
    with pytest.raises(DataError, match="JPEG file is truncated; save"):
        decode_image(data[:-30], "x")


@pytest.mark.parametrize("name", ["käse ß.png", "猫 und hund.png", "a b  c.png", "[x]*?.png"])
def test_paths_with_unicode_spaces_and_signs(tmp_path, name):
    write_image(tmp_path / name, QUARTERS)
    image = read_image(tmp_path / name)
    assert (image.rgb == QUARTERS).all()
    assert image.name == str(tmp_path / name)
    assert read_image(tmp_path / name, "shown").name == "shown"


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".webp", ".bmp", ".tif", ".TIFF"])
def test_what_is_written_can_be_read(tmp_path, suffix):
    write_image(tmp_path / f"a{suffix}", smooth())
    assert far(read_image(tmp_path / f"a{suffix}").rgb, smooth()) < 4
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]  # no part file is left


def test_writing_faults_are_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot write \.xyz; use one of \.jpg"):
        write_image(tmp_path / "a.xyz", QUARTERS)
    with pytest.raises(UsageError, match="cannot write no suffix"):
        write_image(tmp_path / "a", QUARTERS)
    with pytest.raises(DataError, match=r"a\.png: cannot be written: No such file"):
        write_image(tmp_path / "missing" / "a.png", QUARTERS)
    with pytest.raises(DataError, match=r"\.webp cannot hold 20000x1 pixels; use \.png"):
        write_image(tmp_path / "a.webp", np.zeros((1, 20000, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.png"
    write_image(target, QUARTERS)
    old = target.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(DataError, match="No space left on device"):
        write_image(target, smooth())
    assert target.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    "rgb", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 3)), np.zeros((0, 2, 3), np.uint8), [[[0, 0, 0]]]]
)
def test_an_image_is_rgb_uint8(rgb):
    with pytest.raises(ValueError, match="rgb must be a uint8 array"):
        Image(rgb)


def test_opencv_is_as_loud_as_before_when_threads_have_decoded(monkeypatch):
    """The first thread is done while the second is decoding, which would restore the level that it found."""
    decode, data, levels = cv2.imdecode, encode(smooth(), "PNG"), []
    second_is_in, first_is_out = Event(), Event()

    def slow(raw, flags):
        if current_thread().name == "second":
            second_is_in.set()
            assert first_is_out.wait(10)
            levels.append(cv2.utils.logging.getLogLevel())
        else:
            second.start()
            assert second_is_in.wait(10)
        return decode(raw, flags)

    before = cv2.utils.logging.getLogLevel()
    second = Thread(target=decode_image, args=(data, "second"), name="second")
    monkeypatch.setattr(cv2, "imdecode", slow)
    decode_image(data, "first")
    first_is_out.set()
    second.join()
    assert levels == [cv2.utils.logging.LOG_LEVEL_SILENT]
    assert cv2.utils.logging.getLogLevel() == before


@pytest.mark.parametrize(
    ("at_least", "size"),
    [(None, (480, 640)), (300, (480, 640)), (240, (240, 320)), (64, (120, 160)), (1, (60, 80))],
)
def test_a_jpeg_file_is_decoded_as_small_as_is_enough(at_least, size):
    image = decode_image(encode(smooth(480, 640), "JPEG"), "a.jpg", at_least=at_least)
    assert (image.height, image.width) == size
