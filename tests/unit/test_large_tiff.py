"""TIFF files that are read part by part have the pixels that they have when they are read at once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from yolo_cli import images, large_tiff
from yolo_cli.errors import DataError
from yolo_cli.images import decode_image, read_image

RGB = np.random.default_rng(0).integers(0, 256, (100, 90, 3), np.uint8) // 64 * 64  # compresses well


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 5,000 pixels are large here; rows that are not compressed are cut to 1,000."""
    monkeypatch.setattr(large_tiff, "MAX_PIXELS", 5_000)
    monkeypatch.setattr(large_tiff, "_PIECE", 1_000)
    monkeypatch.setattr(images, "_read_bytes", lambda *_: pytest.fail("was read at once"))


STRIPS = {278: 16}  # rows in each; the last has four


def by_pillow(path: Path, compression: str, tags: dict[int, int] = STRIPS) -> None:
    Pillow.fromarray(RGB).save(path, "TIFF", compression=compression, tiffinfo=tags)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"])
def test_strips(compression: str, tmp_path: Path, few: None) -> None:
    by_pillow(path := tmp_path / "a.tif", compression)
    assert np.array_equal(read_image(path).rgb, RGB)


def test_strips_of_jpeg(tmp_path: Path, few: None) -> None:
    by_pillow(path := tmp_path / "a.tif", "jpeg")
    found = read_image(path).rgb
    assert np.array_equal(found, decode_image(path.read_bytes(), "a.tif").rgb)
    assert abs(found.astype(int) - RGB).mean() < 30


def test_pixels_that_are_released_are_read_again(tmp_path: Path, few: None) -> None:
    by_pillow(path := tmp_path / "a.tif", "tiff_lzw")
    rgb = read_image(path).rgb
    rgb[5, 5] = 7
    large_tiff.release_pixels(rgb[2:50])
    assert (rgb[5, 5].tolist(), np.array_equal(rgb[6:], RGB[6:])) == ([7, 7, 7], True)
    large_tiff.release_pixels(RGB)  # nothing to release


FORMS: dict[str, dict[str, Any]] = {
    "tiles": {"tile": (32, 48), "photometric": "rgb"},
    "tiles, deflate, differences": {
        "tile": (32, 48), "photometric": "rgb", "compression": "zlib", "predictor": True
    },
    "one strip, big-endian": {"rowsperstrip": 100, "photometric": "rgb", "byteorder": ">"},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_other_programs(form: str, tmp_path: Path, few: None) -> None:
    tifffile.imwrite(path := tmp_path / "a.tiff", RGB, **FORMS[form])
    assert np.array_equal(read_image(path).rgb, RGB)


@pytest.mark.parametrize(
    "pixels", [RGB[..., 0], RGB[..., 0].astype(np.uint16) * 257, np.dstack([RGB, RGB[..., :1]])]
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_deep_and_transparent_pixels(pixels: Any, order: Any, tmp_path: Path, few: None) -> None:
    kind: Any = {"photometric": "rgb", "extrasamples": ["unassalpha"]} if pixels.ndim == 3 else {}
    tifffile.imwrite(path := tmp_path / "a.tif", pixels, rowsperstrip=30, byteorder=order, **kind)
    assert np.array_equal(read_image(path).rgb, decode_image(path.read_bytes(), "a.tif").rgb)


def fault(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_image(path)
    assert "\n" not in caught.value.text
    return caught.value.text.removeprefix(f"{path}")


@pytest.mark.parametrize("at", [0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off(at: float, tmp_path: Path, few: None) -> None:
    """The directory of this one is at its beginning."""
    tifffile.imwrite(path := tmp_path / "a.tif", RGB, rowsperstrip=16, photometric="rgb")
    os.truncate(path, round(at * path.stat().st_size))
    assert fault(path) == ": the TIFF file is damaged or cut off; save or download it again"


def test_a_damaged_strip_is_named(tmp_path: Path, few: None) -> None:
    by_pillow(path := tmp_path / "a.tif", "tiff_adobe_deflate")
    with tifffile.TiffFile(path) as file:
        at = file.pages[0].dataoffsets[2]  # type: ignore[union-attr]
    data = bytearray(path.read_bytes())
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    assert fault(path).startswith(" (from row 32, column 0): the TIFF file")


def test_what_cannot_be_read_in_parts(tmp_path: Path, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tif"
    by_pillow(path, "tiff_lzw", {274: 6, 278: 16})
    assert fault(path).startswith(": so large a TIFF file must be upright")
    by_pillow(path, "tiff_lzw")
    monkeypatch.setattr(large_tiff, "MAX_LARGE_PIXELS", 8_999)
    assert fault(path) == ": 90x100 pixels are more than 8,999; cut the image"
    monkeypatch.setattr(large_tiff, "MAX_LARGE_PIXELS", 9_000)
    by_pillow(path, "tiff_lzw", {278: 100})
    assert fault(path).startswith(": 90x100 pixels in one piece are too many; save it in strips or tiles")
    monkeypatch.setattr(large_tiff, "MAX_RATIO", 1)
    assert fault(path).startswith(": 90x100 pixels cannot be in")  # several strips at one place
    monkeypatch.setattr(large_tiff, "MAX_RATIO", 1_100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("", (), {"free": 9_000}))
    by_pillow(path, "tiff_lzw")
    assert "needs 0 MiB in" in fault(path)
