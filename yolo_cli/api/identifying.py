"""Which one is it? `learn`, `list_identities`, `forget`, `identify` and `verify`."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from yolo_cli.api.detection import draw, load_detector
from yolo_cli.api.options import LoadOptions, Path, check_options
from yolo_cli.config import DEFAULT_MODEL
from yolo_cli.detections import Detections
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import path_of
from yolo_cli.identity import (
    Embedder,
    Entry,
    Match,
    Verdict,
    changed_gallery,
    choose_threshold,
    load_embedder,
    read_gallery,
    recognise,
)
from yolo_cli.identity import verify as verify_pair
from yolo_cli.inputs import open_input
from yolo_cli.limits import name_fault
from yolo_cli.results import Result
from yolo_cli.text import Jsonable

__all__ = ["DEFAULT_GALLERY", "Identified", "forget", "identify", "learn", "list_identities", "verify"]

DEFAULT_GALLERY = "gallery.json"
UNKNOWN = "unknown"

OnError = Callable[[DataError], object]


class IdentifyOptions(LoadOptions, total=False):
    """How photos are read: the options of the detector, and these.

    Attributes:
        weights: the detector.
        embedding: the embedding network; None is the bundled one.
        whole: no detection: the whole image is one thing.
    """

    weights: Path
    embedding: Path | None
    whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class Identified(Jsonable):
    """One image with who is on it.

    Attributes:
        result: image and detections.
        matches: who each detection is.
    """

    result: Result
    matches: tuple[Match, ...]

    def to_dict(self) -> dict[str, Any]:
        """The object that ``yolo identify --format ndjson`` prints: that of detect, with an identity each."""
        values = self.result.to_dict()
        pairs = zip(values["detections"], self.matches, strict=True)
        return {**values, "detections": [{**found, **match.to_dict()} for found, match in pairs]}

    def draw(self) -> NDArray[np.uint8]:
        """The image with the name of each box and its score: uint8, (height, width, 3), RGB."""
        names = [match.identity or UNKNOWN for match in self.matches]
        known = sorted(set(names))
        scores = np.array([max(0.0, match.score) for match in self.matches], np.float32)
        class_id = np.array([known.index(name) for name in names], np.int64)
        return draw(self.result.image, Detections(self.result.xyxy, scores, class_id), known)


def learn(
    name: str,
    photos: Path | Sequence[Path],
    gallery: Path = DEFAULT_GALLERY,
    **options: Unpack[IdentifyOptions],
) -> list[Result]:
    """Put photos of somebody or something into a gallery. Only numbers and file names are kept.

    Args:
        name: who or what it is.
        photos: images, folders or globs; the most confident detection of each image is learnt.
        gallery: the file; it is made if it does not exist.
        **options: see `IdentifyOptions`, and the options of `load_detector`.

    Returns:
        For each photo, the one detection that was learnt.

    Raises:
        UserError: if a photo cannot be read, nothing is detected on one, or the gallery is of another
            embedding; the gallery is then unchanged.
    """
    if fault := name_fault(name):
        raise UsageError(f"the name {name!r} {fault}; choose another")
    embedder, results = _opened(options)
    shown = [_best(result) for result in results(photos)]
    if not shown:
        raise DataError(f"{photos}: no image; give photos of {name}")
    vectors = [embedder(result.image, result.xyxy)[0] for result in shown]
    file = path_of(gallery, "gallery")
    with changed_gallery(file, embedder.card.name, embedder.digest) as known:
        for result, vector in zip(shown, vectors, strict=True):
            known.entries.append(Entry(name, pathlib.Path(result.image.name).name or "-", vector))
    return shown


def list_identities(gallery: Path = DEFAULT_GALLERY) -> dict[str, int]:
    """The names in a gallery, in the order in which they were learnt, with their number of photos.

    Raises:
        DataError: if it cannot be read.
    """
    return read_gallery(path_of(gallery, "gallery")).names


def forget(name: str, gallery: Path = DEFAULT_GALLERY) -> int:
    """Remove a name from a gallery; return the number of its photos.

    Raises:
        DataError: if the gallery cannot be read or written, or the name is not there.
    """
    file = path_of(gallery, "gallery")
    with changed_gallery(file) as known:
        names = known.names
        count = known.forget(name)
        if not count:
            raise DataError(f"{file}: nobody is called {name!r}; there are {', '.join(names) or 'none'}")
    return count


def identify(
    photos: Path | Sequence[Path],
    gallery: Path = DEFAULT_GALLERY,
    *,
    min_score: float | None = None,
    on_error: OnError | None = None,
    say: Callable[[str], object] = lambda _: None,
    **options: Unpack[IdentifyOptions],
) -> Iterator[Identified]:
    """Who is on photos: detect, embed each crop, and find the nearest in the gallery.

    Args:
        photos: images, folders, globs or videos.
        gallery: the file that `learn` made.
        min_score: the lowest score of somebody known; None chooses it from the gallery.
        on_error: called with the error of each image that cannot be read; None raises it.
        say: called with the ``min_score`` that was chosen, and why.
        **options: see `IdentifyOptions`, and the options of `load_detector`.

    Yields:
        Each image with its detections and who they are, in order.

    Raises:
        UserError: if the gallery is empty, cannot be read, or is of another embedding.
    """
    if min_score is not None and not -1 <= min_score <= 1:
        raise UsageError(f"--min-score {min_score:g}: must be from -1 to 1")
    embedder, results = _opened(options)
    known = read_gallery(path_of(gallery, "gallery"), embedder.digest)
    if min_score is None:
        threshold = choose_threshold(known, embedder.card)
        say(str(threshold))
        min_score = threshold.score
    for result in results(photos, on_error):
        matches: list[Match] = []
        if result:
            vectors = embedder(result.image, result.xyxy)
            matches = recognise(known, embedder.card, vectors, min_score)
        yield Identified(result, tuple(matches))


def verify(a: Path, b: Path, *, false_accept: float = 0.01, **options: Unpack[IdentifyOptions]) -> Verdict:
    """Whether two photos show the same one, by the most confident detection of each.

    Args:
        a: an image.
        b: another.
        false_accept: the rate at which two different ones may be taken for the same, by the model card.
        **options: see `IdentifyOptions`, and the options of `load_detector`.

    Raises:
        UserError: if an image cannot be read, nothing is detected on one, or the card has no such rates.
    """
    if not 0 < false_accept < 1:
        raise UsageError(f"--false-accept {false_accept:g}: must be between 0 and 1")
    embedder, results = _opened(options)
    shown = [_best(result) for photo in (a, b) for result in results(photo)]
    if len(shown) != 2:
        raise UsageError("verify compares two images; give two files")
    first, second = (embedder(result.image, result.xyxy)[0] for result in shown)
    return verify_pair(embedder.card, first, second, false_accept)


Results = Callable[..., Iterator[Result]]


def _opened(options: Any) -> tuple[Embedder, Results]:
    """The embedding network, and a function from photos to results."""
    check_options(options, IdentifyOptions)
    given = dict(options)
    whole, weights = given.pop("whole", False), given.pop("weights", DEFAULT_MODEL)
    embedder = load_embedder(given.pop("embedding", None), given.get("device", "auto"))
    if whole:
        return embedder, _whole_images
    detector = load_detector(weights, **given)
    return embedder, lambda photos, on_error=None: detector.stream(photos, on_error=on_error)


def _whole_images(photos: Path | Iterable[Any], on_error: OnError | None = None) -> Iterator[Result]:
    """Each image as one detection."""
    for item in open_input(photos):
        try:
            image = item.read()
        except DataError as fault:
            if on_error is None:
                raise
            on_error(fault)
            continue
        box = np.array([[0, 0, image.width, image.height]], np.float32)
        yield Result(image, Detections(box, np.ones(1, np.float32), np.zeros(1, np.int64)), ("image",))


def _best(result: Result) -> Result:
    """The most confident detection alone."""
    if not result:
        raise DataError(
            f"{result.image.name}: nothing was detected; try a lower --conf, or --whole for the whole image"
        )
    return result[:1]
