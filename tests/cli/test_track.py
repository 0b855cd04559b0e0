"""`yolo track` on a made video: a red cat goes right, a blue dog goes left."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from tests.moving import SquareDetector, frame, write_video
from tests.shared import ROOT
from tests.stream_server import stream_server
from yolo_cli.api import tracking
from yolo_cli.api.detection import Predictor
from yolo_cli.cli import main
from yolo_cli.images import write_image
from yolo_cli.tracks import read_mot

SCHEMA = Draft202012Validator(json.loads((ROOT / "docs/schemas/track.schema.json").read_text()))
LINE = ("--count-line", "64,0,64,96")  # downwards, in the middle: to its right is the left half


@pytest.fixture
def track(tmp_path, monkeypatch):
    """Run the command in a folder with ``v.avi``, with a detector of squares."""
    monkeypatch.chdir(tmp_path)
    write_video(Path("v.avi"))
    fake = {"detector": SquareDetector()}

    def load(_, **options):
        classes = options.pop("classes", None)
        options = {name: value for name, value in options.items() if name in ("conf",)}
        loaded = Predictor(fake["detector"]).with_options(**options)
        return loaded if classes is None else loaded.with_options(classes=classes)

    monkeypatch.setattr(tracking, "load_detector", load)

    def run(*words, detector=None):
        fake["detector"] = detector or SquareDetector()
        return CliRunner().invoke(main, ["track", *words], catch_exceptions=False)

    return run


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_table_and_files(track):
    done = track("v.avi", *LINE, "--zone", "40,50,90,50,90,90,40,90")
    assert done.exit_code == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[:4] for row in rows[1:3]] == [["1", "cat", "0", "19"], ["2", "dog", "0", "19"]]
    # The cat's centre goes from 12 to 88: left to right of the middle, which is "out"; the dog's is "in".
    # The dog's centre goes from 108 to 32, through the zone from 90 to 40.
    assert done.stdout.splitlines()[3:] == ["line 1: 1 in, 1 out", "zone 1: 1 in, 1 out"]
    assert done.stderr.splitlines() == ["20 frames, 2 objects", "saved in runs/track"]
    folder = Path("runs/track")
    names = {path.name for path in folder.iterdir()}
    assert names == {"video.webm", "mot.txt", "tracks.csv", "crossings.csv"}
    mot = read_mot(folder / "mot.txt")
    assert (len(mot), mot.frame.max(), set(mot.track_id)) == (40, 19, {1, 2})
    rows = table(folder / "crossings.csv")
    assert {(row["counter"], row["class_name"], row["direction"]) for row in rows} == {
        ("line 1", "cat", "out"),
        ("line 1", "dog", "in"),
        ("zone 1", "dog", "in"),
        ("zone 1", "dog", "out"),
    }
    rows = table(folder / "tracks.csv")
    assert (rows[0]["class_name"], rows[0]["frames"], rows[0]["last_s"]) == ("cat", "20", "1.9")
    assert float(rows[0]["path_px"]) == pytest.approx(76, abs=3)  # 19 x 4


def test_the_video_has_every_frame_and_the_boxes(track):
    track("v.avi")
    capture = cv2.VideoCapture("runs/track/video.webm")
    drawn = []
    while (read := capture.read())[0]:
        drawn.append(read[1])
    assert (len(drawn), capture.get(cv2.CAP_PROP_FPS)) == (20, 10)
    assert (abs(drawn[10].astype(int) - frame(10)[:, :, ::-1]) > 60).any(axis=2).mean() > 0.05


@pytest.mark.parametrize("batch", ["1", "7"])
def test_ndjson(track, batch):
    done = track("v.avi", "--format", "ndjson", "--no-save", "--batch", batch, "-q")
    frames = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["frame"] for each in frames] == list(range(20))
    assert [each["time_s"] for each in frames] == pytest.approx([n / 10 for n in range(20)])
    SCHEMA.validate(last := frames[-1])
    assert (last["width"], last["height"], last["image"]) == (128, 96, "v.avi#19")
    assert [(it["track_id"], it["class_name"]) for it in last["detections"]] == [(1, "cat"), (2, "dog")]
    assert last["detections"][0]["box"] == pytest.approx([80, 16, 96, 32], abs=2.5)
    assert (done.stderr, Path("runs").exists()) == ("", False)


def test_json(track):
    printed = json.loads(track("v.avi", "--format", "json", "--no-save", *LINE).stdout)
    SCHEMA.validate(printed)
    assert printed["model"]["name"] == "squares"
    assert len(printed["images"]) == 20
    assert [each["class_name"] for each in printed["tracks"]] == ["cat", "dog"]
    assert printed["counts"] == [{"counter": "line 1", "in": 1, "out": 1}]
    assert {each["class_name"] for each in printed["crossings"]} == {"cat", "dog"}


def test_csv_has_a_row_for_each_box(track):
    done = track("v.avi", "--format", "csv", "--no-save", "-q")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    printed = track("v.avi", "--format", "ndjson", "--no-save", "-q").stdout
    frames = [json.loads(line) for line in printed.splitlines()]
    assert len(rows) == sum(len(each["detections"]) for each in frames) >= 38
    found = frames[-1]["detections"][1]
    last = frames[-1] | found | dict(zip(("x1", "y1", "x2", "y2"), found["box"], strict=True))
    assert rows[-1] == {name: str(last[name]) for name in rows[-1]}
    names = "image,frame,time_s,width,height,track_id,class_id,class_name,confidence,x1,y1,x2,y2"
    assert done.stdout.splitlines()[0] == names


def test_mot_is_what_eval_reads(track):
    Path("t.txt").write_text(track("v.avi", "--format", "mot", "--no-save").stdout)
    done = CliRunner().invoke(main, ["eval", "--mot", "t.txt", "--detections", "t.txt", "--format", "json"])
    assert json.loads(done.stdout)["hota"] == 1


def test_classes(track):
    done = track("v.avi", "--classes", "dog", "--no-save")
    assert ("dog" in done.stdout, "cat" in done.stdout) == (True, False)


def test_camera_motion(track):
    assert track("v.avi", "--camera-motion", "--no-save").exit_code == 0


def test_a_folder_of_images_with_one_that_is_broken(track):
    Path("f").mkdir()
    for number in range(12):
        write_image(f"f/{number}.png", frame(number))
    Path("f/5.png").write_bytes(b"broken")
    done = track("f", "--format", "ndjson", "--no-save")
    assert done.exit_code == 5
    frames = [json.loads(line) for line in done.stdout.splitlines()]
    assert "error" in frames[5]
    SCHEMA.validate(frames[5])
    assert [each["track_id"] for each in frames[11]["detections"]] == [1, 2]
    assert frames[11]["time_s"] is None
    assert "error: f/5.png" in done.stderr


def test_a_video_that_is_cut_off(track):
    data = write_video(Path("v.avi"), 30).read_bytes()
    Path("cut.avi").write_bytes(data[: len(data) // 2])
    done = track("cut.avi", "--format", "ndjson", "--no-save")
    *frames, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.exit_code, last["frame"]) == (5, len(frames))
    SCHEMA.validate(last)
    assert f"cut.avi: ends after {len(frames)} of 30 frames" in last["error"]
    assert last["error"] in done.stderr


def test_interrupt_keeps_what_is_done(track):
    done = track("v.avi", detector=SquareDetector(interrupt_after=7))
    assert done.exit_code == 130
    assert "interrupted after 7 frames; what is done is kept" in done.stderr
    assert read_mot(Path("runs/track/mot.txt")).frame.max() == 6
    assert cv2.VideoCapture("runs/track/video.webm").get(cv2.CAP_PROP_FRAME_COUNT) == 7


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("none.avi",), 3, "none.avi"),
        (("text.avi",), 3, "text.avi: cannot be read as a video"),
        (("v.avi", "--count-line", "1,2,3"), 2, "--count-line 1,2,3: must be x1,y1,x2,y2 in pixels"),
        (("v.avi", "--low-conf", "0.5"), 2, "--low-conf is 0.5"),
        (("v.avi", "--min-hits", "0"), 2, "--min-hits is 0"),
    ],
)
def test_wrong(track, words, code, said):
    Path("text.avi").write_text("not a video")
    done = track(*words)
    assert (done.exit_code, said in done.stderr, len(done.stderr.splitlines())) == (code, True, 1)
    assert not Path("runs").exists()


@pytest.mark.parametrize("border", [("--count-line", "500,0,500,90"), ("--zone", "-9,-9,-1,-9,-1,-1")])
def test_a_border_beside_the_frames(track, border):
    done = track("v.avi", *border, "--no-save", "-q")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert " 1: is outside the frames, which have 128x96 pixels; give points in them" in done.stderr


def test_chosen_frames_and_a_region(track):
    done = track("v.avi", "--every", "2", "--to", "1", "--format", "ndjson", "--no-save")
    assert [json.loads(line)["frame"] for line in done.stdout.splitlines()] == [0, 2, 4, 6, 8]
    # The cat moves in the upper half, the dog in the lower one.
    done = track("v.avi", "--region", "0,0,128,0,128,48,0,48", "--no-save")
    assert [line.split()[1] for line in done.stdout.splitlines()[1:]] == ["cat"]


def test_a_region_is_drawn(track):
    """The right edge of the region, between the boxes: blue is what its yellow (255, 210, 0) lacks."""
    track("v.avi", "--region", "20,0,108,0,108,48,20,48", "--max-frames", "3", "--no-labels", "--out", "with")
    track("v.avi", "--max-frames", "3", "--no-labels", "--out", "without")
    frames = [
        cv2.VideoCapture(f"{folder}/video.webm").read()[1].astype(int) for folder in ("with", "without")
    ]
    change = (frames[0] - frames[1])[2:46, 108]  # BGR
    assert np.median(change[:, 2] - change[:, 0]) > 50


def test_a_stream(track, monkeypatch):
    def answer(handler):
        handler.start("multipart/x-mixed-replace; boundary=frame")
        for number in range(20):
            jpeg = cv2.imencode(".jpg", np.ascontiguousarray(frame(number)[..., ::-1]))[1].tobytes()
            handler.wfile.write(b"--frame\r\n\r\n" + jpeg + b"\r\n")
        handler.wfile.write(b"--frame--\r\n")

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with stream_server() as server:
        server.routes["/cam"] = answer
        done = track(f"http://me:s3cret@{server.host}/cam", "--live", "all", "--out", "o")
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[:4] for row in rows[1:3]] == [["1", "cat", "0", "19"], ["2", "dog", "0", "19"]]
    assert "s3cret" not in done.output
    assert (Path("o") / "video.webm").is_file()


@dataclass(frozen=True)
class HalfBlind(SquareDetector):
    """Does not see the cat in frames 8 to 11, where its left edge is between 34 and 50."""

    def _found(self, rgb):
        found = super()._found(rgb)
        return found[(found.class_id == 1) | (found.xyxy[:, 0] < 34) | (found.xyxy[:, 0] > 50)]


def test_smooth_fills_gaps_in_all_output(track):
    """The cat is missing in four frames of twenty; afterwards it is in all, wherever one looks."""
    words = ("v.avi", "--smooth", "--exist-ok", "--out", "o", "--format")
    done = track(*words, "json", detector=HalfBlind())
    SCHEMA.validate(printed := json.loads(done.stdout))
    assert [len(each["detections"]) for each in printed["images"]] == [2] * 20
    assert [row["frames"] for row in printed["tracks"]] == [20, 20]
    assert printed["images"][10]["detections"][0]["box"] == pytest.approx([44, 16, 60, 32], abs=2)
    assert len(read_mot(Path("o/mot.txt"))) == 40
    assert [row["frames"] for row in table(Path("o/tracks.csv"))] == ["20", "20"]
    assert cv2.VideoCapture("o/video.webm").get(cv2.CAP_PROP_FRAME_COUNT) == 20
    assert track(*words, "mot", detector=HalfBlind()).stdout == Path("o/mot.txt").read_text()


def test_smooth_is_done_with_what_there_is_at_an_interrupt(track):
    done = track("v.avi", "--smooth", detector=SquareDetector(interrupt_after=7))
    assert done.exit_code == 130
    assert "interrupted after 7 frames; what is done is kept" in done.stderr
    assert read_mot(Path("runs/track/mot.txt")).frame.max() == 6


def test_smooth_needs_what_can_be_read_twice(track):
    for source in ("0", "rtsp://127.0.0.1:1/x", "-"):
        done = track(source, "--smooth", "--no-save")
        assert (done.exit_code, "--smooth: looks ahead" in done.stderr) == (2, True), done.stderr
