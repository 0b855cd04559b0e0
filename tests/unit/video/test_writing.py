"""What is written is read back: the frames, their times and their colours, in either form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.made_videos import grey, grey_level
from yolo_cli.errors import DataError
from yolo_cli.video import VideoWriter, open_video, writing

UNEVEN = [3.0, 3.1, 3.5, 3.6, 5.0]


@pytest.fixture(params=[".webm", ".avi"])
def suffix(request, monkeypatch):
    """With PyAV, and without."""
    if request.param == ".webm":
        pytest.importorskip("av", reason="av is not installed")
    else:
        monkeypatch.setattr(writing, "find_spec", lambda _: None)
    return request.param


def write(path: Path, times, size=(48, 64), rate=10) -> VideoWriter:
    writer = VideoWriter(path, rate)
    for number, time_s in enumerate(times):
        writer.add(grey(number, size), time_s)
    writer.close()
    return writer


def frames(path: Path):
    return [frame.read() for frame in open_video(str(path)).frames()]


def test_there_and_back(tmp_path, suffix):
    writer = write(tmp_path / "new" / "a.b", [None] * 6)
    assert writer.path == tmp_path / "new" / f"a.b{suffix}"
    assert list(writer.path.parent.iterdir()) == [writer.path]
    read = frames(writer.path)
    assert [grey_level(frame.rgb) for frame in read] == list(range(6))
    assert [frame.frame.time_s for frame in read] == pytest.approx([n / 10 for n in range(6)], abs=0.001)


def test_times_are_kept(tmp_path, suffix):
    read = frames(write(tmp_path / "a", UNEVEN).path)
    at = {grey_level(frame.rgb): frame.frame.time_s for frame in reversed(read)}  # AVI repeats frames
    assert [at[number] for number in range(5)] == pytest.approx([t - 3 for t in UNEVEN], abs=0.001)
    assert len(read) == (5 if suffix == ".webm" else 21)


@pytest.mark.parametrize("size", [(47, 63), (1, 1), (2, 3)])
def test_odd_sizes(tmp_path, suffix, size):
    read = frames(write(tmp_path / "a", UNEVEN[:2], size).path)
    even = tuple(side + side % 2 for side in size)
    assert read[0].rgb.shape[:2] == (size if suffix == ".webm" else even)
    assert [grey_level(frame.rgb) for frame in read] == [0, 1]


def test_colours_are_kept(tmp_path, suffix):
    colours = np.uint8([[200, 30, 30], [30, 200, 30], [30, 30, 200], [220, 220, 20]])
    image = np.repeat(np.repeat(colours[None], 32, axis=1), 64, axis=0)
    writer = VideoWriter(tmp_path / "a", 10)
    for _ in range(3):
        writer.add(image)
    writer.close()
    last = frames(writer.path)[-1].rgb
    assert abs(last[32, 16::32].astype(int) - colours).max() <= 12


def test_another_size_is_scaled_and_times_that_fall_still_rise(tmp_path, suffix):
    writer = VideoWriter(tmp_path / "a", 10)
    writer.add(grey(0), 1.0)
    writer.add(grey(1, (96, 32)), 1.1)
    writer.add(grey(2), 0.4)
    writer.close()
    read = frames(writer.path)
    assert [grey_level(frame.rgb) for frame in read] == [0, 1, 2]
    assert {frame.rgb.shape for frame in read} == {(48, 64, 3)}


def test_a_long_pause_does_not_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "find_spec", lambda _: None)
    assert len(frames(write(tmp_path / "a", [0.0, 1e9], rate=1).path)) == 62  # 60 s, and each once


def test_until_it_is_closed_it_is_called_part(tmp_path, suffix):
    writer = VideoWriter(tmp_path / "a", 10)
    writer.close()
    assert list(tmp_path.iterdir()) == []
    for _ in range(100):  # of which PyAV writes the first 5 s at once
        writer.add(grey(0))
    assert [path.name for path in tmp_path.iterdir()] == [f"a.part{suffix}"]
    writer.close()
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def test_what_cannot_be_written(tmp_path, suffix):
    (tmp_path / "a").write_text("a file, not a folder")
    with pytest.raises(DataError, match=rf"b{suffix}: cannot be written as a video: "):
        VideoWriter(tmp_path / "a" / "b", 10).add(grey(0))
    (tmp_path / f"c{suffix}").mkdir()
    with pytest.raises(DataError, match=rf"c{suffix}: cannot be written as a video: "):
        write(tmp_path / "c", [0.0])


def test_a_fault_of_the_encoder(tmp_path, monkeypatch):
    av = pytest.importorskip("av", reason="av is not installed")

    def fail(*_):
        raise av.error.ExternalError(1, "the encoder is out of order")

    writer = VideoWriter(tmp_path / "a", 10)
    writer.add(grey(0))
    monkeypatch.setattr(writer._encoder, "add", fail)
    with pytest.raises(
        DataError, match=r"a\.webm: cannot be written as a video: the encoder is out of order"
    ):
        writer.add(grey(1))


def test_a_time_lapse(tmp_path, suffix):
    read = frames(write(tmp_path / "a", [0.0, 3600.0], rate=1 / 3600).path)
    assert {grey_level(frame.rgb) for frame in read} == {0, 1}
    if suffix == ".webm":
        assert read[1].frame.time_s == pytest.approx(3600)
