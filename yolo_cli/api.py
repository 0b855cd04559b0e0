"""The Python API: what the commands do, with the same names for the same options.

Nothing here prints, exits or configures logging. Whatever a user can fix is raised as a `UserError`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from yolo_cli import detectors, render
from yolo_cli.config import DEFAULT_MODEL, DetectConfig, Device, Resize, SuppressionKind
from yolo_cli.detections import Classes, Detections, class_ids
from yolo_cli.detectors import Detector
from yolo_cli.engines import EngineKind
from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import Image
from yolo_cli.inputs import InMemory, OneImage, array_image, is_one_image, open_input
from yolo_cli.pipeline import run_detector
from yolo_cli.results import Result
from yolo_cli.weights import ModelCard

__all__ = ["DetectOptions", "Predictor", "SourceOptions", "draw", "load_detector"]

OnError = Callable[[DataError], object]


class DetectOptions(TypedDict, total=False):
    """The options of ``yolo detect`` that affect detections, with the same defaults.

    Attributes:
        conf: confidence threshold.
        nms_iou: IoU threshold for NMS.
        max_det: maximum detections per image.
        classes: names or ids of the classes to keep, one or several; None keeps all.
        agnostic: NMS among all classes at once.
        suppression: the kind of NMS; None follows the model.
        resize: "letterbox" or "stretch"; None follows the model.
        imgsz: network input in pixels, a side or (height, width); None follows the model.
    """

    conf: float
    nms_iou: float
    max_det: int
    classes: Classes | None
    agnostic: bool
    suppression: SuppressionKind | None
    resize: Resize | None
    imgsz: int | tuple[int, int] | None


class SourceOptions(TypedDict, total=False):
    """How a `Predictor` reads its source.

    Attributes:
        batch: batch size.
        bgr: arrays are BGR or BGRA, as read by OpenCV. Other sources are not affected.
        recursive: include subfolders.
        on_error: called with the error of each image that cannot be read, which is then left out of the
            results; None raises the error.
    """

    batch: int
    bgr: bool
    recursive: bool
    on_error: OnError | None


def load_detector(
    weights: str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    engine: EngineKind = "auto",
    device: Device = "auto",
    **options: Unpack[DetectOptions],
) -> Predictor:
    """Load a model, ready to be called with images.

    Args:
        weights: the name of a model (``yolo weights list``), the path of one of its files, or the folder
            of a training run.
        engine: ``onnx`` (ONNX Runtime) or ``keras``; ``auto`` is Keras if there is a GPU.
        device: ``cpu``, ``gpu`` or ``auto``.
        **options: see `DetectOptions`: ``conf``, ``nms_iou``, ``max_det``, ``classes``, ``imgsz``, …

    Raises:
        UserError: if there is no such model, its two files do not match, or an option does not fit it.

    >>> load_detector("yolov4-tiny-coco", conf=0.4)
    <Predictor yolov4-tiny-coco 416x416: 80 classes>
    """
    loaded = detectors.load_detector(weights, engine=engine, device=device)
    return Predictor(loaded).with_options(**options)


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
        return f"<Predictor {self.card.name} {width}x{height}: {len(self.class_names)} classes>"

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
        config = _config(self.detector.config, dict(options), self.class_names)
        return Predictor(self.detector.with_config(config))

    @overload
    def __call__(  # type: ignore[overload-overlap]  # an array is iterable, too; the first match counts
        self, source: InMemory, **options: Unpack[SourceOptions]
    ) -> Result: ...
    @overload
    def __call__(self, source: str | os.PathLike[str], **options: Unpack[SourceOptions]) -> Any: ...
    @overload
    def __call__(self, source: Iterable[OneImage], **options: Unpack[SourceOptions]) -> list[Result]: ...
    def __call__(
        self,
        source: OneImage | Iterable[OneImage],
        *,
        batch: int = 1,
        bgr: bool = False,
        recursive: bool = False,
        on_error: OnError | None = None,
    ) -> Any:
        """Find objects in one image or many.

        **Arrays are RGB.** OpenCV (``cv2.imread``, ``VideoCapture``) reads BGR: pass ``bgr=True``, or red and
        blue are swapped and detections get worse without any error.

        Args:
            source: one image: a path, the bytes of a file, a uint8 array, (height, width), (height, width, 3)
                RGB or (height, width, 4) RGBA, or a PIL image. Or many: a folder, a glob, a list.txt with one
                path per line, or a list of any of these.
            batch: batch size.
            bgr: arrays are BGR or BGRA.
            recursive: include subfolders.
            on_error: called with the error of each image among many that cannot be read, which is then
                left out of the results; None raises the error.

        Returns:
            A `Result` for one image. A list of them for many, in order, even if it has one item or none.

        Raises:
            UserError: if an image cannot be read, or ``source`` is not a source of images.
        """
        if is_one_image(source):
            return next(self.stream(source, bgr=bgr))
        return list(self.stream(source, batch=batch, bgr=bgr, recursive=recursive, on_error=on_error))

    def stream(
        self,
        source: OneImage | Iterable[OneImage],
        *,
        batch: int = 1,
        bgr: bool = False,
        recursive: bool = False,
        on_error: OnError | None = None,
    ) -> Iterator[Result]:
        """Like a call, but yields results one by one, in constant memory.

        ``source`` may also be a generator, of video frames for example; it is read lazily.
        """
        if batch < 1:
            raise UsageError(f"batch is {batch}, but must be at least 1")
        items = open_input(source, bgr=bgr, recursive=recursive)
        for outcome in run_detector(self.detector, items, batch=batch):
            if outcome.image is not None:
                yield Result(outcome.image, outcome.detections, self.class_names, outcome.time_ms)
                continue
            error = DataError(outcome.error)
            if on_error is None:
                raise error
            on_error(error)


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


def _config(config: DetectConfig, options: dict[str, Any], class_names: Sequence[str]) -> DetectConfig:
    """``config`` with other ``options``: classes become ids, and one side becomes a square."""
    known = [field.name for field in fields(DetectConfig)]
    for name in options.keys() - set(known):
        raise UsageError(f"unknown option '{name}'; the options are {', '.join(known)}")
    if options.get("classes") is not None:
        options["classes"] = class_ids(options["classes"], class_names)
    if isinstance(options.get("imgsz"), int):
        options["imgsz"] = (options["imgsz"],) * 2
    return replace(config, **options)
