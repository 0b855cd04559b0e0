"""Images a second through the server, as a ratio against the bare engine of the same run.

Never pass or fail. The server has a process of its own; the clients' work counts against it, too, as they
share its cores.

`pytest -m bench -s tests/bench/test_serving.py`
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.bench.test_throughput import bare, ratios, show
from tests.serving_load import EXAMPLES, Served, served
from yolo_cli.detectors import load_detector

pytestmark = pytest.mark.bench

IMAGES = 24


def through(server: Served, clients: int, spent: list[float] | None = None) -> Callable[[], object]:
    """All images through the server; each client keeps its connection. ``spent`` gets milliseconds each."""

    def one(_: int) -> None:
        connection = server.connection()
        for number in range(IMAGES // clients):
            start = time.perf_counter()
            connection.request("POST", "/detect", EXAMPLES[number % len(EXAMPLES)])
            response = connection.getresponse()
            assert response.read() and response.status == 200  # noqa: PT018
            if spent is not None:
                spent.append(1000 * (time.perf_counter() - start))
        connection.close()

    def whole() -> None:
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(one, range(clients)))

    return whole


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_images_a_second(engine: str) -> None:
    detector = load_detector("yolov4-tiny-coco", engine=engine)
    with served("--engine", engine) as server, served("--engine", engine, "--batch", "1") as single:
        spent: list[float] = []
        actions = {
            "engine": bare(detector, IMAGES),
            "1 client": through(server, 1),
            "4 clients": through(server, 4, spent),
            "4 clients, --batch 1": through(single, 4),
        }
        start = time.perf_counter()
        actions["engine"]()
        bare_seconds = (time.perf_counter() - start) / IMAGES
        show(f"HTTP, {engine}, engine {1000 * bare_seconds:.0f} ms an image", ratios(actions))
        p95 = sorted(spent)[len(spent) * 95 // 100]
        print(f"4 clients: p50 {statistics.median(spent):.0f} ms, p95 {p95:.0f} ms (throughput: 0.9 asked)")
