"""Videos in segments, with the sound that belongs to them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.cli.expected import saved
from tests.made_videos import grey, grey_level
from yolo_cli.errors import UsageError
from yolo_cli.video import SegmentWriter, open_video

av = pytest.importorskip("av", reason="av is not installed")
RATE, SECONDS = 44_100, 2


@pytest.fixture
def sounding(tmp_path) -> Path:
    """A video of 20 frames in 2 seconds with a tone from 1.0 to 1.5 s."""
    path = tmp_path / "in" / "a.mp4"
    path.parent.mkdir()
    at = np.arange(RATE * SECONDS) / RATE
    tone = np.where((at >= 1.0) & (at < 1.5), 0.5 * np.sin(2 * np.pi * 440 * at), 0).astype(np.float32)
    with av.open(str(path), "w") as file:
        video, sound = file.add_stream("libx264", rate=10), file.add_stream("aac", rate=RATE, layout="mono")
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(grey(number % 19), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            file.mux(video.encode(frame))
        samples = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        samples.rate, samples.pts, samples.time_base = RATE, 0, Fraction(1, RATE)
        file.mux(sound.encode(samples))
        file.mux(video.encode(None))
        file.mux(sound.encode(None))
    return path


def loud(path: Path) -> tuple[float, float, float]:
    """From when to when there is a tone, and when the sound ends, in seconds."""
    with av.open(str(path)) as file:
        pieces = [(frame.time, frame.to_ndarray().reshape(-1, 1), frame) for frame in file.decode(audio=0)]
    marks = [
        (time, time + frame.samples / frame.rate)
        for time, samples, frame in pieces
        if np.abs(samples).max() > 0.1
    ]
    last, _, frame = pieces[-1]
    return (*(marks[0][0], marks[-1][1]), last + frame.samples / frame.rate) if marks else (-1, -1, last)


def write(stem: Path, times, minutes=None, sound=None) -> None:
    writer = SegmentWriter(stem, 10, minutes, sound)
    for number, time_s in enumerate(times):
        writer.add(grey(number % 19), time_s)
    writer.close()


def test_one_file_without_a_length(tmp_path):
    write(tmp_path / "o" / "a", [0.0, 0.1, 100.0])
    assert saved(str(tmp_path / "o")) == ["a.webm"]


def test_segments_by_the_times_of_frames(tmp_path):
    # 0.01 minutes are 0.6 s: a segment begins at 0.0, at 0.6, and, as nothing is at 1.2, at 1.5.
    write(tmp_path / "o" / "a", [0.0, 0.2, 0.4, 0.6, 1.0, 1.5], 0.01)
    assert saved(str(tmp_path / "o")) == ["a-001.webm", "a-002.webm", "a-003.webm"]
    found = {
        name: [
            (grey_level(f.read().rgb), f.read().frame.time_s)
            for f in open_video(str(tmp_path / "o" / name)).frames()
        ]
        for name in saved(str(tmp_path / "o"))
    }
    assert list(found.values()) == [
        [(0, 0.0), (1, 0.2), (2, 0.4)],
        [(3, 0.0), (4, 0.4)],
        [(5, 0.0)],
    ]


def test_what_is_complete_is_there_before_the_end(tmp_path):
    writer = SegmentWriter(tmp_path / "a", 10, 0.01)
    for number in range(10):
        writer.add(grey(number), number / 10)
    assert saved(str(tmp_path)) == ["a-001.webm", "a-002.part.webm"]
    assert len(list(open_video(str(tmp_path / "a-001.webm")).frames())) == 6
    writer.close()


def test_sound_stays_with_its_frames(tmp_path, sounding):
    write(tmp_path / "o" / "a", [n / 10 for n in range(20)], sound=sounding)
    assert loud(tmp_path / "o" / "a.webm") == pytest.approx((1.0, 1.5, 2.0), abs=0.06)


def test_sound_from_the_first_frame_on(tmp_path, sounding):
    write(tmp_path / "o" / "a", [n / 10 for n in range(7, 14)], sound=sounding)
    begins, ends, last = loud(tmp_path / "o" / "a.webm")
    assert (begins, last) == pytest.approx((0.3, 0.7), abs=0.06)
    assert ends == pytest.approx(0.7, abs=0.06)


def test_sound_of_segments(tmp_path, sounding):
    write(tmp_path / "o" / "a", [n / 10 for n in range(20)], 0.02, sounding)  # 1.2 s each
    assert loud(tmp_path / "o" / "a-001.webm")[:2] == pytest.approx((1.0, 1.2), abs=0.06)
    assert loud(tmp_path / "o" / "a-002.webm")[:2] == pytest.approx((0.0, 0.3), abs=0.06)


@pytest.mark.parametrize("data", [b"", b"hello", None])
def test_sound_that_cannot_be_read_is_none(tmp_path, sounding, data):
    if data is None:
        data = sounding.read_bytes()[: sounding.stat().st_size // 2]
    sounding.write_bytes(data)
    write(tmp_path / "o" / "a", [0.0, 0.1], sound=sounding)
    assert len(list(open_video(str(tmp_path / "o" / "a.webm")).frames())) == 2


def test_a_length_out_of_range(tmp_path):
    with pytest.raises(UsageError, match=r"^segment is 0, but must be above 0 minutes$"):
        SegmentWriter(tmp_path / "a", 10, 0)
