"""What the verbs of the API can be told; what is left out has the default of the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypedDict, TypeVar

from yolo_cli.api.frames import FrameOptions
from yolo_cli.errors import OnError, UsageError
from yolo_cli.files import path_of
from yolo_cli.text import did_you_mean, text_encoding

if TYPE_CHECKING:
    from yolo_cli.comparison import ComparisonRow, Entry
    from yolo_cli.config import Resize, SuppressionKind, TileSize
    from yolo_cli.detections import Classes
    from yolo_cli.engines import EngineKind, RunPrecision
    from yolo_cli.evaluation import TideRule
    from yolo_cli.hardware import Device

__all__ = [
    "CalibrateOptions",
    "CompareOptions",
    "DataOptions",
    "DetectOptions",
    "EvaluateOptions",
    "ExplainOptions",
    "ExportOptions",
    "FetchOptions",
    "ImportOptions",
    "LintOptions",
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


class ExportOptions(TypedDict, total=False):
    """The options of ``yolo export``.

    Attributes:
        nms: suppression as part of the graph: class-wise, by IoU.
        preprocess: resizing as part of the graph (True), or left to the caller.
        half: store weights as float16.
        int8: weights and activations as int8, calibrated on images of ``data``.
        batch: batch size; None is any.
        dynamic: without ``preprocess``, an input of any height and width.
        conf: confidence threshold.
        nms_iou: IoU threshold for NMS.
        max_det: maximum detections per image.
        imgsz: network input in pixels, a side or (height, width); None follows the model.
        resize: how an image gets the network's size; None follows the model.
        data: a data set to compare on, and to measure average precision on; None is the bundled examples.
        split: only this part; else ``val``, or all of an unsplit data set.
        map: the data's class for a class of the model, where their names differ.
        calibration: images for int8: a folder, glob or list; None is the other splits of ``data``.
        limit: maximum number of images to compare on, and to calibrate on, evenly spaced.
        max_loss: of mAP50, for int8.
        out: the path to write; None is a new one in ``runs/export``.
        exist_ok: overwrite an existing export.
        encoding: of text files; None is UTF-8.
    """

    nms: bool
    preprocess: bool
    half: bool
    int8: bool
    batch: int | None
    dynamic: bool
    conf: float
    nms_iou: float
    max_det: int
    imgsz: int | tuple[int, int] | None
    resize: Resize | None
    data: Path | None
    split: str | None
    map: Mapping[str, str]
    calibration: Path | None
    limit: int
    max_loss: float
    out: Path | None
    exist_ok: bool
    encoding: str | None


class FetchOptions(TypedDict, total=False):
    """The options of ``yolo weights fetch``.

    Attributes:
        sha256: what the file must have, 64 hexadecimal digits; needed for an address.
        names: a file with its class names, one per line; needed for an address.
        cfg: the network of a Darknet model from an address.
        half: store kernels as float16, which halves the files.
        exist_ok: overwrite an existing model.
        encoding: of text files; None is UTF-8.
    """

    sha256: str | None
    names: Path | None
    cfg: Path | None
    half: bool
    exist_ok: bool
    encoding: str | None


class ImportOptions(TypedDict, total=False):
    """The options of ``yolo weights import``.

    Attributes:
        card: a YAML file with licence, origin and figures.
        half: store kernels as float16, which halves the files.
        sha256: what the weights must have, 64 hexadecimal digits; None accepts any.
        exist_ok: overwrite an existing model.
        encoding: of text files; None is UTF-8.
    """

    card: Path | None
    half: bool
    sha256: str | None
    exist_ok: bool
    encoding: str | None


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


class EvaluateOptions(DataOptions, total=False):
    """The options of ``yolo eval`` that decide what is measured.

    Attributes:
        detections: another program's boxes in place of a model's: COCO results .json, or a folder of
            YOLO .txt.
        names: that program's class names, or a file with one on each line; else the data's.
        iou: IoU threshold of a match.
        protocol: the rules of matching and averaging.
        tide: who keeps an object once a wrong box on it is fixed.
        target_precision: name the threshold of each class that reaches this.
        baseline: compare with an earlier run: its folder or run.json.
        cross_check: evaluate with pycocotools, too.
        sigmas: of key points, one for all or one for each; else the model's.
        journal: a file that keeps detections as they are made.
        resume: continue with the detections that the journal has.
    """

    detections: Path
    names: Path | Sequence[str]
    iou: float
    protocol: Literal["coco", "voc07", "voc10"]
    tide: TideRule
    target_precision: float
    baseline: Path
    cross_check: bool
    sigmas: Sequence[float]
    journal: Path
    resume: bool


class CalibrateOptions(DataOptions, total=False):
    """The options of ``yolo calibrate``.

    Attributes:
        test: the split to measure on; else the other half of ``split``.
        seed: random seed of the halves.
        out: the copy's name or path; else that of the model and ``-calibrated``, in ``weights``.
        exist_ok: overwrite a model of that name.
    """

    test: str
    seed: int
    out: Path
    exist_ok: bool


class LintOptions(TypedDict, total=False):
    """The options of ``yolo lint``.

    Attributes:
        imgsz: the network's size in pixels, at which a box can be too small.
        allow_unlabelled: whether an image without a label file is not a fault; for a path only.
        fix: write a fixed copy into this new folder; ``report.fixed`` says what was done.
        apply: corrections, saved by the page of suspects, to apply to the copy.
        encoding: of text files; None is UTF-8.
    """

    imgsz: int
    allow_unlabelled: bool
    fix: Path | None
    apply: Path | None
    encoding: str | None


class CompareOptions(TypedDict, total=False):
    """The options of ``yolo compare``.

    Attributes:
        split: only this part; else ``val``, or all of an unsplit data set.
        limit: maximum number of images, evenly spaced.
        time_limit: seconds after which a detector begins no further image.
        tile: as in `DetectOptions`.
        tile_overlap: as in `DetectOptions`.
        started: called with each entry before it is measured.
        finished: called with the figures of each.
    """

    split: str | None
    limit: int | None
    time_limit: float
    tile: int | TileSize | None
    tile_overlap: float
    started: Callable[[Entry], object]
    finished: Callable[[ComparisonRow], object]


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
