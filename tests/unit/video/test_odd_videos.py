"""Videos that are rare, but not damaged: no frame, times before zero, a size that changes or is wrong."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
import pytest

from tests.made_videos import grey, grey_level, write_video
from yolo_cli.errors import DataError
from yolo_cli.video import open_video

av = pytest.importorskip("av", reason="av is not installed")
TIMES = [n / 25 for n in range(25)]


def mpeg(path, times, size=(48, 64), **options):
    """MPEG-2 at 25 frames a second, (height, width)."""
    with av.open(str(path), "w", options=options) as file:
        stream = file.add_stream("mpeg2video", rate=25)
        stream.height, stream.width = size
        for number, time_s in enumerate(times):
            frame = av.VideoFrame.from_ndarray(grey(number % 10, size), format="rgb24")
            frame.pts, frame.time_base = round(time_s * 25), Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def read_by_av(path):
    """Time and (height, width) of each frame."""
    with av.open(str(path)) as file:
        return [(frame.time, (frame.height, frame.width)) for frame in file.decode(video=0)]


def test_sound_alone_is_not_a_video(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        sound = file.add_stream("aac", rate=44100)
        for start in range(0, 10240, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.rate, frame.pts = 44100, start
            file.mux(sound.encode(frame))
        file.mux(sound.encode(None))
    with pytest.raises(DataError, match=r"a\.mp4: cannot be read as a video"):
        open_video(str(tmp_path / "a.mp4"))


def test_a_size_that_changes_midway(tmp_path):
    """As in recordings of broadcasts. OpenCV scales later frames to the size of the first."""
    small = mpeg(tmp_path / "small.ts", TIMES)
    large = mpeg(tmp_path / "large.ts", [1 + time_s for time_s in TIMES], (96, 128))
    (both := tmp_path / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    frames = [frame.read().rgb for frame in open_video(str(both)).frames()]
    assert [size for _, size in read_by_av(both)] == [(48, 64)] * 24 + [(96, 128)] * 25
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
    assert [grey_level(frame) for frame in frames] == [n % 10 for n in [*range(24), *range(25)]]


def test_times_before_zero(tmp_path):
    """The first frame is at 0 here, and the others as far behind it as they should be."""
    path = mpeg(tmp_path / "a.mkv", [time_s - 0.4 for time_s in TIMES], avoid_negative_ts="disabled")
    assert read_by_av(path)[0][0] == pytest.approx(-0.4)
    frames = [frame.read().frame for frame in open_video(str(path)).frames()]
    assert [frame.time_s for frame in frames] == pytest.approx(TIMES, abs=2e-3)


def test_a_header_that_promises_huge_frames(tmp_path):
    """Frames of Motion JPEG have their own; no memory is taken for 10,000 megapixels."""
    path = write_video(tmp_path / "a.avi", [0.0, 0.1], codec="mjpeg", pixels="yuvj420p", size=(48, 64))
    data = bytearray(path.read_bytes())
    for mark, at in ((b"avih", 40), (b"strf", 12)):  # width and height in their structures
        struct.pack_into("<ii", data, data.index(mark) + at, 100_000, 100_000)
    path.write_bytes(data)
    assert [frame.read().rgb.shape for frame in open_video(str(path)).frames()] == [(48, 64, 3)] * 2
