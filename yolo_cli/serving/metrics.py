"""What the server counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The figures of one server.

    Attributes:
        requests: answers to ``POST /detect``, by status.
        images: images, by model and by whether they were ``detected`` or ``failed``.
        seconds: from the start of a request to its answer.
        batches: images in each run of the network.
        network: seconds of each run, with its preparation and suppression.
    """

    def __init__(self, waiting: Callable[[], int], underway: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "yolo_requests", "Answers to POST /detect, by status.", ["status"], registry=registry
        )
        self.images = Counter("yolo_images", "Images, by outcome.", ["model", "outcome"], registry=registry)
        self.seconds = Histogram(
            "yolo_request_seconds", "Time of a request.", buckets=_SECONDS, registry=registry
        )
        self.batches = Histogram("yolo_batch_images", "Images in a batch.", buckets=_SIZES, registry=registry)
        self.network = Histogram(
            "yolo_batch_seconds", "Time of a batch.", buckets=_SECONDS, registry=registry
        )
        for name, text, function in (
            ("yolo_waiting_images", "Images that wait for the network.", waiting),
            ("yolo_requests_underway", "Requests that are read or wait.", underway),
        ):
            Gauge(name, text, registry=registry).set_function(function)

    def batch(self, images: int, seconds: float) -> None:
        """Count one run of the network."""
        self.batches.observe(images)
        self.network.observe(seconds)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)
