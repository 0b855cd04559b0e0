"""Images and streams over HTTP: what a server may do, good or bad, is frames or one line."""

from __future__ import annotations

import threading
import time

import pytest

from tests.made_videos import grey_level, paged, write_video
from tests.stream_server import jpeg, part
from yolo_cli.live import LiveOptions, find_address, web
from yolo_cli.live.following import live_frames
from yolo_cli.video import FrameChoice

LENGTH = len(b"".join(part(number) for number in range(5)))


def levels(frames):
    return [grey_level(frame.read().rgb) for frame in frames]


def fault(frames):
    *before, last = frames
    assert all(frame.image is not None for frame in before)
    assert len(last.fault.splitlines()) == 1
    return last.fault


def test_an_image(server, follow):
    server.routes["/a.jpg"] = lambda it: it.whole("image/jpeg", jpeg(3))
    [frame], said = follow(f"{server.url}/a.jpg")
    assert (frame.name, frame.read().name, frame.read().frame, said) == (
        f"{server.url}/a.jpg",
        f"{server.url}/a.jpg",
        None,
        [],
    )
    assert levels([frame]) == [3]


def test_an_image_is_known_by_its_bytes_too(server, follow):
    server.routes["/snapshot"] = lambda it: it.whole("application/octet-stream", jpeg(4))
    assert levels(follow(f"{server.url}/snapshot")[0]) == [4]


@pytest.mark.parametrize("kind", ["tiff", "gif"])
def test_pages_and_animations_are_read_as_files_of_them_are(server, follow, kind):
    server.routes["/a"] = lambda it: it.whole(f"image/{kind}", paged(kind, 5, 10, 15))
    frames, said = follow(f"{server.url}/a", choice=FrameChoice(every=2))
    assert ([frame.name for frame in frames], levels(frames), said) == (
        [f"{server.url}/a#0", f"{server.url}/a#2"],
        [5, 15],
        [],
    )


def test_motion_jpeg(server, follow):
    server.routes["/cam"] = lambda it: it.parts(range(5), length=LENGTH)
    frames, said = follow(f"{server.url}/cam")
    assert (levels(frames), said) == ([0, 1, 2, 3, 4], [])
    assert [frame.name for frame in frames] == [f"{server.url}/cam#{n}" for n in range(5)]
    places = [frame.read().frame for frame in frames]
    assert [place.number for place in places] == [0, 1, 2, 3, 4]
    assert places[0].time_s == 0
    assert [place.time_s for place in places] == sorted(place.time_s for place in places)


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        ({"every": 2}, [0, 2, 4]),
        ({"max_frames": 2}, [0, 1]),
    ],
)
def test_chosen_frames(server, follow, choice, numbers):
    server.routes["/cam"] = lambda it: it.parts(range(5), 0.1, LENGTH)
    assert levels(follow(f"{server.url}/cam", FrameChoice(**choice))[0]) == numbers


@pytest.mark.parametrize("choice", [{"end": 0.25}, {"start": 0.25}])
def test_chosen_times(server, follow, choice):
    server.routes["/cam"] = lambda it: it.parts(range(5), 0.1, LENGTH)
    frames = follow(f"{server.url}/cam", FrameChoice(**choice))[0]
    times = [frame.read().frame.time_s for frame in frames]  # by the clock, so a busy computer has others
    numbers = levels(frames)
    if "end" in choice:
        assert numbers == list(range(len(numbers)))
        assert 0 < len(numbers) < 5
        assert max(times) <= 0.25
    else:
        assert numbers == list(range(5 - len(numbers), 5))
        assert 0 < len(numbers) < 5
        assert min(times) >= 0.25


def test_the_newest_frame_is_given_and_dropped_ones_are_counted(server, follow):
    server.routes["/cam"] = lambda it: it.parts(range(5), 0.1, LENGTH)
    said = []
    options = LiveOptions(stall=5, tell=said.append)
    seen = []
    for frame in live_frames(find_address(f"{server.url}/cam"), options=options):
        seen.append(grey_level(frame.read().rgb))
        time.sleep(0.25)  # 2.5 frames come meanwhile
    assert seen[0] == 0
    assert seen[-1] == 4
    assert len(seen) < 5
    dropped = 5 - len(seen)
    assert said == [
        f"{server.url}/cam: {dropped} of 5 frames dropped while the network was busy; "
        "`--live all` waits instead"
    ]


