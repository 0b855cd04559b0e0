"""Images in, results out: `detect`, `load_detector`, the `Predictor` that it gives, and `draw`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from yolo_cli import detectors, render, sources
from yolo_cli.api.frames import frame_options, region_of
from yolo_cli.api.options import (
    DetectOptions,
    LoadOptions,
    Path,
    PathOptions,
    SourceOptions,
    check_options,
    squared,
)
from yolo_cli.config import DEFAULT_MODEL, EVALUATION_CONF, DetectConfig
from yolo_cli.detections import Detections, class_ids
from yolo_cli.detectors import Detector
from yolo_cli.errors import DataError, report
from yolo_cli.files import path_of, spellings
from yolo_cli.images import Image
from yolo_cli.inputs import InMemory, OneImage, array_image, is_one_image, open_input
from yolo_cli.live import find_address
from yolo_cli.pipeline import run_detector
from yolo_cli.results import Result
from yolo_cli.text import counted
from yolo_cli.weights import ModelCard, ModelFiles, find_model
from yolo_cli.weights.store import sha256

if TYPE_CHECKING:
    from yolo_cli.pipeline import Watch
    from yolo_cli.pipeline.runs import DetectRun

__all__ = [
    "Predictor",
    "RunOptions",
    "config_with",
    "detect",
    "draw",
    "load_detector",
    "open_for_evaluation",
    "reads_ahead",
]


class RunOptions(LoadOptions, PathOptions, total=False):
    """The options of ``yolo detect`` that decide what is read, and what is found."""


def detect(
    source: Path | Sequence[Path],
    weights: Path | Predictor = DEFAULT_MODEL,
    *,
    watch: Watch | None = None,
    **options: Unpack[RunOptions],
) -> DetectRun:
    """Find objects in images and videos, as ``yolo detect`` does: to save, print or show them all.

    No image is read before the run that this returns is iterated over: it gives a `Result` for each image or
    frame, and knows how many there were. ``run.save_to(folder)`` saves what passes, ``run.texts("csv")`` is
    its text in any format of the command. A `Predictor` is for arrays and single images.

    Args:
        source: an image, folder, glob, list.txt, video, camera or address, as for `Predictor`; or several.
        weights: as for `load_detector`, or a loaded model.
        watch: takes what is found as it comes, with the number of images (0 if unknown), and passes it on:
            to show progress, as in ``lambda found, total: tqdm(found, total=total)``.
        **options: see `RunOptions`: ``recursive``, ``conf``, ``classes``, ``every``, ``on_error``, …

    Raises:
        UserError: if there is no image to be read, there is no such model, or an option does not fit.
    """
    from yolo_cli.pipeline.runs import DetectRun

    check_options(options, RunOptions)
    given: dict[str, Any] = {**options}
    choice, live = frame_options(given)
    names, recursive = spellings(source, "source"), given.get("recursive", False)
    opened = sources.open_source(names, recursive=recursive, choice=choice, live=live)
    how: Any = {name: given[name] for name in LoadOptions.__annotations__ if name in given}
    loaded = weights.with_options(**how) if isinstance(weights, Predictor) else load_detector(weights, **how)
    loop: dict[str, Any] = {name: given[name] for name in ("batch", "on_error") if name in given}
    return DetectRun(loaded.detector, opened, watch=watch, region=region_of(given.get("region")), **loop)


def load_detector(
    weights: str | os.PathLike[str] | ModelFiles = DEFAULT_MODEL, **options: Unpack[LoadOptions]
) -> Predictor:
    """Load a model, ready to be called with images.

    Args:
        weights: the name of a model (``yolo weights list``), the path of one of its files, or the folder
            of a training run.
        **options: see `LoadOptions`: ``conf``, ``nms_iou``, ``max_det``, ``classes``, ``imgsz``, …

    Raises:
        UserError: if there is no such model, its two files do not match, or an option does not fit it.

    >>> load_detector("yolov4-tiny-coco", conf=0.4)
    <Predictor yolov4-tiny-coco 416x416: 80 classes>
    """
    check_options(options, LoadOptions)
    given: dict[str, Any] = {**options}
    how = {name: given.pop(name) for name in ("engine", "device", "precision") if name in given}
    classes = given.pop("classes", None)  # the model knows which they are
    config = config_with(DetectConfig(multi_label=False), given)
    loaded = Predictor(detectors.load_detector(weights=_named(weights), config=config, **how))
    return loaded if classes is None else loaded.with_options(classes=classes)


@dataclass(frozen=True, slots=True, repr=False)
class Predictor:
    """A loaded model: called with images, it returns results.

    Thread-safe: it keeps no state between calls.

    Attributes:
        detector: the detector, called with a list of `Image`s.
    """

    detector: Detector

    def __repr__(self) -> str:
        height, width = self.input_size
        return f"<Predictor {self.card.name} {width}x{height}: {counted(len(self.class_names), 'class')}>"

    @property
    def card(self) -> ModelCard:
        """The model card."""
        return self.detector.card

    @property
    def class_names(self) -> tuple[str, ...]:
        """The model's class names, by class id."""
        return self.detector.class_names

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        return self.detector.input_size

    def with_options(self, **options: Unpack[DetectOptions]) -> Predictor:
        """The same loaded network with other options; omitted ones are unchanged.

        Raises:
            UsageError: if an option or class is unknown, or a value is out of range.
        """
        check_options(options, DetectOptions)
        given: dict[str, Any] = {**options}
        if given.get("classes") is not None:
            given["classes"] = class_ids(given["classes"], self.class_names)
        return Predictor(self.detector.with_config(config_with(self.detector.config, given)))

    @overload
    def __call__(  # type: ignore[overload-overlap]  # an array is iterable, too; the first match counts
        self, source: InMemory, **options: Unpack[SourceOptions]
    ) -> Result: ...
    @overload
    def __call__(self, source: str | os.PathLike[str], **options: Unpack[SourceOptions]) -> Any: ...
    @overload
    def __call__(self, source: Iterable[OneImage], **options: Unpack[SourceOptions]) -> list[Result]: ...
    def __call__(self, source: OneImage | Iterable[OneImage], **options: Unpack[SourceOptions]) -> Any:
        """Find objects in one image or many.

        **Arrays are RGB.** OpenCV (``cv2.imread``, ``VideoCapture``) reads BGR: pass ``bgr=True``, or red and
        blue are swapped and detections get worse without any error.

        Args:
            source: one image: a path, the bytes of a file, a uint8 array, (height, width), (height, width, 3)
                RGB or (height, width, 4) RGBA, or a PIL image. Or many: a folder, a glob, a list.txt with one
                path per line, a video, the number of a camera as text, an http, https, rtsp or rtsps address,
                "-" for standard input, or a list of any of these.
            **options: see `SourceOptions`: ``batch``, ``bgr``, ``recursive``, ``on_error``, and for videos
                ``every``, ``start``, ``end`` and ``max_frames``, for live sources ``live`` and others.

        Returns:
            A `Result` for one image. A list of them for many, in order, even if it has one item or none; it
            holds all images, so use `stream` for a long video or a live source.

        Raises:
            UserError: if an image cannot be read, or ``source`` is not a source of images.
        """
        if is_one_image(source):
            return next(self.stream(source, **options))
        return list(self.stream(source, **options))

    def stream(
        self, source: OneImage | Iterable[OneImage], **options: Unpack[SourceOptions]
    ) -> Iterator[Result]:
        """Like a call, but yields results one by one, in constant memory.

        The next images of a path or list are read while the network runs, and of many, several are worked on
        at a time.
        ``source`` may also be a generator, of camera images for example; it is read when its turn comes.
        """
        check_options(options, SourceOptions)
        given: dict[str, Any] = {**options}
        batch, on_error = given.get("batch", 1), given.get("on_error")
        choice, live = frame_options(given)
        how = {name: given[name] for name in ("bgr", "recursive") if name in given}
        items = open_input(source, choice=choice, live=live, **how)
        loop: Any = {"read_ahead": reads_ahead(source), "region": region_of(given.get("region"))}
        for outcome in run_detector(self.detector, items, batch=batch, **loop):
            if outcome.image is None:
                report(DataError(outcome.error), on_error)
            else:
                yield outcome.result(self.class_names)


