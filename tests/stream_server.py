"""A server on this computer that behaves as cameras and web servers do, well or badly."""

from __future__ import annotations

import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2

from tests.made_videos import grey

__all__ = ["StreamServer", "jpeg", "part", "stream_server"]

Answer = Callable[["Handler"], None]
BOUNDARY = b"frame"


def jpeg(number: int, **size: Any) -> bytes:
    """The frame `grey` of a number as a JPEG file."""
    return bytes(cv2.imencode(".jpg", grey(number, **size))[1].tobytes())


def part(number: int) -> bytes:
    """The frame as a part of a multipart stream."""
    data = jpeg(number)
    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data + b"\r\n"


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's routes say."""

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.seen.append((self.path, self.headers.get("Authorization")))
        try:
            server.routes[self.path.partition("?")[0]](self)
        except KeyError:
            self.send_error(404)
        except OSError:
            pass  # the client has left

    def start(self, kind: str, length: int | None = None, status: int = 200, **more: str) -> None:
        """The head of an answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def whole(self, kind: str, data: bytes, **more: Any) -> None:
        """A complete answer."""
        self.start(kind, len(data), **more)
        self.wfile.write(data)

    def parts(self, numbers: Any, pause: float = 0.0, length: int | None = None) -> None:
        """Frames of a multipart stream; with a length it is complete, else it breaks off."""
        self.start("multipart/x-mixed-replace; boundary=frame", length)
        for number in numbers:
            self.wfile.write(part(number))
            self.wfile.flush()
            time.sleep(pause)


class StreamServer:
    """Where it is, what it answers, and what it was asked.

    Attributes:
        routes: by path.
        seen: paths with queries, and the password that was sent, of each request.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.routes: dict[str, Answer] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.host = f"127.0.0.1:{server.server_address[1]}"
        self.url = f"http://{self.host}"

    def protect(self, path: str, answer: Answer) -> None:
        """Answer only to user "me" with the password "s3cret"."""

        def guarded(handler: Handler) -> None:
            word = (handler.headers.get("Authorization") or "").removeprefix("Basic ")
            if b64decode(word) == b"me:s3cret":
                answer(handler)
            else:
                handler.start("text/plain", 0, 401, WWW_Authenticate='Basic realm="camera"')

        self.routes[path] = guarded


@contextmanager
def stream_server() -> Iterator[StreamServer]:
    """A server on a free port, until the block ends."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    described = StreamServer(server)
    server.routes, server.seen = described.routes, described.seen
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield described
    finally:
        server.shutdown()
        server.server_close()
