"""An RTSP server on this computer (RFC 2326): one stream, as MPEG-TS in RTP over the connection itself."""

from __future__ import annotations

import io
import socketserver
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av

from tests.made_videos import grey

__all__ = ["rtsp_server", "transport_stream"]

_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track\r\n"
_PACKET = 7 * 188  # bytes of a transport stream in one packet
_ALLOWED = b64encode(b"me:s3cret").decode()


def transport_stream(frames: int) -> bytes:
    """A video of `grey` frames, ten a second, as MPEG-TS."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as target:
        stream = target.add_stream("mpeg1video", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 48, "yuv420p", 1
        stream.codec_context.time_base = Fraction(1, 25)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(grey(number % 19), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return file.getvalue()


class Handler(socketserver.StreamRequestHandler):
    """One client, which must be "me" with the password "s3cret"."""

    def handle(self) -> None:
        server: Any = self.server
        while request := self._request():
            method, headers = request
            server.seen.append(method)
            allowed = headers.get("authorization") == f"Basic {_ALLOWED}"
            if method != "OPTIONS" and not allowed:
                self._answer(headers, "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')
                continue
            if method == "DESCRIBE":
                kind = "Content-Type: application/sdp", f"Content-Length: {len(_SDP)}"
                self._answer(headers, "200 OK", *kind, body=_SDP)
            elif method == "SETUP":
                self._answer(headers, "200 OK", "Transport: RTP/AVP/TCP;interleaved=0-1", "Session: 1")
            elif method == "PLAY":
                self._answer(headers, "200 OK", "Session: 1")
                self._play(server)
                return
            else:
                self._answer(headers, "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")

    def _request(self) -> tuple[str, dict[str, str]] | None:
        first = self.rfile.readline().decode()
        if not first:
            return None
        lines = iter(lambda: self.rfile.readline().decode().strip(), "")
        pairs = (line.partition(":") for line in lines)
        return first.split()[0], {name.lower(): value.strip() for name, _, value in pairs}

    def _answer(self, headers: dict[str, str], status: str, *more: str, body: str = "") -> None:
        lines = (f"RTSP/1.0 {status}", f"CSeq: {headers['cseq']}", *more, "", body)
        self.wfile.write("\r\n".join(lines).encode())

    def _play(self, server: Any) -> None:
        for number, at in enumerate(range(0, len(server.data), _PACKET)):
            payload = server.data[at : at + _PACKET]
            packet = struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, number * 900, 1) + payload
            self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            time.sleep(0.002)
        time.sleep(server.silent_s)


@contextmanager
def rtsp_server(data: bytes, silent_s: float = 0.0) -> Iterator[Any]:
    """A server that plays ``data``, is silent for a while, and then hangs up.

    ``host`` is where it is, and ``seen`` has the methods that it was asked.
    """
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as made:
        server: Any = made
        server.daemon_threads, server.block_on_close = True, False
        server.data, server.silent_s, server.seen = data, silent_s, []
        server.host = f"127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
