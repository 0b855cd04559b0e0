"""Clients that are too many, too large, too slow, cut off, or not allowed, and the end of the server."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.serving import PNG, SECONDS, Counting, address, connect, form, request, serving, until
from yolo_cli.serving import running

TOKEN = "correct-horse"


def chunks(*parts):
    """A body in HTTP's chunked coding."""
    return iter([*(b"%x\r\n%s\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"])


def test_a_full_queue_is_503_with_a_time_to_come_back():
    gate = threading.Event()
    detector = Counting(gate=gate)
    with serving(detector, queue=2) as server, ThreadPoolExecutor(2) as clients:
        underway = [clients.submit(request, server, body=PNG) for _ in range(2)]
        until(lambda: b"yolo_requests_underway 2.0" in request(server, "/metrics").body)
        refused = request(server, body=PNG * 20000)  # more than a socket buffers
        gate.set()
        assert [one.result().status for one in underway] == [200, 200]
        assert request(server, body=PNG).status == 200
    assert refused.status == 503
    assert 1 <= int(refused.headers["Retry-After"]) <= 10


@pytest.mark.parametrize("size", [20_000, 3_000_000])
def test_a_request_that_is_too_large_is_413(size):
    with serving(max_size=0.01) as server:
        assert request(server, body=bytes(size)).status == 413


def test_a_client_that_waits_for_permission_is_refused_before_it_sends():
    """As curl does with a large file: told to continue, it would send on a connection that is cut."""
    with serving(max_size=0.01) as server, connect(server) as client:
        client.sendall(
            b"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 413")


def test_a_request_that_does_not_say_how_large_it_is_is_413_too():
    with serving(max_size=0.01) as server:
        answer = request(server, body=chunks(*[bytes(5000)] * 4), Transfer_Encoding="chunked")
        good = request(server, body=chunks(PNG[:30], PNG[30:]), Transfer_Encoding="chunked")
    assert (answer.status, good.status) == (413, 200)


def test_a_request_that_comes_too_slowly_is_408():
    with serving(timeout=0.3) as server, connect(server) as client:
        client.sendall(b"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc")
        assert client.recv(100).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("start", [b"", b"POST /det", b"POST /detect HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_connection_that_sends_no_whole_header_is_closed(start, monkeypatch):
    monkeypatch.setattr(running, "_HEADER_SECONDS", 0.2)
    with serving() as server, connect(server) as client:
        client.sendall(start)
        assert client.recv(100) == b""


def test_a_second_header_that_does_not_come_whole_is_closed_too(monkeypatch):
    monkeypatch.setattr(running, "_HEADER_SECONDS", 0.2)
    with serving() as server, connect(server) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /hea")
        start = time.monotonic()
        while client.recv(1000):
            pass
        assert time.monotonic() - start < 3  # uvicorn alone would wait for ever


def test_a_client_that_leaves_costs_its_place_only_until_then():
    with serving(queue=1) as server:
        with connect(server) as client:
            client.sendall(b"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nabc")
            until(lambda: b"yolo_requests_underway 1.0" in request(server, "/metrics").body)
        until(lambda: request(server, body=PNG).status == 200)
        assert b'status="499"} 1.0' in request(server, "/metrics").body


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9\r\n\r\n",
     b"POST /detect HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
     b"POST /detect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)  # fmt: skip
def test_what_is_not_http_is_400_and_the_server_goes_on(garbage):
    with serving() as server:
        with connect(server) as client:
            client.sendall(garbage)
            assert b" 500 " not in client.recv(1000)
        assert request(server, body=PNG).status == 200


def test_with_a_token_everything_that_tells_or_costs_needs_it():
    with serving(token=TOKEN) as server:
        statuses = {
            given: request(server, body=PNG, Authorization=given).status
            for given in (f"Bearer {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", TOKEN, "Bearer correct-hörse")
        }
        assert statuses == {f"Bearer {TOKEN}": 200, **dict.fromkeys(list(statuses)[1:], 401)}
        assert request(server, body=PNG).headers["WWW-Authenticate"] == "Bearer"
        for path, status in (("/health", 200), ("/", 200), ("/metrics", 401), ("/models", 401)):
            assert request(server, path).status == status
        # A proxy may call the server by any name.
        assert request(server, body=PNG, Host="example.org", Authorization=f"Bearer {TOKEN}").status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": "localhost:99"}, 200),
        ({"Host": "localhost:99", "Origin": "http://localhost:99"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_pages_of_others_cannot_use_the_server_through_a_browser(headers, status):
    with serving() as server:
        assert request(server, body=PNG, **headers).status == status


def test_the_end_of_the_server_loses_no_request_that_it_took():
    """Eight requests under way, one of them half sent, when the server is stopped: all are answered."""
    gate = threading.Event()
    with ThreadPoolExecutor(8) as clients:
        with serving(Counting(gate=gate), batch=2) as server:
            underway = [clients.submit(request, server, body=PNG) for _ in range(7)]
            half = http.client.HTTPConnection(*address(server), timeout=SECONDS)
            half.putrequest("POST", "/detect")
            half.putheader("Content-Length", str(len(PNG)))
            half.endheaders(PNG[:20])
            until(lambda: b"yolo_requests_underway 8.0" in request(server, "/metrics").body)
            server.stop()
            threading.Timer(0.3, gate.set).start()
            half.send(PNG[20:])
            answer = half.getresponse()
            assert (answer.status, b"cat" in answer.read()) == (200, True)
            half.close()
        assert [one.result().status for one in underway] == [200] * 7


def test_many_clients_with_many_kinds_of_requests_get_no_500():
    """200 requests from 8 clients at once; each kind has its status, and no image is counted twice."""
    body, kind = form(("a.png", PNG), ("b.png", PNG))
    kinds = {
        "good": lambda server: request(server, body=PNG).status,
        "two": lambda server: request(server, body=body, Content_Type=kind).status,
        "broken": lambda server: request(server, body=PNG[:50]).status,
        "huge": lambda server: request(server, body=bytes(200_000)).status,
        "gone": _leave,
    }
    detector = Counting(seconds=0.002)
    with serving(detector, max_size=0.1, queue=64) as server, ThreadPoolExecutor(8) as clients:
        asked = [(name, clients.submit(send, server)) for _ in range(40) for name, send in kinds.items()]
        got = {name: {one.result() for kind, one in asked if kind == name} for name in kinds}
    assert got == {"good": {200}, "two": {200}, "broken": {422}, "huge": {413}, "gone": {None}}
    assert sum(detector.batches) == 40 + 2 * 40
    assert max(detector.batches) > 1


def _leave(server):
    with connect(server) as client:
        client.sendall(b"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nabc")
