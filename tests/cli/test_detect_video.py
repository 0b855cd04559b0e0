"""`yolo detect` of videos: frames in the output, and a video with boxes."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.expected import saved
from tests.cli.test_schemas import DETECT
from tests.made_videos import grey_level, write_video
from tests.processes import heeding_signals
from tests.shared import SHARED, needs_shared
from yolo_cli.images import read_image
from yolo_cli.render import draw
from yolo_cli.video import open_video, writing

TENTHS = [n / 10 for n in range(12)]


@pytest.fixture
def clip(cli):
    """``clip.mp4`` of 12 frames in the present folder."""
    return write_video(Path("clip.mp4"), TENTHS).name


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_table_and_a_video(cli, clip):
    done = cli("detect", clip)
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[1:] == [
        ["clip.mp4", "dog", "12", "1", "0.0", "s", "1.1", "s"],
        ["cat", "12", "1", "0.0", "s", "1.1", "s"],
    ]
    assert done.stderr.startswith("12 frames, 24 objects, ")
    assert done.stderr.endswith(f"saved in {Path('runs/detect/predict')}\n")
    assert saved("runs") == ["detect/predict/clip.webm"]
    frames = [frame.read() for frame in open_video("runs/detect/predict/clip.webm").frames()]
    assert [frame.frame.time_s for frame in frames] == pytest.approx(TENTHS, abs=0.001)
    whole = next(open_video(clip).frames()).read()
    expected = draw(whole, cli.fake._find(whole), cli.fake.class_names)
    assert abs(frames[0].rgb.astype(int) - expected).mean() < 12  # lossy, and lines are thin


def test_json_of_a_frame(cli, clip):
    done = cli("detect", clip, "--format", "ndjson", "--no-save", "--every", 5, "-q")
    assert (done.exit_code, done.stderr) == (0, "")
    frames = lines(done)
    assert [(it["image"], it["frame"], it["time_s"]) for it in frames] == [
        ("clip.mp4#0", 0, 0.0),
        ("clip.mp4#5", 5, 0.5),
        ("clip.mp4#10", 10, 1.0),
    ]
    for frame in frames:
        DETECT.validate(frame)
        assert frame["time_ms"]["read"] > 0  # five frames are decoded
    whole = json.loads(cli("detect", clip, "--format", "json", "--no-save", "--every", 5).stdout)
    DETECT.validate(whole)
    assert [it["detections"] for it in whole["images"]] == [it["detections"] for it in frames]


def test_csv_has_columns_for_frames_only_where_there_is_a_video(cli, clip):
    def rows(*words):
        return list(csv.DictReader(io.StringIO(cli("detect", *words, "--format", "csv", "--no-save").stdout)))

    of_video = rows("p/a.jpg", clip, "--max-frames", 2)
    assert [(row["image"], row["frame"], row["time_s"]) for row in of_video[::2]] == [
        ("p/a.jpg", "", ""),
        ("clip.mp4#0", "0", "0.0"),
        ("clip.mp4#1", "1", "0.1"),
    ]
    assert "frame" not in rows("p/a.jpg")[0]


@pytest.mark.parametrize("form", ["coco", "yolo", "label-studio", "cvat"])
def test_every_other_format_names_each_frame(cli, clip, form):
    done = cli("detect", clip, "--format", form, "--no-save", "--max-frames", 3)
    assert done.exit_code == 0
    assert len({n for n in range(12) if f"clip.mp4#{n}" in done.stdout.replace("%23", "#")}) == 3


def test_frames_from_second_to_second(cli, clip):
    done = cli("detect", clip, "--from", 0.3, "--to", 0.6, "--format", "ndjson")
    assert [frame["frame"] for frame in lines(done)] == [3, 4, 5]
    frames = [frame.read() for frame in open_video("runs/detect/predict/clip.webm").frames()]
    assert [frame.frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2], abs=0.001)


def test_save_txt_and_crops(cli, clip):
    cli("detect", clip, "--max-frames", 2, "--save-txt", "--save-crops", "--no-save", "--out", "o")
    assert saved("o") == [
        *[f"crops/cat/clip-00000{n}-2.jpg" for n in range(2)],
        *[f"crops/dog/clip-00000{n}-1.jpg" for n in range(2)],
        *[f"labels/clip-00000{n}.txt" for n in range(2)],
    ]
    assert grey_level(read_image("o/crops/dog/clip-000001-1.jpg").rgb) == 1


def test_several_videos_and_images(cli, clip):
    Path("q").mkdir()
    write_video(Path("q/clip.mp4"), TENTHS[:3])
    done = cli("detect", clip, "p/a.jpg", "q/*.mp4", "--out", "o")
    assert done.exit_code == 0
    assert saved("o") == ["a.jpg", "clip-2.webm", "clip.webm"]
    assert [len(list(open_video(f"o/{name}.webm").frames())) for name in ("clip", "clip-2")] == [12, 3]
    assert done.stderr.startswith("16 frames, ")


def test_without_pyav_it_is_motion_jpeg_and_says_so(cli, clip, monkeypatch):
    monkeypatch.setattr(writing, "find_spec", lambda _: None)
    done = cli("detect", clip, "--out", "o")
    assert saved("o") == ["clip.avi"]
    assert [grey_level(frame.read().rgb[40:]) for frame in open_video("o/clip.avi").frames()][5] == 5
    assert done.stderr.splitlines()[-1] == (
        "note: PyAV is not installed: videos are large Motion JPEG, which browsers do not play; "
        "pip install 'yolo-cli[video]'"
    )
    assert "PyAV" not in cli("detect", clip, "--no-save").stderr


def test_a_video_that_is_cut_off(cli):
    whole = write_video(Path("whole.avi"), [n / 10 for n in range(19)], codec="mjpeg", pixels="yuvj420p")
    data = whole.read_bytes()
    Path("cut.avi").write_bytes(data[: len(data) // 2])
    done = cli("detect", "cut.avi", "--format", "ndjson", "--out", "o")
    *frames, last = lines(done)
    assert done.exit_code == 5
    assert last["error"] in done.stderr
    assert f"cut.avi: ends after {len(frames)} of 19 frames" in last["error"]
    DETECT.validate(last)
    assert len(list(open_video("o/cut.webm").frames())) == len(frames) > 4


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("none.mp4",), 3, "none.mp4: no such file or folder"),
        (("text.mp4",), 3, "text.mp4: cannot be read as a video"),
        (("text.mp4", "p/a.jpg"), 5, "text.mp4: cannot be read as a video"),
        (("clip.mp4", "--every", 0), 2, "--every is 0, but must be at least 1"),
        (("clip.mp4", "--from", 2, "--to", 1), 2, "--to is 1, but must be after second 2"),
        (("clips",), 3, f"clips: has no image, but videos; name them, as in '{Path('clips/*.MP4')}'"),
        (("p", "--every", 2), 2, "frames are chosen, but no source is a video"),
    ],
)
def test_wrong(cli, clip, words, code, said):
    Path("text.mp4").write_text("hello")
    Path("clips").mkdir()
    Path("clips/a.MP4").touch()
    done = cli("detect", *words)
    assert done.exit_code == code
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == (1 if code != 5 else 3)


def test_interrupt_leaves_a_video_of_what_is_done(cli, clip):
    cli.fake = replace(cli.fake, interrupt_after=7)
    done = cli("detect", clip, "--out", "o")
    assert done.exit_code == 130
    assert "error: interrupted after 7 of 12 frames; what is done is kept" in done.stderr
    assert saved("o") == ["clip.webm"]
    assert len(list(open_video("o/clip.webm").frames())) == 7


@needs_shared("video", "vtest.avi")
@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_a_video_that_can_be_played(tmp_path, kind):
    words = [sys.executable, "-m", "yolo_cli", "detect", str(SHARED / "video" / "vtest.avi")]
    words += ["--out", str(tmp_path / "o"), "--format", "ndjson", "--imgsz", "64"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with heeding_signals():
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
    printed = [process.stdout.readline() for _ in range(5)]
    process.send_signal(kind)
    rest, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "what is done is kept" in said
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["vtest.webm"]
    frames = sum(1 for _ in open_video(str(tmp_path / "o" / "vtest.webm")).frames())
    assert 5 <= len(printed) + len(rest.splitlines()) <= frames < 795


def test_segments(cli, clip):
    done = cli("detect", clip, "--segment", 0.01, "--out", "o")  # 0.6 s
    assert done.exit_code == 0, done.output
    assert saved("o") == ["clip-001.webm", "clip-002.webm"]
    assert cli("detect", clip, "--segment", 0).exit_code == 2


def test_show_needs_a_display(cli, clip, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    done = cli("detect", clip, "--show")
    assert (done.exit_code, done.stderr) == (
        2,
        "error: --show: there is no display to open a window on; leave it out\n",
    )
