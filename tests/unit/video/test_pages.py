"""Multi-page TIFF and animated GIF and WebP are frames."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.images import encode
from tests.made_videos import grey, grey_level
from yolo_cli.errors import DataError
from yolo_cli.video import FrameChoice, has_pages, page_frames

LEVELS = [0, 5, 10, 15]


def write(path, levels=LEVELS, **form):
    first, *rest = [Pillow.fromarray(grey(level)) for level in levels]
    first.save(path, save_all=True, append_images=rest, **form)
    return str(path)


def seen(path, **choice):
    return [grey_level(frame.read().rgb) for frame in page_frames(path, FrameChoice(**choice))]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.gif", {"duration": [50, 200, 100, 100]}),
        ("a.webp", {"duration": [50, 200, 100, 100], "lossless": True}),
    ],
)
def test_animations_have_times(tmp_path, name, form):
    path = write(tmp_path / name, **form)
    frames = list(page_frames(path, FrameChoice()))
    assert has_pages(path)
    assert [grey_level(frame.read().rgb) for frame in frames] == LEVELS
    assert [frame.name for frame in frames][:2] == [f"{path}#0", f"{path}#1"]
    assert [frame.read().frame.time_s for frame in frames] == pytest.approx([0, 0.05, 0.25, 0.35])
    assert seen(path, start=0.05, end=0.35) == [5, 10]


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg"])
def test_pages_of_a_tiff(tmp_path, compression):
    path = write(tmp_path / "a.tif", compression=compression)
    assert has_pages(path)
    assert seen(path) == LEVELS
    assert seen(path, every=2) == [0, 10]
    assert seen(path, max_frames=3) == [0, 5, 10]


def test_pages_of_other_depths_and_sizes(tmp_path):
    deep = Pillow.fromarray(np.full((20, 30), 40_000, np.uint16))
    path = str(tmp_path / "a.tiff")
    Pillow.fromarray(grey(3)).save(path, save_all=True, append_images=[deep])
    first, second = [frame.read().rgb for frame in page_frames(path, FrameChoice())]
    assert grey_level(first) == 3
    assert (second.shape, second[0, 0].tolist()) == ((20, 30, 3), [156, 156, 156])  # 40,000 / 256


def test_big_endian(tmp_path):
    # Header; two directories of 8 entries for a 1 x 1 grey image each: pixels at 8 and 9.
    def directory(at, pixel, following):
        tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, pixel), (278, 1), (279, 1)]
        entries = b"".join(
            tag.to_bytes(2) + (4).to_bytes(2) + (1).to_bytes(4) + value.to_bytes(4) for tag, value in tags
        )
        return len(tags).to_bytes(2) + entries + following.to_bytes(4)

    size = 2 + 12 * 8 + 4
    data = b"MM\0*" + (10).to_bytes(4) + bytes([100, 200]) + directory(10, 8, 10 + size) + directory(0, 9, 0)
    (tmp_path / "a.tif").write_bytes(data)
    path = str(tmp_path / "a.tif")
    assert [frame.read().rgb[0, 0, 0] for frame in page_frames(path, FrameChoice())] == [100, 200]


def test_a_small_copy_in_a_tiff_is_no_page(tmp_path):
    path = tmp_path / "a.tif"
    write(path, LEVELS[:2])
    data = bytearray(path.read_bytes())
    assert has_pages(str(path))
    second = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[second : second + 2], "little")
    second = int.from_bytes(data[second + 2 + 12 * entries :][:4], "little")
    data[second + 2 : second + 14] = bytes([254, 0, 4, 0, 1, 0, 0, 0, 1, 0, 0, 0])  # in place of the width
    path.write_bytes(data)
    assert not has_pages(str(path))


def test_directories_that_lead_back_end(tmp_path):
    path = tmp_path / "a.tif"
    write(path, LEVELS[:2])
    data = bytearray(path.read_bytes())
    first = int.from_bytes(data[4:8], "little")
    after = first + 2 + 12 * int.from_bytes(data[first : first + 2], "little")
    data[after : after + 4] = first.to_bytes(4, "little")
    path.write_bytes(data)
    assert not has_pages(str(path))
    assert seen(str(path)) == [0]


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.tif"])
def test_one_image_has_no_pages(tmp_path, name):
    assert not has_pages(write(tmp_path / name, [3]))


def test_other_files_have_none(tmp_path):
    for name, data in {"a.gif": b"", "b.gif": b"GIF89a", "a.webp": b"RIFF", "a.tif": b"II*\0" * 2}.items():
        (tmp_path / name).write_bytes(data)
        assert not has_pages(str(tmp_path / name))
    (tmp_path / "a.jpg").write_bytes(encode(grey(1), "GIF"))
    assert not has_pages(str(tmp_path / "a.jpg"))
    assert not has_pages(str(tmp_path / "gone.gif"))


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.tif"])
def test_a_file_that_is_cut_off_keeps_its_first_frames(tmp_path, name):
    path = tmp_path / name
    noise = [Pillow.effect_noise((64, 48), 80).convert("RGB") for _ in range(4)]
    noise[0].save(path, save_all=True, append_images=noise[1:])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 5 // 8])
    frames, faults = 0, []
    try:
        for frame in page_frames(str(path), FrameChoice()):
            frames += frame.image is not None
            faults += [frame.fault] if frame.fault else []
    except DataError as fault:
        faults.append(fault.text)
    assert frames < 4
    assert frames or name == "a.webp"  # which tells its length at its start