def reads_ahead(source: object) -> bool:
    """Whether a source is read in a thread: not one image, nor what runs the user's code, nor live ones."""
    if isinstance(source, list | tuple):
        return True
    named = isinstance(source, str | os.PathLike) and not is_one_image(source)
    return named and not find_address(str(source))


def draw(
    image: Image | NDArray[np.uint8],
    detections: Detections | Result,
    class_names: Sequence[str] = (),
    *,
    line_width: int | None = None,
    labels: bool = True,
    confidence: bool = True,
) -> NDArray[np.uint8]:
    """Draw boxes on a copy of an image.

    Args:
        image: an RGB array, or an `Image`.
        detections: boxes in pixels of that image.
        class_names: by class id. A `Result` brings its own.
        line_width: in pixels; None follows the image's size.
        labels: whether boxes are labelled with class names.
        confidence: whether labels show the confidence.

    Returns:
        uint8, (height, width, 3), RGB.

    Raises:
        UserError: if ``image`` is not an image, or ``line_width`` is below 1.
    """
    if isinstance(detections, Result):
        class_names = class_names or detections.names
        detections = detections.detections
    image = image if isinstance(image, Image) else array_image(image)
    return render.draw(image, detections, class_names, render.DrawStyle(line_width, labels, confidence))


def open_for_evaluation(
    weights: str | os.PathLike[str] | ModelFiles | Predictor | None, options: Mapping[str, Any]
) -> tuple[Detector, str | None]:
    """A model with every class and the threshold of an evaluation, and its file's SHA-256 if it has one.

    Args:
        weights: a model, or one that is loaded; None is the default model.
        options: those of `LoadOptions` count.
    """
    how: Any = {name: options[name] for name in LoadOptions.__annotations__ if name in options}
    how = {"conf": EVALUATION_CONF, **how, "classes": None, "multi_label": True}
    if isinstance(weights, Predictor):
        return weights.with_options(**how).detector, None
    files = _named(DEFAULT_MODEL if weights is None else weights)
    files = find_model(files) if isinstance(files, str) else files
    return load_detector(files, **how).detector, sha256(files.first)


def _named(weights: str | os.PathLike[str] | ModelFiles) -> str | ModelFiles:
    return weights if isinstance(weights, ModelFiles) else str(path_of(weights, "weights"))


def config_with(config: DetectConfig, options: Mapping[str, Any]) -> DetectConfig:
    """``config`` with other ``options``; one side becomes a square."""
    return replace(config, **squared(options))
