"""Run a detector over images, batch by batch."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections
from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import Image
from yolo_cli.pipeline.outcome import Outcome
from yolo_cli.pipeline.overlap import ahead, side_by_side
from yolo_cli.video import Frame
from yolo_cli.zones import has_inside

if TYPE_CHECKING:
    from yolo_cli.detectors.protocol import Times
    from yolo_cli.pipeline.journal import Journal

__all__ = ["Parallel", "Readable", "Timed", "detect_batch", "read_outcome", "run_detector"]


class Readable(Protocol):
    """An image that has not been read yet, such as a `Sample` or an item of a `Source`."""

    @property
    def name(self) -> str:
        """The image's name; unique within one run."""
        ...

    def read(self) -> Image:
        """The image, upright.

        Raises:
            DataError: if it cannot be read.
        """
        ...


class Timed(Protocol):
    """The part of a `Detector` that the loop needs."""

    def detect_timed(self, images: Sequence[Image], /) -> tuple[list[Detections], Times]:
        """Detections of each image, and the time of each step for all together."""
        ...


@runtime_checkable
class Parallel(Protocol):
    """A detector that may be faster with several calls at a time."""

    def in_streams(self) -> tuple[Timed, int]:
        """The same detector for several calls at a time, and for how many."""
        ...


_FEW = 16  # images that are done before it pays to open the network once more, for several calls at a time
_READ_AHEAD = 2  # batches; more would not be faster, since one stage is always the slowest


def run_detector(
    detector: Timed,
    items: Iterable[Readable],
    *,
    batch: int = 1,
    journal: Journal | None = None,
    read_ahead: bool = False,
    region: NDArray[np.floating[Any]] | None = None,
) -> Iterator[Outcome]:
    """Read images and detect objects on them; one outcome per item, in the order of ``items``.

    An image that cannot be read becomes an outcome with its error and does not end the run. At most
    ``batch`` images are held at once, three times as many with ``read_ahead``, as long as the caller drops
    the outcomes' images. With ``read_ahead`` and a ``batch`` of 1, from the 17th image on several are worked
    on at a time, one a stream of the detector, and one more is held; the detections are the same.

    Args:
        detector: the detector.
        items: the images, read lazily.
        batch: images per call of the detector.
        journal: receives each outcome as soon as it exists; items that it holds are not detected again.
        read_ahead: read and decode the next images in a thread. For work on the outcomes beside the detector,
            there is `ahead`.
        region: a polygon (K, 2) in pixels: objects whose centre is outside are left out. None keeps all.

    Raises:
        UsageError: if ``batch`` is below 1.
    """
    if batch < 1:
        raise UsageError(f"--batch is {batch}, but must be at least 1")
    done = journal.done if journal else {}
    if read_ahead and batch == 1 and isinstance(detector, Parallel):
        outcomes = _few_then_many(detector, iter(items), journal)
    else:
        groups = (_read_group(group, done) for group in _groups(items, batch, done))
        outcomes = _outcomes(detector, ahead(groups, _READ_AHEAD) if read_ahead else groups, journal)
    return outcomes if region is None else _within(region, outcomes)


def _few_then_many(detector: Any, items: Iterator[Readable], journal: Journal | None) -> Iterator[Outcome]:
    """The first few one after the other, which needs no second network; the rest in streams."""
    done = journal.done if journal else {}
    few = (_read_group([item], done) for item in islice(items, _FEW))
    yield from _outcomes(detector, ahead(few, _READ_AHEAD), journal)
    for first in items:
        parallel, streams = detector.in_streams()
        rest = chain([first], items)
        if streams > 1:
            yield from _in_streams(parallel, streams, rest, journal)
        else:
            groups = (_read_group([item], done) for item in rest)
            yield from _outcomes(detector, ahead(groups, _READ_AHEAD), journal)


def _in_streams(
    detector: Timed, streams: int, items: Iterable[Readable], journal: Journal | None
) -> Iterator[Outcome]:
    """Outcomes of images, several of which are read and detected at a time; what is done passes unchanged."""
    done = journal.done if journal else {}

    def work(item: Readable) -> Outcome:
        if item.name in done:
            return done[item.name]
        (outcome,) = detect_batch(detector, [read_outcome(item)], streams)
        return outcome

    for outcome in side_by_side(work, items, streams):
        if journal and outcome.name not in done:
            journal.add(outcome)
        yield outcome


def _within(region: NDArray[np.floating[Any]], outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Outcomes with the objects of a region."""
    for outcome in outcomes:
        found = outcome.detections
        yield replace(outcome, detections=found[has_inside(region, found.xyxy)])


def _groups(items: Iterable[Readable], batch: int, done: Container[str]) -> Iterator[list[Readable]]:
    """Items in groups of at most ``batch``; items that are done form groups of one."""
    group: list[Readable] = []
    for item in items:
        if group and item.name in done:
            yield group
            group = []
        group.append(item)
        if len(group) == batch or item.name in done:  # at once, since the next item may take long
            yield group
            group = []
    if group:
        yield group


def _read_group(group: Sequence[Readable], done: Mapping[str, Outcome]) -> list[Outcome]:
    """The images of a group with no detections yet, or the one outcome that is done."""
    return [done[group[0].name]] if group[0].name in done else [read_outcome(item) for item in group]


def _outcomes(detector: Timed, groups: Iterable[list[Outcome]], journal: Journal | None) -> Iterator[Outcome]:
    """The outcomes of images that were read; what is done passes unchanged."""
    done = journal.done if journal else {}
    for group in groups:
        if group[0].name in done:
            yield group[0]
            continue
        for outcome in detect_batch(detector, group):
            if journal:
                journal.add(outcome)
            yield outcome


def detect_batch(detector: Timed, outcomes: Sequence[Outcome], at_a_time: int = 1) -> Iterator[Outcome]:
    """The outcomes of `read_outcome`, in order, with what a detector finds on them in one call.

    Those with an error are unchanged. The time is divided by the number of such calls ``at_a_time``.
    """
    images = [outcome.image for outcome in outcomes if outcome.image is not None]
    if not images:
        yield from outcomes
        return
    batch_detections, times = detector.detect_timed(images)
    spent = {"prepare": times.prepare_ms, "infer": times.infer_ms, "post": times.post_ms}
    per_image = {step: milliseconds / (at_a_time * len(images)) for step, milliseconds in spent.items()}
    found = iter(batch_detections)
    for outcome in outcomes:
        if outcome.image is None:
            yield outcome
        else:
            yield replace(outcome, detections=next(found), time_ms={**outcome.time_ms, **per_image})


def read_outcome(item: Readable) -> Outcome:
    """An outcome with an image or an error, and no detections yet."""
    start = time.perf_counter()
    image, error = None, None
    try:
        image = item.read()
    except DataError as fault:
        error = fault.text
    spent = (time.perf_counter() - start) * 1000 + (item.decode_ms if isinstance(item, Frame) else 0)
    return Outcome(item.name, Detections(), error, image, {"read": spent})
