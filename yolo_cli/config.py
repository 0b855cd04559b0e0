"""Options of detection, augmentation and training, with their defaults."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Literal, get_args

from yolo_cli.errors import UsageError, check_choice
from yolo_cli.hardware import Device, check_device
from yolo_cli.tiles import OVERLAP

__all__ = [
    "DEFAULT_ANCHORS",
    "DEFAULT_MODEL",
    "EVALUATION_CONF",
    "TRAINING_FOLDER",
    "AugmentConfig",
    "DetectConfig",
    "Precision",
    "Resize",
    "ServeConfig",
    "SuppressionKind",
    "TileSize",
    "TrackConfig",
    "TrainConfig",
    "bundled",
    "check_number",
]

Resize = Literal["letterbox", "stretch"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
SuppressionKind = Literal["iou", "greedynms", "diounms", "soft"]
TileSize = Literal["auto"] | tuple[int, int]

DEFAULT_MODEL = "yolov4-tiny-coco"
DEFAULT_ANCHORS = "yolov4-tiny"
TRAINING_FOLDER = "runs/train"

_WHOLE = ("epochs", "batch", "warmup", "freeze", "patience", "seed", "workers")  # of TrainConfig
_NOT_NUMBERS = ("imgsz", "precision", "device", "tile", "sigmas")

EVALUATION_CONF = 0.001
"""Confidence threshold of evaluations: lower detections are many, and change no figure."""


@dataclass(frozen=True, slots=True)
class DetectConfig:
    """Options of detection.

    Attributes:
        conf: confidence threshold; (box, class) pairs above it are kept.
        nms_iou: IoU threshold for NMS.
        max_det: maximum detections per image; the most confident are kept.
        classes: only these class ids; None keeps all.
        agnostic: suppress across classes.
        multi_label: a box is kept for every class above the threshold, not only for its best one.
        suppression: the kind of NMS; None follows the model.
        resize: how an image gets the network's size; None follows the model.
        imgsz: height and width of the network's input in pixels; None follows the model.
        tile: height and width in pixels of overlapping tiles to detect on; "auto" is the network's input, and
            None detects on the whole image only.
        tile_overlap: fraction of a tile's side that neighbours share at least.

    Raises:
        UsageError: if a value is outside its range.
    """

    conf: float = 0.25
    nms_iou: float = 0.45
    max_det: int = 300
    classes: tuple[int, ...] | None = None
    agnostic: bool = False
    multi_label: bool = True
    suppression: SuppressionKind | None = None
    resize: Resize | None = None
    imgsz: tuple[int, int] | None = None
    tile: TileSize | None = None
    tile_overlap: float = OVERLAP

    def __post_init__(self) -> None:
        check_number("--conf", self.conf, 0, 1)
        check_number("--nms-iou", self.nms_iou, 0, 1)
        check_number("--max-det", self.max_det, 1, 1e9, Integral)
        if self.suppression is not None:
            check_choice("suppression", self.suppression, get_args(SuppressionKind))
        if self.resize is not None:
            check_choice("resize", self.resize, get_args(Resize))
        check_number("--tile-overlap", self.tile_overlap, 0, 0.9)
        if self.tile is None and self.tile_overlap != OVERLAP:
            raise UsageError("--tile-overlap: there are no tiles without --tile")
        if self.imgsz is not None:
            _check_size(self.imgsz)
        if self.tile not in (None, "auto"):
            _check_size(self.tile, "--tile", 1e6)


@dataclass(frozen=True, slots=True)
class TrackConfig:
    """Options of tracking.

    Attributes:
        conf: confidence from which a detection is matched first; one a quarter of the way to 1 above it
            starts a track.
        low_conf: confidence from which a detection continues one; at most ``conf``.
        min_hits: frames in which an object is seen before it gets an id.
        lost: frames in a row without a detection after which an object still keeps its id.

    Raises:
        UsageError: if a value is outside its range.
    """

    conf: float = 0.25
    low_conf: float = 0.1
    min_hits: int = 2
    lost: int = 30

    def __post_init__(self) -> None:
        check_number("--conf", self.conf, 0, 1)
        check_number("--low-conf", self.low_conf, 0, self.conf)
        check_number("--min-hits", self.min_hits, 1, 1e9, Integral)
        check_number("--lost", self.lost, 0, 1e9, Integral)


TRAINABLE = ("yolo", "localisation", "conv-sliding-window", "rcnn", "fast-rcnn", "faster-rcnn")
"""The detectors that can be trained."""


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Options of data augmentation. The defaults suit a few hundred images.

    Probabilities are drawn for each training image, strengths for each image in it.

    Attributes:
        flip: probability of mirroring left and right.
        flip_vertical: probability of mirroring top and bottom, for images without a natural orientation.
        scale: the size changes by a factor between 1 / (1 + scale) and 1 + scale.
        aspect: width over height changes by a factor between 1 / (1 + aspect) and 1 + aspect.
        shift: how far an image is moved within the free space: 0 keeps it centred, 0.5 allows any position.
        hue: maximum hue shift, as a fraction of the colour circle.
        saturation: maximum relative change of saturation.
        brightness: maximum relative change of brightness.
        contrast: maximum relative change of contrast.
        mosaic: probability of joining four images.
        mixup: probability of blending another image over it; it rarely helps small networks.
        cutout: probability of hiding up to three rectangles.
        cutout_side: the longest side of such a rectangle, as a fraction of the network's input.
        min_visible: an object stays in the ground truth if at least this fraction of its box is visible.

    Raises:
        UsageError: if a value is outside its range.
    """

    flip: float = 0.5
    flip_vertical: float = 0.0
    scale: float = 0.4
    aspect: float = 0.15
    shift: float = 0.5
    hue: float = 0.015
    saturation: float = 0.5
    brightness: float = 0.25
    contrast: float = 0.2
    mosaic: float = 0.5
    mixup: float = 0.0
    cutout: float = 0.2
    cutout_side: float = 0.25
    min_visible: float = 0.25

    def __post_init__(self) -> None:
        limits = {"scale": 4.0, "aspect": 4.0, "shift": 0.5, "hue": 0.5}
        for field in fields(self):
            value, most = getattr(self, field.name), limits.get(field.name, 1.0)
            if not 0 <= value <= most:
                raise UsageError(f"augmentation {field.name} is {value}, but must be between 0 and {most:g}")

    @classmethod
    def off(cls) -> AugmentConfig:
        """No augmentation: every probability and strength is 0."""
        kept = ("cutout_side", "min_visible")  # have no effect of their own
        return cls(**{field.name: 0.0 for field in fields(cls) if field.name not in kept})


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Options of training. The defaults suit fine-tuning on a few hundred images.

    Attributes:
        epochs: passes over the training images; None chooses by the number of images.
        batch: batch size; None chooses by the number of images and memory.
        imgsz: height and width of the network's input in pixels; None follows the model.
        learning_rate: peak learning rate, after warm-up and before cosine decay; None chooses by how well the
            model finds these objects already.
        final_rate: final learning rate as a fraction of the peak.
        warmup: warm-up steps, in which the learning rate rises from 0.
        weight_decay: weight decay (kernels only), decoupled from the gradient (Loshchilov and Hutter, 2019).
        clip_norm: global gradient norm to clip at.
        ema: window of the exponential moving average of the weights as a fraction of all steps; 0 is none.
        freeze: epochs in which only new layers are trained.
        sigmas: of key points, one for all or one for each; None keeps COCO's for people and 0.05 for others.
        label_smoothing: distance of class targets from 0 and 1.
        close_mosaic: fraction of the run, at its end, without mosaic and mixup.
        interpolate: fraction of the starting weights in the result (WiSE-FT); None tries some on the
            validation images where the model knew some of the classes.
        patience: epochs without improvement before early stopping; 0 never stops early.
        max_minutes: time budget in minutes; the schedule is scaled to fit.
        seed: random seed.
        workers: threads or processes that prepare images; None chooses by device and cores.
        precision: what the network computes in; weights are float32 always. "auto": bfloat16 where the
            processor has it, float16 on a GPU, else float32.
        device: where it computes: "cpu", "gpu", or one GPU such as "gpu:1". "auto": on all GPUs that the
            backend sees, else on the processor.
        tile, tile_overlap: the tiles that images are evaluated on, as in `DetectConfig`. Training images are
            not cut; ``yolo convert --tile`` does that.

    Raises:
        UsageError: if a value is outside its range.
    """

    epochs: int | None = None
    batch: int | None = None
    imgsz: tuple[int, int] | None = None
    learning_rate: float | None = None
    final_rate: float = 0.02
    warmup: int = 60
    weight_decay: float = 0.02
    clip_norm: float = 10.0
    ema: float = 0.1
    freeze: int = 0
    sigmas: tuple[float, ...] | None = None
    label_smoothing: float = 0.02
    close_mosaic: float = 0.15
    interpolate: float | None = None
    patience: int = 0
    max_minutes: float | None = None
    seed: int = 0
    workers: int | None = None
    precision: Precision = "auto"
    device: Device = "auto"
    tile: TileSize | None = None
    tile_overlap: float = OVERLAP

    def __post_init__(self) -> None:
        check_device(self.device)
        DetectConfig(tile=self.tile, tile_overlap=self.tile_overlap)  # checks them
        lowest = {"epochs": 1, "batch": 1, "workers": 1, "max_minutes": 0.01, "clip_norm": 1e-6}
        most = {"final_rate": 1, "ema": 1, "label_smoothing": 0.5, "learning_rate": 1}
        most |= {"close_mosaic": 1, "interpolate": 1}
        for field in fields(self):
            value, low, high = getattr(self, field.name), lowest.get(field.name, 0), most.get(field.name, 1e9)
            if value is not None and field.name not in _NOT_NUMBERS:
                kind = Integral if field.name in _WHOLE else Real
                check_number("--" + field.name.replace("_", "-"), value, low, high, kind)
        for sigma in self.sigmas or ():
            check_number("--sigmas", sigma, 1e-6, 1e3)
        if self.imgsz is not None:
            _check_size(self.imgsz)


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """Options of the HTTP server: its address, and what bounds its memory and the time of a request.

    Attributes:
        host: address to listen on.
        port: 0 takes any that is free.
        token: what clients must send; None lets everybody on this machine in, and nobody else.
        batch: maximum number of images, of any requests, that go through the network together.
        max_delay: maximum milliseconds that an image waits for others to join its batch.
        queue: maximum number of requests that are read or wait for the network; more are refused.
        max_size: maximum size of a request in MB (10^6 bytes).
        max_megapixels: maximum size of an image in millions of pixels.
        max_images: maximum number of images of a request.
        timeout: seconds in which a request must have arrived.

    Raises:
        UsageError: if a value is outside its range, or the host is not this machine and there is no token.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    token: str | None = None
    batch: int = 4
    max_delay: float = 5.0
    queue: int = 32
    max_size: float = 16.0
    max_megapixels: float = 50.0
    max_images: int = 32
    timeout: float = 30.0

    def __post_init__(self) -> None:
        limits: dict[str, tuple[float, float]] = {
            "port": (0, 65535),
            "batch": (1, 1024),
            "max_delay": (0, 60_000),
            "queue": (1, 100_000),
            "max_size": (0.001, 1000),
            "max_megapixels": (0.01, 178),
            "max_images": (1, 100_000),
            "timeout": (0.01, 3600),
        }
        for name, (low, high) in limits.items():
            kind = Integral if name in ("port", "batch", "queue", "max_images") else Real
            check_number(f"--{name.replace('_', '-')}", getattr(self, name), low, high, kind)
        if self.token is not None and not re.fullmatch(r"[!-~]{8,}", self.token):
            raise UsageError("--token must be 8 or more visible ASCII characters without spaces")
        if self.token is None and not self.is_local:
            raise UsageError(
                f"--host {self.host}: others could use this server; set a token in YOLO_CLI_TOKEN"
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        from ipaddress import ip_address

        with suppress(ValueError):
            return ip_address(self.host).is_loopback
        return self.host == "localhost"


def check_number(option: str, value: object, low: float, high: float, kind: type = Real) -> None:
    """Raise UsageError unless ``value`` is a number of ``kind`` between ``low`` and ``high``."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UsageError(f"{option} is {value!r}, but must be a {'whole ' if kind is Integral else ''}number")
    if not low <= value <= high:  # type: ignore[operator]
        end = f"between {low:.10g} and {high:.10g}" if high < 1e9 else f"at least {low:.10g}"
        raise UsageError(f"{option} is {value}, but must be {end}")


def _check_size(size: object, option: str = "--imgsz", most: float = 4096) -> None:
    """Raise UsageError unless ``size`` is a height and a width, each at least 32 pixels."""
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise UsageError(f"{option} is {size!r}, but must be a side, or height and width, in pixels")
    for side in size:
        check_number(option, side, 32, most, Integral)


def bundled(kind: Literal["weights", "anchors", "examples", "docs/schemas"]) -> Path:
    """The folder of a kind of bundled files, such as "weights".

    It is inside the package in an installed wheel, and at the top level of the project in a checkout.
    """
    package = Path(__file__).resolve().parent
    inside = package / "bundled" / kind
    return inside if inside.is_dir() else package.parent / kind
