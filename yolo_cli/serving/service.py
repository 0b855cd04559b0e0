"""From the images of a request to their outcomes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from starlette.datastructures import QueryParams

from yolo_cli.config import ServeConfig
from yolo_cli.detections import class_ids
from yolo_cli.detectors import Detector
from yolo_cli.errors import DataError, UsageError
from yolo_cli.hardware import cores
from yolo_cli.headers import read_header
from yolo_cli.images import Image, decode_image
from yolo_cli.inputs import InputItem
from yolo_cli.pipeline import Outcome, Parallel, read_outcome
from yolo_cli.serving.batching import Batcher
from yolo_cli.serving.errors import RefusedError
from yolo_cli.serving.metrics import Metrics

__all__ = ["Service", "named"]

_NUMBERS: Mapping[str, type] = {"conf": float, "nms_iou": float, "max_det": int}


def named(detectors: Sequence[Detector]) -> dict[str, Detector]:
    """Detectors by their models' names; a second ``best`` is ``best-2``."""
    found: dict[str, Detector] = {}
    for detector in detectors:
        name, number = detector.card.name, 2
        while name in found:
            name, number = f"{detector.card.name}-{number}", number + 1
        found[name] = detector
    return found


class Service:
    """The detectors with their queue. Its methods belong to one event loop.

    Args:
        detectors: by the names of their models; the first is the default.
        config: limits.
    """

    def __init__(self, detectors: Mapping[str, Detector], config: ServeConfig) -> None:
        self.detectors, self.config = detectors, config
        self._underway = 0
        readers = cores()
        self._pool = ThreadPoolExecutor(readers, "yolo-serve-read")
        # Images are decoded only as fast as the network takes them: decoded, they are large.
        self._decoded = asyncio.Semaphore(2 * config.batch + readers)
        self._workers = min(_at_a_time(one) for one in detectors.values())
        delay = config.max_delay / 1000
        self.batcher = Batcher(config.batch, delay, self._expected, self._batch_done, self._workers)
        self.metrics = Metrics(lambda: len(self.batcher), lambda: self._underway)
        self._per_image = 0.1  # seconds, averaged over the last batches

    def close(self) -> None:
        """Finish what waits."""
        self._pool.shutdown()
        self.batcher.close()

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place in the queue, for as long as a request is read and waits.

        Raises:
            RefusedError: if there is none.
        """
        if self._underway >= self.config.queue:
            seconds = max(1, math.ceil(self._underway * self._per_image))
            text = f"{self._underway} requests are under way; try again in {seconds} s"
            raise RefusedError(503, text, {"Retry-After": str(seconds)})
        self._underway += 1
        try:
            yield
        finally:
            self._underway -= 1

    def choose(self, query: QueryParams) -> tuple[str, Detector]:
        """The name and the detector that a query asks for: ``model``, ``conf``, ``nms_iou``, ….

        Raises:
            RefusedError: if there is no such model, or an option is wrong.
        """
        name = query.get("model", next(iter(self.detectors)))
        if name not in self.detectors:
            raise RefusedError(404, f"there is no model {name!r}; there are {', '.join(self.detectors)}")
        detector = self.detectors[name]
        try:
            options = _options(query, detector)
            return name, detector.with_config(replace(detector.config, **options)) if options else detector
        except UsageError as fault:
            raise RefusedError(400, str(fault)) from None

    async def detect(self, detector: Detector, images: Sequence[tuple[str, bytes]]) -> list[Outcome]:
        """The outcome of each image, given as its name and its bytes."""
        return await asyncio.gather(*(self._detect(detector, name, data) for name, data in images))

    async def _detect(self, detector: Detector, name: str, data: bytes) -> Outcome:
        item = InputItem(name, lambda: _decode(data, name, self.config.max_megapixels))
        async with self._decoded:
            outcome = await asyncio.get_running_loop().run_in_executor(self._pool, read_outcome, item)
            if outcome.image is None:
                return outcome
            return await asyncio.wrap_future(self.batcher.submit(detector, outcome))

    def _expected(self) -> int:
        """Requests that may submit an image soon."""
        return self._underway - len(self.batcher)

    def _batch_done(self, images: int, seconds: float) -> None:
        self.metrics.batch(images, seconds)
        self._per_image += 0.1 * (seconds / (images * self._workers) - self._per_image)


def _at_a_time(detector: Detector) -> int:
    """How many calls of a detector at a time are fastest; where several are, it runs once, to be ready."""
    if not isinstance(detector, Parallel):
        return 1
    parallel, count = detector.in_streams()
    if count > 1:
        parallel.detect_timed([Image(np.zeros((*detector.input_size, 3), np.uint8))])
    return count


def _decode(data: bytes, name: str, max_megapixels: float) -> Image:
    """Decode an image that is not too large for a server.

    Raises:
        DataError: if it is, or cannot be decoded.
    """
    if data:
        header = read_header(data, name)
        if header.width * header.height > max_megapixels * 1e6:
            size = f"{header.width:,}x{header.height:,}"
            raise DataError(
                f"{name}: {size} pixels are more than {max_megapixels:g} million; shrink the image"
            )
    return decode_image(data, name)


def _options(query: QueryParams, detector: Detector) -> dict[str, Any]:
    """The options of detection in a query.

    Raises:
        UsageError: if one is unknown or wrong.
    """
    options: dict[str, Any] = {}
    for key, value in query.multi_items():
        if key in _NUMBERS:
            try:
                options[key] = _NUMBERS[key](value)
            except ValueError:
                raise UsageError(f"{key} is {value!r}, but must be a number") from None
        elif key == "classes":
            options[key] = class_ids(value, detector.class_names)
        elif key not in ("model", "format", "name"):
            known = ", ".join(("model", "format", "name", *_NUMBERS, "classes"))
            raise UsageError(f"there is no option {key!r}; the options are {known}")
    return options
