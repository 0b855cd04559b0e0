"""Which one is it? `learn`, `list_identities`, `forget`, `identify` and `verify`."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from yolo_cli.api.detection import Predictor, load_detector, reads_ahead
from yolo_cli.api.options import LoadOptions, Path, check_options
from yolo_cli.config import DEFAULT_MODEL
from yolo_cli.errors import DataError, OnError, UsageError, report
from yolo_cli.files import path_of, spellings
from yolo_cli.identity import (
    UNKNOWN,
    WHOLE,
    Embedder,
    Entry,
    Gallery,
    Identification,
    Identified,
    Threshold,
    Verdict,
    changed_gallery,
    choose_threshold,
    load_embedder,
    read_gallery,
    twins,
    whole_images,
)
from yolo_cli.identity import verify as verify_pair
from yolo_cli.identity.identify_run import IdentifyRun
from yolo_cli.identity.running import Each
from yolo_cli.inputs import open_input
from yolo_cli.limits import name_fault
from yolo_cli.pipeline import Outcome, Readable, run_detector
from yolo_cli.pipeline.formats import Model
from yolo_cli.results import Result
from yolo_cli.sources import open_source
from yolo_cli.text import shorten

__all__ = [
    "DEFAULT_GALLERY",
    "Identified",
    "forget",
    "identify",
    "learn",
    "list_identities",
    "verify",
]

DEFAULT_GALLERY = "gallery.json"


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


def learn(
    name: str,
    photos: Path | Sequence[Path],
    gallery: Path = DEFAULT_GALLERY,
    *,
    on_error: OnError | None = None,
    say: Callable[[str], object] = lambda _: None,
    **options: Unpack[IdentifyOptions],
) -> list[Result]:
    """Put photos of somebody or something into a gallery. Only numbers and file names are kept.

    Args:
        name: who or what it is.
        photos: images, folders or globs; the most confident detection of each image is learnt.
        gallery: the file; it is made if it does not exist.
        on_error: called with the error of each photo that cannot be read, or has no detection; the others
            are learnt. None raises it.
        say: called with a line for each photo that the gallery has already.
        **options: see `IdentifyOptions`, and the options of `load_detector`.

    Returns:
        For each photo, the one detection that was learnt. A photo that the name has already is left out.

    Raises:
        UserError: if no photo can be used, or the gallery is of another embedding; the gallery is then
            unchanged.
    """
    if wrong := name_fault(name):
        raise UsageError(f"the name {shorten(repr(name))} {wrong}; choose another")
    if name == UNKNOWN:
        raise UsageError(f"the name {name!r} is that of all who are not in the gallery; choose another")
    embedder, detector = _opened(options)
    file = path_of(gallery, "gallery")
    if file.exists():  # the work would be for nothing
        read_gallery(file, embedder.digest, embedder.length)
    faults: list[DataError] = []
    shown = list(_best(detector, photos, faults.append if on_error else None))
    for fault in faults[: None if shown else -1]:
        report(fault, on_error)
    if not shown:
        raise faults[-1] if faults else DataError(f"{photos}: no image; give photos of {name}")
    vectors = [embedder(result.image, result.xyxy)[0] for result in shown]
    with changed_gallery(file, embedder.card.name, embedder.digest) as known:
        return [
            result
            for result, vector in zip(shown, vectors, strict=True)
            if _put(name, result, vector, known, say)
        ]


def _put(
    name: str, result: Result, vector: NDArray[np.float32], known: Gallery, say: Callable[[str], object]
) -> bool:
    """Put a photo into a gallery, unless the name has it already; tell that, or that others have it."""
    photo = result.image.name
    alike = twins(vector[None], known.embeddings)[0] if known.entries else ()
    others = {entry.name for entry, twin in zip(known.entries, alike, strict=True) if twin}
    if name in others:
        say(f"{photo}: is in the gallery as {name} already; not learnt twice")
        return False
    if others:
        say(f"warning: {photo}: is in the gallery as {', '.join(sorted(others))}, too; forget the wrong name")
    known.entries.append(Entry(name, pathlib.Path(photo).name or "-", vector))
    return True


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
    watch: Callable[[Iterable[Each], int], Iterable[Each]] | None = None,
    **options: Unpack[IdentifyOptions],
) -> IdentifyRun:
    """Who is on photos: detect, embed each crop, and find the nearest in the gallery.

    Args:
        photos: images, folders, globs or videos.
        gallery: the file that `learn` made.
        min_score: the lowest score of somebody known; None chooses it from the gallery.
        on_error: called with the error of each image that cannot be read; None raises it.
        say: called with the ``min_score`` that was chosen, and why.
        watch: as for `detect`.
        **options: see `IdentifyOptions`, and the options of `load_detector`.

    Returns:
        A run that is iterated over: it gives an `Identified` for each image, in order, with its detections
        and who they are. ``run.save_to(folder)`` saves what passes, ``run.texts("csv")`` is its text.

    Raises:
        UserError: if there is no image to be read, or the gallery is empty, cannot be read, or is of another
            embedding.
    """
    if min_score is not None and not -1 <= min_score <= 1:
        raise UsageError(f"--min-score {min_score:g}: must be from -1 to 1")
    source = open_source(spellings(photos, "photos"))
    embedder, detector = _opened(options)
    known = read_gallery(path_of(gallery, "gallery"), embedder.digest, embedder.length)
    if not known.entries:
        raise DataError(f"{gallery}: is empty; `yolo identify learn NAME PHOTO` fills it")
    if min_score is None:
        threshold = choose_threshold(known, embedder.card)
        say(str(threshold))
    else:
        threshold = Threshold(min_score, "as it was given")
    outcomes = _outcomes(detector, source, source.reads_ahead)
    model = Model.of(detector.detector) if detector else None
    found = Identification(outcomes, model, embedder, known, threshold)
    return IdentifyRun(found, source, on_error=on_error, watch=watch)


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
        raise UsageError(f"--false-accept {false_accept:g}: must be above 0 and below 1")
    embedder, detector = _opened(options)
    shown = list(_best(detector, [a, b]))
    if len(shown) != 2:
        raise UsageError("verify compares two images; give two files")
    first, second = (embedder(result.image, result.xyxy)[0] for result in shown)
    return verify_pair(embedder.card, first, second, false_accept)


def _opened(options: Any) -> tuple[Embedder, Predictor | None]:
    """The embedding network, and the detector; None where whole images are taken."""
    check_options(options, IdentifyOptions)
    given = dict(options)
    whole, weights = given.pop("whole", False), given.pop("weights", DEFAULT_MODEL)
    embedder = load_embedder(given.pop("embedding", None), given.get("device", "auto"))
    return embedder, None if whole else load_detector(weights, **given)


def _outcomes(detector: Predictor | None, items: Iterable[Readable], read_ahead: bool) -> Iterator[Outcome]:
    if detector is None:
        return whole_images(items)
    return run_detector(detector.detector, items, read_ahead=read_ahead)


def _best(
    detector: Predictor | None, photos: Path | Sequence[Path], on_error: OnError | None = None
) -> Iterator[Result]:
    """The most confident detection alone, of each photo."""
    names = detector.class_names if detector else (WHOLE,)
    for outcome in _outcomes(detector, open_input(photos), reads_ahead(photos)):
        if outcome.image is None:
            report(DataError(outcome.error), on_error)
        elif not len(outcome.detections):
            hint = "try a lower --conf, or --whole for the whole image"
            report(DataError(f"{outcome.name}: nothing was detected; {hint}"), on_error)
        else:
            yield Result(outcome.image, outcome.detections[:1], names)