def test_a_video_file_is_read_as_one(server, follow, tmp_path):
    data = write_video(tmp_path / "a.mp4", [n / 10 for n in range(6)]).read_bytes()
    server.routes["/a.mp4"] = lambda it: it.whole("video/mp4", data)
    frames, _ = follow(f"{server.url}/a.mp4", FrameChoice(every=2))
    assert levels(frames) == [0, 2, 4]
    assert [frame.read().frame.time_s for frame in frames] == pytest.approx([0, 0.2, 0.4])


def test_a_stream_that_breaks_and_comes_back(server, follow):
    answers = iter([range(3), range(3, 5)])
    server.routes["/cam"] = lambda it: it.parts(next(answers, ()), 0.02)
    frames, said = follow(f"{server.url}/cam", reconnect=2)
    assert levels(frames[:-1]) == [0, 1, 2, 3, 4]
    assert [frame.read().frame.number for frame in frames[:-1]] == [0, 1, 2, 3, 4]
    times = [frame.read().frame.time_s for frame in frames[:-1]]
    assert times == sorted(times)
    assert fault(frames) == f"{server.url}/cam: the connection has ended; what is done is kept"
    assert said[0] == f"{server.url}/cam: the connection has ended; trying again in 0.02 s (1 of 2)"
    assert said[1].startswith(f"{server.url}/cam: frames again, after 0.")
    assert [line.rpartition("(")[2] for line in said[2:]] == ["1 of 2)", "2 of 2)"]


def test_a_server_that_goes_away_for_a_while(server, follow):
    def answer(handler):
        if len(server.seen) == 2:
            handler.send_error(503)
        else:
            handler.parts(range(5), length=LENGTH if len(server.seen) > 2 else None)

    server.routes["/cam"] = answer
    frames, said = follow(f"{server.url}/cam")
    assert levels(frames) == [0, 1, 2, 3, 4] * 2
    assert "the server answers 503 Service Unavailable; check the address; trying again" in said[1]


def test_a_stream_that_stalls(server, follow):
    def answer(handler):
        handler.parts(range(2))
        time.sleep(3)

    server.routes["/cam"] = answer
    start = time.monotonic()
    frames, said = follow(f"{server.url}/cam", stall=0.3, reconnect=0)
    assert fault(frames) == f"{server.url}/cam: no frame for 0.3 s; what is done is kept"
    assert (len(frames), said) == (3, [])
    assert time.monotonic() - start < 2.5


def test_a_trickle_is_a_stall(server, follow):
    def answer(handler):
        handler.parts(range(1))
        for byte in part(1):
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)

    server.routes["/cam"] = answer
    frames, _ = follow(f"{server.url}/cam", stall=0.4, reconnect=0)
    assert fault(frames) == f"{server.url}/cam: no frame for 0.4 s; what is done is kept"


def test_the_closing_mark_of_a_multipart_stream_is_its_end(server, follow):
    def answer(handler):
        handler.parts(range(2))
        handler.wfile.write(b"--frame--\r\n")

    server.routes["/cam"] = answer
    frames, said = follow(f"{server.url}/cam")
    assert (levels(frames), said) == ([0, 1], [])


def test_an_image_that_trickles(server, follow, monkeypatch):
    def answer(handler):
        handler.start("image/jpeg")
        for byte in jpeg(1):
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)

    monkeypatch.setattr(web, "MAX_IMAGE_S", 0.3)
    server.routes["/a.jpg"] = answer
    assert fault(follow(f"{server.url}/a.jpg")[0]) == f"{server.url}/a.jpg: not complete after 0 s; try again"


