"""What the verbs of the API can be told; what is left out has the default of the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypedDict, TypeVar

from yolo_cli.api.frames import FrameOptions
from yolo_cli.errors import OnError, UsageError
from yolo_cli.files import path_of
from yolo_cli.text import did_you_mean, text_encoding

if TYPE_CHECKING:
    from yolo_cli.config import Resize, SuppressionKind, TileSize
    from yolo_cli.detections import Classes
    from yolo_cli.engines import EngineKind, RunPrecision
    from yolo_cli.hardware import Device

__all__ = [
    "DataOptions",
    "DetectOptions",
    "ExplainOptions",
    "LoadOptions",
    "Path",
    "PathOptions",
    "SourceOptions",
    "check_options",
    "reads_text",
    "squared",
]

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

Path = str | os.PathLike[str]


class DetectOptions(TypedDict, total=False):
    """The options of ``yolo detect`` that decide what is found.

    Attributes:
        conf: confidence threshold.
        nms_iou: IoU threshold for NMS.
        max_det: maximum detections per image.
        classes: only these: names or ids, one or several; None keeps all.
        agnostic: NMS among all classes at once.
        multi_label: keep a box for every class above the threshold, not only for its best one. Evaluation
            always does.
        suppression: the kind of NMS; None follows the model.
        resize: how an image gets the network's size; None follows the model.
        imgsz: network input in pixels, a side or (height, width); None follows the model.
        tile: detect on overlapping tiles, too: their size in pixels, a side or (height, width), or "auto" for
            that of the network's input.
        tile_overlap: fraction of a tile's side that neighbours share at least.
    """

    conf: float
    nms_iou: float
    max_det: int
    classes: Classes | None
    agnostic: bool
    multi_label: bool
    suppression: SuppressionKind | None
    resize: Resize | None
    imgsz: int | tuple[int, int] | None
    tile: int | TileSize | None
    tile_overlap: float


class LoadOptions(DetectOptions, total=False):
    """How a model is loaded, and what it finds.

    Attributes:
        engine: ``onnx`` (ONNX Runtime), ``openvino`` or ``keras``; ``auto`` takes the fastest that is
            installed, a GPU first.
        precision: ``float32``, or ``bfloat16``: faster, but only in OpenVINO, on CPUs that compute in it.
        device: ``cpu``, ``gpu``, one GPU such as ``gpu:1``, or ``auto``: whichever there is.
    """

    engine: EngineKind
    precision: RunPrecision
    device: Device


class ExplainOptions(TypedDict, total=False):
    """The options of ``yolo explain``; each is as in `LoadOptions`."""

    conf: float
    nms_iou: float
    suppression: SuppressionKind | None
    imgsz: int | tuple[int, int] | None
    engine: EngineKind
    device: Device


class PathOptions(FrameOptions, total=False):
    """How images and videos are read.

    Attributes:
        batch: batch size.
        recursive: include subfolders.
        on_error: called with the error of each image that cannot be read, which is then left out of the
            results; None raises the error.
    """

    batch: int
    recursive: bool
    on_error: OnError | None


class SourceOptions(PathOptions, total=False):
    """How a `Predictor` reads its source.

    Attributes:
        bgr: arrays are BGR or BGRA, as OpenCV reads them. Other sources know their order.
    """

    bgr: bool


class DataOptions(LoadOptions, total=False):
    """A model on the images of a data set. ``classes`` are those of the data; ``conf`` is 0.001.

    Attributes:
        batch: batch size.
        split: only this part; else ``val``, or all of an unsplit data set.
        map: the data's class for a class of the model, where their names differ.
        encoding: of text files; None is UTF-8.
    """

    batch: int
    split: str
    map: Mapping[str, str]
    encoding: str | None


def check_options(options: Mapping[str, Any], kind: Any) -> None:
    """Raise UsageError for an option that ``kind``, one of the above, lacks, or whose value is not a path."""
    known = kind.__annotations__
    for name, value in options.items():
        if name not in known:
            hint = did_you_mean(name, known, f"the options are {', '.join(known)}")
            raise UsageError(f"there is no option '{name}'; {hint}")
        if value is not None and _spelt(known[name]) in ("Path", "Path | None"):
            path_of(value, name)


def squared(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with squares for sizes of which one side is given."""
    sides = {name: options[name] for name in ("imgsz", "tile") if isinstance(options.get(name), int)}
    return {**options, **{name: (side, side) for name, side in sides.items()}}


def reads_text(verb: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Let a verb read text files in its option ``encoding``."""

    @wraps(verb)
    def with_encoding(*args: Given.args, **options: Given.kwargs) -> Returned:
        encoding: Any = options.pop("encoding", None)
        with text_encoding(encoding):
            return verb(*args, **options)

    return with_encoding


def _spelt(annotation: Any) -> str:
    """An annotation as it is written above."""
    return str(getattr(annotation, "__forward_arg__", annotation))
