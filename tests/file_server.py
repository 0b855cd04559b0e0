"""A web server on loopback with one file, and every way of not sending it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class FileServer:
    """What the server sends, and what it was asked.

    Attributes:
        data: the file at every path but these: ``/missing`` (404), ``/busy`` (503), ``/moved/NAME`` (to
            ``/NAME``), ``/to-a-file`` (to a ``file:`` address), ``/whole/NAME`` (ranges are ignored),
            ``/unmeasured/NAME`` (without a length), ``/silent/NAME`` (half of it, and then nothing).
        cuts: the number of answers that end after half of what is left.
        asked: path and Range of each request.
    """

    data: bytes
    cuts: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"


@contextmanager
def serving(data: bytes) -> Iterator[FileServer]:
    """Serve ``data`` inside the block."""
    state = FileServer(data)
    handler = type("Handler", (_Handler,), {"state": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        state.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield state
        finally:
            state.over.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is on this machine, whatever proxy there is."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


class _Handler(BaseHTTPRequestHandler):
    state: FileServer

    def do_GET(self) -> None:
        self.state.asked.append((self.path, self.headers["Range"]))
        first = self.path.split("/")[1]
        targets = {"moved": self.path.removeprefix("/moved"), "to-a-file": "file:///etc/hostname"}
        if first in ("missing", "busy"):
            self.send_error(404 if first == "missing" else 503)
        elif first in targets:
            self.send_response(302)
            self.send_header("Location", targets[first])
            self.end_headers()
        else:
            self._send(first)

    def _send(self, first: str) -> None:
        data, start = self.state.data, 0
        if (asked := self.headers["Range"]) and first != "whole":
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        if first != "unmeasured":
            self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        half = start + (len(data) - start) // 2
        if first == "silent":
            self.wfile.write(data[start:half])
            self.wfile.flush()
            self.state.over.wait(20)
        elif self.state.cuts > 0:
            self.state.cuts -= 1
            self.wfile.write(data[start:half])
        else:
            self.wfile.write(data[start:])

    def log_message(self, *_: object) -> None:
        pass
