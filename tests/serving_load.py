"""Mixed load from bounded clients on loopback: what the server answers, how fast, and what memory it takes.

`python -m tests.serving_load --minutes 30 --clients 6 --think 0.3`

Each client sends one request at a time and thinks for a while before the next: good images of three sizes,
forms of two, broken images, requests that are too large, slow ones and such as are cut off. At the end the
server is told to stop while eight requests are under way; whatever it had accepted must be answered. A line
a minute tells of memory and answers; the last one is a JSON object with the figures, beside the time of the
bare engine before and after.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.test_throughput import bare
from tests.serving import form
from tests.shared import ROOT
from yolo_cli.detectors import load_detector

SECONDS = 300  # no client waits longer, on a machine that others use, too
EXAMPLES = [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.jpg"))]
HEAD = "POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n"


@dataclass
class Served:
    """A `yolo serve` of its own process."""

    process: subprocess.Popen[str]
    host: str
    port: int

    @property
    def rss(self) -> float:
        """Resident memory in MB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * 4096 / 1e6

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=SECONDS)


@contextmanager
def served(*options: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "yolo_cli", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"http://([\d.]+):(\d+)", process.stderr.readline())
            server = Served(process, found[1], int(found[2]))
            wait_until_up(server)
            yield server
        finally:
            process.kill()


def wait_until_up(server: Served) -> None:
    connection = server.connection()
    connection.request("GET", "/health")
    assert connection.getresponse().read()
    connection.close()


@dataclass
class Tally:
    """What the clients of one run saw."""

    statuses: Counter[str] = field(default_factory=Counter)  # "kind status"
    seconds: list[float] = field(default_factory=list)  # of good requests
    unanswered: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, status: object, seconds: float | None = None) -> None:
        with self.lock:
            self.statuses[f"{kind} {status}"] += 1
            if seconds is not None:
                self.seconds.append(seconds)


def ask(server: Served, body: bytes, kind: str = "image/jpeg") -> int:
    """The status of a request; -1 if the server did not take it any more."""
    connection = server.connection()
    try:
        try:
            connection.connect()
        except OSError:
            return -1
        connection.request("POST", "/detect", body, {"Content-Type": kind})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def cut_off(server: Served, data: bytes) -> None:
    with socket.create_connection((server.host, server.port), SECONDS) as client:
        client.sendall(HEAD.format(len(data)).encode() + data[: len(data) // 2])


def slowly(server: Served, data: bytes) -> int:
    """In ten parts over a second."""
    with socket.create_connection((server.host, server.port), SECONDS) as client:
        client.sendall(HEAD.format(len(data)).encode())
        step = len(data) // 9
        for start in range(0, len(data), step):
            client.sendall(data[start : start + step])
            time.sleep(0.1)
        return int(client.recv(1 << 16).split()[1])


def client(server: Served, tally: Tally, seed: int, think: float) -> None:
    """Requests of all kinds, one after the other, until the server stops."""
    draw = random.Random(seed)
    while not tally.stopping.is_set():
        kind = draw.choices(
            ("good", "form", "broken", "huge", "slow", "cut"), (70, 8, 8, 2, 4, 8)
        )[0]  # fmt: skip
        start = time.perf_counter()
        try:
            status = send(server, kind, draw)
        except (OSError, http.client.HTTPException, IndexError):
            status = "cut" if tally.stopping.is_set() else "unanswered"
            tally.unanswered += not tally.stopping.is_set()
        tally.note(kind, status, time.perf_counter() - start if (kind, status) == ("good", 200) else None)
        time.sleep(0.2 if status == 503 else draw.uniform(0, 2 * think))


def send(server: Served, kind: str, draw: random.Random) -> object:
    data = draw.choice(EXAMPLES)
    if kind == "form":
        return ask(server, *form(("a.jpg", data), ("b.jpg", EXAMPLES[0])))
    if kind == "broken":
        return ask(server, data[: draw.randrange(len(data))])
    if kind == "huge":
        return ask(server, bytes(20_000_000))
    if kind == "slow":
        return slowly(server, data)
    if kind == "cut":
        return cut_off(server, data)
    return ask(server, data)


def run(minutes: float, clients: int, think: float, engine: str) -> dict[str, object]:
    """The figures of one run."""
    before = bare_ms(engine)
    with served("--engine", engine) as server:
        tally, memory, start = Tally(), [], time.monotonic()
        threads = [
            threading.Thread(target=client, args=(server, tally, seed, think)) for seed in range(clients)
        ]
        for thread in threads:
            thread.start()
        while (seconds := time.monotonic() - start) < 60 * minutes:
            time.sleep(min(1.0, minutes * 60 / 20))
            memory.append(server.rss)
            if len(memory) % 60 == 0:
                print(f"{seconds:.0f} s: {memory[-1]:.1f} MB, {sum(tally.statuses.values())}", flush=True)
        code, lost = stop(server, tally, threads)
    bare = {"bare_ms_before": before, "bare_ms_after": bare_ms(engine)}
    return {**figures(tally, memory, seconds), **bare, "exit_code": code, "lost_at_the_end": lost}


def bare_ms(engine: str) -> float:
    """Milliseconds an image of the bare engine, the median of 50."""
    action = bare(load_detector("yolov4-tiny-coco", engine=engine), 1)
    spent = []
    for _ in range(50):
        start = time.perf_counter()
        action()
        spent.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(spent), 1)


def stop(server: Served, tally: Tally, threads: list[threading.Thread]) -> tuple[int, int]:
    """Stop the server under load: its exit code, and the accepted requests that were not answered."""
    answers: list[int] = []
    last = [threading.Thread(target=lambda: answers.append(ask(server, EXAMPLES[0]))) for _ in range(8)]
    tally.stopping.set()
    for thread in threads:
        thread.join(SECONDS)
    for thread in last:
        thread.start()
    time.sleep(0.05)  # they are sent, and wait for the network
    server.process.send_signal(signal.SIGTERM)
    for thread in last:
        thread.join(SECONDS)
    return server.process.wait(SECONDS), len(last) - answers.count(200) - answers.count(503)


def figures(tally: Tally, memory: list[float], seconds: float) -> dict[str, object]:
    ordered = sorted(tally.seconds)
    sixth = max(1, len(memory) // 6)  # of 30 minutes, the fifth minute
    return {
        "statuses": dict(sorted(tally.statuses.items())),
        "unanswered": tally.unanswered,
        "requests_a_second": round(sum(tally.statuses.values()) / seconds, 1),
        "p50_ms": round(1000 * ordered[len(ordered) // 2], 1),
        "p95_ms": round(1000 * ordered[len(ordered) * 95 // 100], 1),
        "rss_mb": [
            round(memory[min(place, len(memory) - 1)], 1) for place in range(sixth, len(memory) + 1, sixth)
        ],
        "rss_growth": round(max(memory[-sixth:]) / max(memory[sixth : 2 * sixth]) - 1, 4),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--think", type=float, default=0.3, help="mean seconds between requests")
    parser.add_argument("--engine", default="onnx")
    given = parser.parse_args()
    print(json.dumps(run(given.minutes, given.clients, given.think, given.engine)))
