"""A server on loopback, a detector that is fast and counts, and clients with bounds."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from yolo_cli.config import DetectConfig, ServeConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors import Times
from yolo_cli.images import Image, encode_image
from yolo_cli.serving import Server, create_app

PNG = encode_image(np.full((20, 30, 3), 90, np.uint8), ".png")
SECONDS = 20  # no client waits longer


@dataclass
class Counting:
    """Finds one "cat" over the whole of each image, and notes the sizes of its batches.

    With a ``gate``, it waits until that is open.
    """

    name: str = "counting"
    config: DetectConfig = field(default_factory=DetectConfig)
    seconds: float = 0.0
    gate: threading.Event | None = None
    batches: list[int] = field(default_factory=list)
    class_names: tuple[str, ...] = ("cat", "dog")
    input_size: tuple[int, int] = (32, 32)
    card: Any = None

    def __post_init__(self) -> None:
        self.card = self.card or SimpleNamespace(name=self.name, keypoints=None)

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        if self.gate is not None:
            assert self.gate.wait(SECONDS)
        time.sleep(self.seconds)
        self.batches.append(len(images))
        boxes = [np.float32([[0, 0, image.width, image.height]]) for image in images]
        found = [Detections(box, np.float32([0.9]), np.array([0])) for box in boxes]
        return found, Times(0.0, 1.0, 0.0)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        return []  # the server's warm-up

    def with_config(self, config: DetectConfig) -> Counting:
        return replace(self, config=config)


@contextmanager
def serving(*detectors: Any, **limits: Any) -> Iterator[Server]:
    config = ServeConfig(port=0, **limits)
    with Server(create_app(detectors or [Counting()], config), config) as server:
        yield server


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def address(server: Server) -> tuple[str, int]:
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    return host.strip("[]"), int(port)


def request(
    server: Server, path: str = "/detect", body: Any = None, method: str | None = None, **headers: str
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(*address(server), timeout=SECONDS)
    try:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request(method or ("GET" if body is None else "POST"), path, body, named)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def form(*files: tuple[str, bytes]) -> tuple[bytes, str]:
    """The body and the Content-Type of a form with files."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'.encode() + data
        for name, data in files
    ]
    return b"\r\n".join([*parts, b"--edge--\r\n"]), "multipart/form-data; boundary=edge"


def connect(server: Server) -> socket.socket:
    return socket.create_connection(address(server), timeout=SECONDS)


def until(ready: Any, seconds: float = SECONDS) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
