"""Images in the style of another one: `stylize` and `stylize_data`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import cv2

from yolo_cli.api.options import check_options
from yolo_cli.errors import UsageError
from yolo_cli.files import atomic_folder, path_of
from yolo_cli.images import read_image, write_image
from yolo_cli.inputs import OneImage, read_one

if TYPE_CHECKING:
    from yolo_cli.styling import Stylised

__all__ = ["StyleOptions", "stylize", "stylize_data"]

_MOST_WEIGHT = 1_000_000  # with far more, costs are not finite
Watch = Callable[[Iterable[Any], int], Iterable[Any]]


class StyleOptions(TypedDict, total=False):
    """The options of ``yolo stylize``.

    Attributes:
        imgsz: the longer side at which the network sees both images, in pixels.
        steps: of the optimizer.
        style_weight: weight of the style cost; that of the content cost is 1.
        weights: the YOLO model whose layers are used; None is the default model.
        backbone: in place of it, a backbone with its ImageNet weights, such as efficientnet-lite0.
        watch: passed the steps, or the images of a data set, and their number, for progress.
    """

    imgsz: int
    steps: int
    style_weight: float
    weights: str | os.PathLike[str] | None
    backbone: str | None
    watch: Watch


def stylize(image: OneImage, style: OneImage, **options: Unpack[StyleOptions]) -> Stylised:
    """Give an image the style of another one (Gatys et al., 2016). Nothing is saved; the result can be.

    Args:
        image: a path, the bytes of a file, an array or a PIL image: what is shown.
        style: the same, for how it is painted.
        **options: see `StyleOptions`; 384 pixels and 200 steps by default.

    Raises:
        UserError: if an image or the network cannot be used, or an option is out of range.
    """
    check_options(options, StyleOptions)
    side, how = _checked(options, 384, 200)
    shown, painted = read_one(image), read_one(style)

    from yolo_cli.styling import StyleConfig, feature_model, stylise

    config = StyleConfig(**how)
    features = feature_model(options.get("weights"), options.get("backbone"))
    return stylise(features, shown, painted, side, config, options.get("watch", _unwatched))


def stylize_data(
    data: str | os.PathLike[str],
    style: OneImage,
    out: str | os.PathLike[str],
    **options: Unpack[StyleOptions],
) -> Path:
    """Write a copy of a data set whose images have the style of another image; boxes stay as they are.

    Trained on both, a detector relies less on colour and texture (Geirhos et al., 2019).

    Args:
        data: the data set, which is never written to.
        style: as for `stylize`.
        out: a new folder for the copy, in YOLO's form.
        **options: see `StyleOptions`; 192 pixels and 60 steps by default. Images keep their size.

    Returns:
        The folder.

    Raises:
        UserError: as for `stylize`, or if the data cannot be used or the folder exists.
    """
    check_options(options, StyleOptions)
    side, how = _checked(options, 192, 60)
    painted, folder = read_one(style), path_of(out, "out")
    if folder.exists():
        raise UsageError(f"--out {folder}: exists; name a new folder")

    from yolo_cli.api.converting import convert
    from yolo_cli.datasets import open_dataset
    from yolo_cli.styling import StyleConfig, feature_model, stylise

    config = StyleConfig(**how)
    features = feature_model(options.get("weights"), options.get("backbone"))
    with atomic_folder(folder) as draft:
        convert(path_of(data, "data"), "yolo", draft, exist_ok=True, allow_unlabelled=True)
        samples = open_dataset(draft, allow_unlabelled=True).samples
        watch: Watch = options.get("watch", _unwatched)
        for sample in watch(samples, len(samples)):
            image = read_image(sample.path)
            small = stylise(features, image, painted, side, config).rgb
            large = cv2.resize(small, (image.width, image.height), interpolation=cv2.INTER_CUBIC)
            write_image(sample.path, large)
    return folder


def _unwatched(items: Iterable[Any], _: int) -> Iterable[Any]:
    return items


def _checked(options: StyleOptions, side: int, steps: int) -> tuple[int, dict[str, Any]]:
    """The side, and the fields of the `StyleConfig` that are given or have these defaults.

    It is before the import of a framework, which takes seconds.
    """
    side, steps = options.get("imgsz", side), options.get("steps", steps)
    if not 64 <= side <= 2048:
        raise UsageError(f"imgsz is {side}, but must be between 64 and 2048")
    if steps < 1:
        raise UsageError(f"steps is {steps}, but must be at least 1")
    weight = options.get("style_weight")
    if weight is not None and not 0 <= weight <= _MOST_WEIGHT:
        raise UsageError(f"style_weight is {weight}, but must be between 0 and {_MOST_WEIGHT:,}")
    return side, {"steps": steps} | ({} if weight is None else {"style": weight})
