"""What a model sees: `explain`, `explain_filters`, `explain_saliency` and `explain_layers`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Unpack

from yolo_cli import explanation
from yolo_cli.api.detection import Predictor, load_detector
from yolo_cli.api.options import ExplainOptions, check_options
from yolo_cli.config import DEFAULT_MODEL
from yolo_cli.detectors import Detector
from yolo_cli.explanation import Explanation
from yolo_cli.files import path_of
from yolo_cli.inputs import OneImage, read_one

if TYPE_CHECKING:
    from yolo_cli.datasets import Dataset
    from yolo_cli.visualisation import Filters, LayerPatches, Saliency

__all__ = ["explain", "explain_filters", "explain_layers", "explain_saliency", "open_explained"]

Watch = Callable[[Iterable[Any], int], Iterable[Any]]


def explain(
    image: OneImage,
    at: tuple[float, float],
    weights: str | os.PathLike[str] | Predictor | None = None,
    *,
    bgr: bool = False,
    **options: Unpack[ExplainOptions],
) -> Explanation:
    """Explain a model's predictions at one point of an image. Nothing is saved; the result can be.

    Args:
        image: a path, the bytes of a file, an array or a PIL image, as for a `Predictor`.
        at: the point, x and y in pixels from the top left.
        weights: a model, as for `load_detector`, or a loaded one; None is the default model.
        bgr: arrays are BGR or BGRA.
        **options: see `ExplainOptions`: ``conf``, ``nms_iou``, ``imgsz``, …

    Raises:
        UserError: if the image or the model cannot be used, the point is outside the image, or the NMS is
            soft, which suppresses nothing.
    """
    shown, detector = read_one(image, bgr=bgr), open_explained(weights, options)
    details = explanation.explain(detector, shown, (float(at[0]), float(at[1])))
    return Explanation(shown, detector.class_names, detector.config.conf, details)


def explain_saliency(
    image: OneImage,
    at: tuple[float, float] | None = None,
    weights: str | os.PathLike[str] | Predictor | None = None,
    *,
    masks: int = 400,
    seed: int = 0,
    watch: Watch = lambda items, _: items,
    **options: Unpack[ExplainOptions],
) -> Saliency:
    """Find which pixels a detection rests on (D-RISE, Petsiuk et al., 2021), with any detector.

    Args:
        image: as for `explain`.
        at: a point in the detection's box, x and y in pixels; None takes the most confident detection.
        weights: as for `explain`.
        masks: number of random masks, each a detection.
        seed: random seed of the masks.
        watch: passed the masks and their number, for progress.
        **options: see `ExplainOptions`.

    Raises:
        UserError: if the image or the model cannot be used, or nothing was found there.
    """
    shown, detector = read_one(image), open_explained(weights, options)

    from yolo_cli.visualisation import show_saliency  # the framework comes with it

    return show_saliency(detector, shown, at, masks=masks, seed=seed, watch=watch)


def explain_filters(
    image: OneImage,
    at: tuple[float, float] | None = None,
    weights: str | os.PathLike[str] | None = None,
    *,
    imgsz: int | tuple[int, int] | None = None,
) -> Filters:
    """Show what convolutions make of an image: an edge filter, learned filters, maps, receptive fields.

    Args:
        image: as for `explain`.
        at: the point whose cells' receptive fields are drawn, x and y in pixels; None is the centre.
        weights: a YOLO model with a ``.keras`` file; None is the default model.
        imgsz: network input in pixels, a side or (height, width); None follows the model.

    Raises:
        UserError: if the image or the model cannot be used, or the point is outside the image.
    """
    shown = read_one(image)

    from yolo_cli.visualisation import open_network, show_filters  # the framework comes with it

    return show_filters(open_network(weights, imgsz), shown, at)


def explain_layers(
    data: str | os.PathLike[str] | Dataset,
    weights: str | os.PathLike[str] | None = None,
    *,
    imgsz: int | tuple[int, int] | None = None,
    limit: int = 200,
    watch: Watch = lambda items, _: items,
) -> LayerPatches:
    """Show what units of each layer respond to: the patches that excite them most (Zeiler, Fergus, 2013).

    Args:
        data: the data set, or a folder of images.
        weights: as for `explain_filters`.
        imgsz: as for `explain_filters`.
        limit: maximum number of images, evenly spaced.
        watch: passed the samples and their number, for progress.

    Raises:
        UserError: if the data or the model cannot be used.
    """
    from yolo_cli.comparison.images import choose_images, open_images

    if isinstance(data, str | os.PathLike):
        images = open_images(str(path_of(data, "data")), limit=limit)
    else:
        images = choose_images(data, limit=limit)

    from yolo_cli.visualisation import open_network, show_layers  # the framework comes with it

    return show_layers(open_network(weights, imgsz), images.samples, watch=watch)


def open_explained(weights: str | os.PathLike[str] | Predictor | None, options: Any) -> Detector:
    """The detector of a model, as for `explain`, with its options."""
    given: dict[str, Any] = {**options}
    check_options(given, ExplainOptions)
    if isinstance(weights, Predictor):
        return weights.with_options(**given).detector
    return load_detector(DEFAULT_MODEL if weights is None else weights, **given).detector
