"""`yolo detect` of streams, addresses, image files with several frames, and several images on stdin."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from PIL import Image as Pillow

from tests.cli.expected import saved
from tests.cli.test_schemas import DETECT
from tests.made_videos import grey
from tests.processes import heeding_signals
from tests.stream_server import jpeg, part, stream_server
from yolo_cli import load_detector
from yolo_cli.video import open_video

LENGTH = len(b"".join(part(number) for number in range(5)))


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_stream_becomes_frames_and_a_video(cli, server):
    server.routes["/cam"] = lambda it: it.parts(range(5), 0.05, LENGTH)
    done = cli("detect", f"{server.url}/cam", "--live", "all", "--format", "ndjson", "--out", "o")
    assert done.exit_code == 0, done.output
    frames = lines(done)
    for frame in frames:
        DETECT.validate(frame)
    assert [frame["image"] for frame in frames] == [f"{server.url}/cam#{n}" for n in range(5)]
    assert saved("o") == ["cam.webm"]
    assert len(list(open_video("o/cam.webm").frames())) == 5


def test_a_stream_that_dies_keeps_what_is_done(cli, server):
    answers = iter([range(3)])
    server.routes["/cam"] = lambda it: it.parts(next(answers, ()))
    done = cli("detect", f"{server.url}/cam", "--live", "all", "--reconnect", 1, "--out", "o")
    assert done.exit_code == 5
    name = f"{server.url}/cam"
    assert done.stderr.splitlines()[:2] == [
        f"{name}: the connection has ended; trying again in 0.02 s (1 of 1)",
        f"error: {name}: the connection has ended; what is done is kept",
    ]
    assert done.stderr.splitlines()[2].startswith("3 frames, 6 objects, ")
    assert len(list(open_video("o/cam.webm").frames())) == 3


def test_an_image_at_an_address(cli, server):
    server.routes["/p/a.jpg"] = lambda it: it.whole("image/jpeg", jpeg(3))
    done = cli("detect", f"{server.url}/p/a.jpg?size=1", "--out", "o")
    assert done.exit_code == 0, done.output
    assert saved("o") == ["a.jpg"]
    assert done.stdout.startswith("image ")


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv", "coco", "yolo", "label-studio", "cvat"])
def test_a_password_is_in_no_output(cli, server, form):
    answers = iter([range(2)])
    server.protect("/cam", lambda it: it.parts(next(answers, ())))
    server.protect("/a.jpg", lambda it: it.whole("image/jpeg", jpeg(1)))
    whole = f"http://me:s3cret@{server.host}"
    words = (f"{whole}/cam?token=s3cret", f"{whole}/a.jpg", f"{whole}/none.jpg?pwd=s3cret")
    done = cli(
        "detect",
        *words,
        "--format",
        form,
        "--reconnect",
        1,
        "--live",
        "all",
        "--save-txt",
        "--out",
        "o",
        "-v",
    )
    assert done.exit_code == 5
    assert "s3cret" not in done.output + "".join(saved("o"))
    assert "me:***@" in done.stderr
    assert saved("o") == [
        "a.jpg",
        "cam.webm",
        "labels/a.txt",
        "labels/cam-000000.txt",
        "labels/cam-000001.txt",
    ]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("http://me:s3cret@127.0.0.1:1/a.jpg", "http://me:***@127.0.0.1:1/a.jpg: cannot be reached"),
        ("rtsp://me:s3cret@127.0.0.1:1/a", "rtsp://me:***@127.0.0.1:1/a: gives no video or stream"),
        (
            "ftp://me:s3cret@h/a.jpg",
            "ftp://me:***@h/a.jpg: ftp:// is not read; give one of http://, https://",
        ),
        ("97", "camera 97: cannot be opened; is it plugged in, free, and yours to use?"),
    ],
)
def test_what_cannot_be_reached_is_one_line(cli, source, says):
    done = cli("detect", source, "--out", "o")
    assert done.exit_code == 3
    assert done.stderr.startswith(f"error: {says}")
    assert len(done.stderr.splitlines()) == 1
    assert not Path("o").exists()


def test_a_file_that_is_called_as_a_camera_is_a_file(cli):
    Path("0").write_bytes(jpeg(1))
    assert lines(cli("detect", "0", "--format", "ndjson", "--no-save"))[0]["image"] == "0"


def test_addresses_in_a_list_are_not_opened(cli, server):
    Path("list.txt").write_text(f"{server.url}/a.jpg\np/a.jpg\n")
    done = cli("detect", "list.txt", "--no-save")
    assert (done.exit_code, server.seen) == (5, [])


@pytest.mark.parametrize(
    ("words", "says"), [(("--stall", 0), "--stall is 0"), (("--live", "x"), "'x' is not")]
)
def test_wrong(cli, words, says):
    done = cli("detect", "0", *words)
    assert done.exit_code == 2
    assert says in done.stderr


def test_an_animated_gif_is_frames(cli):
    first, *rest = [Pillow.fromarray(grey(n)) for n in (0, 5, 10)]
    first.save("a.gif", save_all=True, append_images=rest, duration=100)
    done = cli("detect", "a.gif", "p/a.jpg", "--format", "ndjson", "--out", "o")
    assert done.exit_code == 0
    assert [(it["image"], it.get("time_s")) for it in lines(done)] == [
        ("a.gif#0", 0.0),
        ("a.gif#1", 0.1),
        ("a.gif#2", 0.2),
        ("p/a.jpg", None),
    ]
    assert saved("o") == ["a-2.jpg", "a.webm"]


def test_several_images_on_stdin(cli):
    done = cli("detect", "-", "--format", "ndjson", "--out", "o", stdin=jpeg(1) + jpeg(2))
    assert [it["image"] for it in lines(done)] == ["-", "-#2"]
    assert saved("o") == ["stdin-2.jpg", "stdin.jpg"]


def test_a_tar_archive_on_stdin(cli):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.add("p")
    done = cli("detect", "-", "--format", "ndjson", "--save-txt", "--out", "o", stdin=file.getvalue())
    assert sorted(it["image"] for it in lines(done)) == ["p/10.jpg", "p/a.jpg", "p/b 2.png"]
    assert "10.jpg" in saved("o")


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_stream_that_stalls(tmp_path, kind):
    def answer(handler):
        handler.parts(range(5), 0.05)
        time.sleep(20)

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "no_proxy": "127.0.0.1"}
    with stream_server() as server, heeding_signals():
        server.routes["/cam"] = answer
        words = [sys.executable, "-m", "yolo_cli", "detect", f"{server.url}/cam", "--live", "all"]
        words += ["--out", str(tmp_path / "o"), "--format", "ndjson", "--imgsz", "64", "--stall", "60"]
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        assert len([process.stdout.readline() for _ in range(5)]) == 5
        start = time.monotonic()
        process.send_signal(kind)
        _, said = process.communicate(timeout=30)
    assert time.monotonic() - start < 10
    assert process.returncode == 130, said
    assert said.startswith("error: interrupted after 5 frames; what is done is kept")
    assert len(list(open_video(str(tmp_path / "o" / "cam.webm")).frames())) == 5


def test_a_region_keeps_what_has_its_centre_in_it(cli):
    # The dog's box is (0, 0, 30, 40), its centre (15, 20); the cat's is (0, 0, 10, 20), its centre (5, 10).
    done = cli("detect", "p/a.jpg", "--region", "10,0,60,0,60,40,10,40", "--format", "ndjson", "--no-save")
    [image] = lines(done)
    assert [found["class_name"] for found in image["detections"]] == ["dog"]
    wrong = cli("detect", "p/a.jpg", "--region", "10,0,60,0")
    assert wrong.exit_code == 2
    assert wrong.stderr == "error: --region 10,0,60,0: must be x1,y1,x2,y2,x3,y3,… in pixels\n"


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_signal_ends_the_wait_for_an_answer(scheme):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "no_proxy": "127.0.0.1"}
    with socket.create_server(("127.0.0.1", 0)) as silent, heeding_signals():
        source = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/cam"
        words = [sys.executable, "-m", "yolo_cli", "detect", source, "--no-save", "--imgsz", "64"]
        process = subprocess.Popen(
            [*words, "--stall", "60"], stderr=subprocess.PIPE, text=True, env=environment
        )
        with silent.accept()[0]:
            time.sleep(0.5)
            start = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
    assert time.monotonic() - start < 10
    assert (process.returncode, said) == (130, "error: interrupted after 0 frames; what is done is kept\n")


def test_an_hls_list_cannot_lead_to_a_file(cli, server, tmp_path):
    """Segments on the server are read; one on this computer is not."""
    av = pytest.importorskip("av", reason="av is not installed")
    (tmp_path / "hls").mkdir()
    with av.open("hls/a.m3u8", "w", format="hls", options={"hls_list_size": "0"}) as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(10):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(grey(number), format="rgb24")))
        file.mux(stream.encode(None))
    listed = Path("hls/a.m3u8").read_text()
    [name] = [line for line in listed.splitlines() if line.endswith(".ts")]
    segment = (tmp_path / "hls" / name).read_bytes()
    kind = "application/vnd.apple.mpegurl"
    server.routes |= {
        f"/{name}": lambda it: it.whole("video/mp2t", segment),
        "/good.m3u8": lambda it: it.whole(kind, listed.encode()),
        "/bad.m3u8": lambda it: it.whole(
            kind, listed.replace(name, f"file://{tmp_path}/hls/{name}").encode()
        ),
    }
    good = cli("detect", f"{server.url}/good.m3u8", "--no-save", "--format", "ndjson", "--reconnect", 0)
    assert sum("#" in line for line in good.stdout.splitlines()) == 10
    bad = cli("detect", f"{server.url}/bad.m3u8", "--no-save", "--format", "ndjson", "--reconnect", 0)
    assert bad.exit_code == 3
    assert "#" not in bad.stdout


def test_frames_of_a_stream_in_tiles(server):
    photo = Path("examples/coffee.jpg").read_bytes()  # 600 × 400: with tiles of 300, 14 of them

    def answer(handler):
        handler.start("multipart/x-mixed-replace; boundary=frame")
        for _ in range(2):
            handler.wfile.write(b"--frame\r\n\r\n" + photo + b"\r\n")
        handler.wfile.write(b"--frame--\r\n")

    server.routes["/cam"] = answer
    detector = load_detector(engine="onnx", tile=300)
    found = [result.to_dict()["detections"] for result in detector.stream(f"{server.url}/cam", live="all")]
    in_tiles, whole = (
        each("examples/coffee.jpg").to_dict()["detections"]
        for each in (detector, detector.with_options(tile=None))
    )
    assert found == [in_tiles, in_tiles]
    assert in_tiles != whole
