"""Frames come in order, upright and with their times; what is wrong with a file is one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.made_videos import HEIGHT, WIDTH, grey_level, promise, turn, write_video
from tests.shared import SHARED, needs_shared
from yolo_cli.errors import DataError, UsageError
from yolo_cli.video import FrameChoice, open_video, reading

TENTHS = [n / 10 for n in range(12)]
UNEVEN = [0.0, 0.1, 0.5, 0.6, 2.0, 2.04]


def levels(path: Path, **choice: object) -> list[int]:
    return [grey_level(frame.read().rgb) for frame in open_video(str(path)).frames(FrameChoice(**choice))]


def test_frames_have_number_time_and_colour(tmp_path):
    path = str(write_video(tmp_path / "a.mp4", TENTHS))
    video = open_video(path)
    frames = [frame.read() for frame in video.frames()]
    assert (video.rate, video.count) == (10, 12)
    assert [frame.name for frame in frames][:2] == [f"{path}#0", f"{path}#1"]
    assert [(f.frame.video, f.frame.number) for f in frames] == [(path, n) for n in range(12)]
    assert [f.frame.time_s for f in frames] == pytest.approx(TENTHS)
    assert [grey_level(frame.rgb) for frame in frames] == list(range(12))


def test_red_is_red(tmp_path):
    av = pytest.importorskip("av", reason="av is not installed")
    with av.open(str(tmp_path / "a.mkv"), "w") as file:
        stream = file.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "bgr0"
        red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        red[..., 0] = 200
        file.mux(stream.encode(av.VideoFrame.from_ndarray(red, format="rgb24")))
        file.mux(stream.encode(None))
    [frame] = open_video(str(tmp_path / "a.mkv")).frames()
    assert (frame.read().rgb == red).all()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_variable_rate_keeps_its_times(tmp_path, suffix):
    path = write_video(tmp_path / f"a.{suffix}", UNEVEN)
    frames = [frame.read() for frame in open_video(str(path)).frames()]
    assert [frame.frame.time_s for frame in frames] == pytest.approx(UNEVEN, abs=0.002)


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        ({"every": 5}, [0, 5, 10]),
        ({"start": 0.25}, [3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ({"start": 0.3, "end": 0.6}, [3, 4, 5]),  # from the first time on, and before the last
        ({"start": 0.3, "every": 4}, [3, 7, 11]),  # counted from the first in the range
        ({"max_frames": 2}, [0, 1]),
        ({"every": 3, "max_frames": 3}, [0, 3, 6]),
    ],
)
def test_choice(tmp_path, choice, numbers):
    path = write_video(tmp_path / "a.mp4", TENTHS)
    assert levels(path, **choice) == numbers
    assert open_video(str(path)).expected(FrameChoice(**choice)) == pytest.approx(len(numbers), abs=1)


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"start": 5.0}, "has no frame from second 5 on"),
        ({"start": 0.31, "end": 0.39}, "has no frame from second 0.31 to 0.39"),
    ],
)
def test_no_frame_in_the_range_is_a_fault(tmp_path, choice, says):
    path = str(write_video(tmp_path / "a.mp4", TENTHS))
    [frame] = open_video(path).frames(FrameChoice(**choice))
    with pytest.raises(DataError, match=f"{says}$"):
        frame.read()


@pytest.mark.parametrize(
    "choice", [{"every": 0}, {"start": -1.0}, {"start": 2.0, "end": 2.0}, {"max_frames": 0}]
)
def test_impossible_choice(choice):
    with pytest.raises(UsageError):
        FrameChoice(**choice)


def test_a_phone_s_video_is_turned_upright(tmp_path):
    path = write_video(tmp_path / "a.mp4", TENTHS)
    turn(path)
    assert {frame.read().rgb.shape for frame in open_video(str(path)).frames()} == {(WIDTH, HEIGHT, 3)}


@pytest.mark.parametrize(
    ("form", "size"),
    [
        ({"pixels": "yuv420p10le"}, (HEIGHT, WIDTH)),
        ({"pixels": "yuv444p"}, (47, 63)),
        ({"codec": "mpeg4"}, (47, 63)),
        ({"codec": "libvpx-vp9"}, (47, 63)),
    ],
)
def test_ten_bits_and_odd_sizes(tmp_path, form, size):
    path = write_video(tmp_path / "a.mkv", TENTHS[:4], size=size, **form)
    frames = [frame.read().rgb for frame in open_video(str(path)).frames()]
    assert [frame.shape for frame in frames] == [(*size, 3)] * 4
    assert [grey_level(frame) for frame in frames] == [0, 1, 2, 3]


def test_a_cut_video_gives_what_is_there_and_says_so(tmp_path):
    times = [n / 10 for n in range(19)]
    whole = write_video(tmp_path / "whole.avi", times, codec="mjpeg", pixels="yuvj420p")
    data = whole.read_bytes()
    path = tmp_path / "cut.avi"
    path.write_bytes(data[: len(data) // 2])
    *frames, last = open_video(str(path)).frames()
    assert 5 <= len(frames) < 14
    assert [grey_level(frame.read().rgb) for frame in frames] == list(range(len(frames)))
    with pytest.raises(DataError, match=rf"cut\.avi: ends after {len(frames)} of 19 frames"):
        last.read()


@pytest.mark.parametrize(("promised", "faults"), [(5, 0), (13, 0), (500, 1)])
def test_a_header_that_promises_too_little_or_too_much(tmp_path, promised, faults):
    path = write_video(tmp_path / "a.avi", TENTHS, codec="mjpeg", pixels="yuvj420p")
    promise(path, promised)
    frames = list(open_video(str(path)).frames())
    assert [grey_level(f.image.rgb) for f in frames if f.image] == list(range(12))
    assert sum(frame.image is None for frame in frames) == faults  # 13 is one less, which may be rounded


def test_no_frames(tmp_path):
    path = write_video(tmp_path / "a.avi", TENTHS, codec="mjpeg", pixels="yuvj420p")
    data = path.read_bytes()
    headers = data[: data.index(b"movi") + 12]
    path.write_bytes(headers.ljust(len(data), b"\0"))
    [frame] = open_video(str(path)).frames()
    assert frame.fault == f"{path}: holds no frame that can be read"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", r"is empty \(0 bytes\)"),
        *((data, "cannot be read as a video") for data in (b"hello\n" * 99, bytes(999))),
    ],
)
def test_not_a_video(tmp_path, data, says, capfd):
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    with pytest.raises(DataError, match=rf"a\.mp4: {says}"):
        open_video(str(path))
    assert capfd.readouterr() == ("", "")


def test_a_name_is_not_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "a.mp4", TENTHS[:2]).rename(tmp_path / "file:b 100%03d ä.mp4")
    assert levels(Path("file:b 100%03d ä.mp4")) == [0, 1]


@needs_shared("video", "tree.avi")
def test_real_videos():
    tree = [frame.read().frame for frame in open_video(str(SHARED / "video" / "tree.avi")).frames()]
    assert (len(tree), tree[1].time_s, tree[-1].time_s) == (68, pytest.approx(0.733, abs=0.001), 29.533481)
    cup = open_video(str(SHARED / "video" / "cup.mp4"))
    assert sum(frame.image is not None for frame in cup.frames(FrameChoice(every=7))) == 31  # of 217


@needs_shared("video", "cup.mp4")
@pytest.mark.parametrize("name", ["cup.mp4", "tree.avi"])
def test_the_same_frames_as_pyav(name):
    av = pytest.importorskip("av", reason="av is not installed")
    path = str(SHARED / "video" / name)
    with av.open(path) as file:
        theirs = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)][:20]
    ours = [frame.read() for frame in open_video(path).frames(FrameChoice(max_frames=20))]
    assert [frame.frame.time_s for frame in ours] == pytest.approx([time_s for time_s, _ in theirs], abs=1e-3)
    for frame, (_, rgb) in zip(ours, theirs, strict=True):
        assert abs(frame.rgb.astype(int) - rgb).mean() < 2  # they round chroma differently


def test_a_last_frame_that_lasts_long_is_no_cut(tmp_path):
    """Frames at 0, 1 and 2 s of 3 s: the last is shown as long as the others, 9 slots of 0.1 s more."""
    path = write_video(tmp_path / "a.avi", [0.0, 1.0, 2.0], codec="mjpeg", pixels="yuvj420p")
    promise(path, 30)
    assert [frame.fault for frame in open_video(str(path)).frames()] == ["", "", ""]


def test_damaged_frames_are_left_out(tmp_path):
    path = write_video(tmp_path / "a.avi", TENTHS, codec="mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"00dc"][:12]
    for start in starts[5:7]:
        length = int.from_bytes(data[start + 4 : start + 8], "little")
        data[start + 8 : start + 8 + length] = bytes(length)
    path.write_bytes(data)
    given = list(open_video(str(path)).frames())
    frames = [frame.image for frame in given if frame.image]
    numbers = [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]  # the first 00dc is in the header
    assert [grey_level(frame.rgb) for frame in frames] == numbers
    assert [frame.frame.number for frame in frames] == numbers
    assert [frame.frame.time_s for frame in frames] == pytest.approx([number / 10 for number in numbers])
    assert [(at, it.fault) for at, it in enumerate(given) if it.fault] == [
        (4, f"{path}: 2 damaged frames before #6 left out")
    ]
    assert levels(path, start=0.6) == [6, 7, 8, 9, 10, 11]


def test_frames_larger_than_images_may_be(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", TENTHS[:2])
    monkeypatch.setattr(reading, "MAX_PIXELS", HEIGHT * WIDTH - 1)
    with pytest.raises(DataError, match=r"a\.mp4: its frames have 64 x 48 pixels; scale it down"):
        open_video(str(path))