def test_an_image_without_end(server, follow, monkeypatch):
    def answer(handler):
        handler.start("image/jpeg")
        while True:
            handler.wfile.write(bytes(1 << 16))

    monkeypatch.setattr(web, "MAX_IMAGE_BYTES", 1 << 20)
    server.routes["/a.jpg"] = answer
    assert "is over 1 MB and thus not an image" in fault(follow(f"{server.url}/a.jpg")[0])


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/none.jpg", "the server answers 404 Not Found; check the address"),
        ("/page", "is text/html, not an image, a video or a stream"),
        ("/text.jpg", "holds text, not an image; give a JPEG, PNG, WebP, BMP, TIFF, GIF or PNM file"),
        ("/cut.jpg", "the JPEG file is truncated"),
        ("/empty.jpg", "is empty (0 bytes); save or download it again"),
        ("/zeros", "gives no video or stream; check the address, user and password"),
        ("/file", "redirects to file:, which is not followed"),
        ("/ftp", "redirects to ftp:, which is not followed"),
        ("/round", "the server answers 302 Found; check the address"),
        ("/locked", "the server answers 401 Unauthorized; write http://USER:PASSWORD@HOST"),
    ],
)
def test_wrong_content(server, follow, path, says):
    def redirect(where):
        return lambda it: it.start("text/plain", 0, 302, Location=where)

    server.routes |= {
        "/page": lambda it: it.whole("text/html", b"<html></html>"),
        "/text.jpg": lambda it: it.whole("image/jpeg", b"hello"),
        "/cut.jpg": lambda it: it.whole("image/jpeg", jpeg(1)[:-9]),
        "/empty.jpg": lambda it: it.whole("image/jpeg", b""),
        "/zeros": lambda it: it.whole("application/octet-stream", bytes(1000)),
        "/file": redirect("file:///etc/passwd"),
        "/ftp": redirect("ftp://127.0.0.1/a.jpg"),
        "/round": redirect("/round"),
    }
    server.protect("/locked", lambda it: it.whole("image/jpeg", jpeg(1)))
    frames, said = follow(server.url + path)
    assert fault(frames).startswith(f"{server.url}{path}: {says}")
    assert said == []


def test_a_redirect_is_followed_without_the_password(server, follow):
    """Another port is another server, which must not get the password."""
    from tests.stream_server import stream_server

    with stream_server() as other:
        other.protect("/a.jpg", lambda it: it.whole("image/jpeg", jpeg(2)))
        server.protect("/a.jpg", lambda it: it.start("text/plain", 0, 302, Location=f"{other.url}/a.jpg"))
        server.routes["/b.jpg"] = lambda it: it.start("text/plain", 0, 302, Location="/c.jpg")
        server.protect("/c.jpg", lambda it: it.whole("image/jpeg", jpeg(3)))
        whole = f"http://me:s3cret@{server.host}"
        assert "the server answers 401" in fault(follow(f"{whole}/a.jpg")[0])
        assert [word for _, word in other.seen] == [None]
        assert levels(follow(f"{whole}/b.jpg")[0]) == [3]


def test_a_password_opens_and_is_not_shown(server, follow):
    answers = iter([range(2)])
    server.protect("/cam", lambda it: it.parts(next(answers, ())))
    frames, said = follow(f"http://me:s3cret@{server.host}/cam?pwd=hidden&size=1", reconnect=1)
    assert levels(frames[:-1]) == [0, 1]
    assert server.seen[-1][0] == "/cam?pwd=hidden&size=1"
    shown = [*said, *(f"{frame!r}{frame.name}{frame.fault}" for frame in frames)]
    assert not any("s3cret" in text or "hidden" in text for text in shown)
    assert frames[0].name == f"http://me:***@{server.host}/cam?pwd=***&size=1#0"


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_nobody_there(follow, scheme):
    frames, said = follow(f"{scheme}://me:s3cret@127.0.0.1:1/cam", stall=2)
    name = f"{scheme}://me:***@127.0.0.1:1/cam"
    known = {
        "http": "cannot be reached: Connection refused; check the address",
        "rtsp": "gives no video or stream; check the address, user and password",
    }
    assert (fault(frames), said) == (f"{name}: {known[scheme]}", [])


def test_a_server_that_says_nothing(server, follow):
    server.routes["/cam"] = lambda _: time.sleep(2)
    start = time.monotonic()
    said = fault(follow(f"{server.url}/cam", stall=0.3)[0])
    assert said == f"{server.url}/cam: no frame for 0.3 s"
    assert time.monotonic() - start < 1.8


def test_stopping_does_not_wait_for_the_source(server):
    def answer(handler):
        handler.parts(range(2))
        time.sleep(5)

    server.routes["/cam"] = answer
    stop = threading.Event()
    options = LiveOptions(stall=60, live="all", stopped=stop.is_set)
    frames = live_frames(find_address(f"{server.url}/cam"), options=options)
    assert levels([next(frames), next(frames)]) == [0, 1]
    start = time.monotonic()
    threading.Timer(0.2, stop.set).start()
    assert list(frames) == []
    assert time.monotonic() - start < 2
