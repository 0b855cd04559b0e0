"""Options that mean the same in every command, and the file that can hold them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from yolo_cli.config import DEFAULT_MODEL, EVALUATION_CONF, DetectConfig, Device, Resize, SuppressionKind
from yolo_cli.errors import UsageError
from yolo_cli.text import did_you_mean, read_yaml, text_encoding

if TYPE_CHECKING:
    from yolo_cli.detectors import Detector
    from yolo_cli.engines import EngineKind
    from yolo_cli.weights import ModelFiles

__all__ = [
    "DetectionOptions",
    "config_option",
    "data_options",
    "detection_options",
    "drawing_options",
    "evaluation_options",
    "explaining_options",
    "format_option",
    "image_size",
    "talk_options",
]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
_DEFAULTS = DetectConfig()


def image_size(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """``416`` for a square, or ``HEIGHTxWIDTH``; a number or a list of two in a config file."""
    if value is None:
        return None
    sides = re.fullmatch(r"\[?(\d{1,6})(?:(?:x|, ?)(\d{1,6}))?\]?", value)
    if sides is None:
        raise click.BadParameter(f"{value} is not a size; give 416, or height x width as 320x416", ctx, param)
    return int(sides[1]), int(sides[2] or sides[1])


def format_option(*kinds: str) -> Callable[[Decorated], Decorated]:
    """``--format``, as ``output_format``: one of ``kinds``, the first by default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(kinds),
        default=kinds[0],
        show_default=True,
        help="What is printed on stdout.",
    )


_BOXES = (
    click.option(
        "--conf",
        type=float,
        default=_DEFAULTS.conf,
        show_default=True,
        help="Confidence threshold.",
    ),
    click.option(
        "--nms-iou",
        type=float,
        default=_DEFAULTS.nms_iou,
        show_default=True,
        help="IoU threshold for NMS.",
    ),
    click.option(
        "--max-det",
        type=int,
        default=_DEFAULTS.max_det,
        show_default=True,
        help="Maximum detections per image.",
    ),
    click.option("--classes", multiple=True, metavar="NAMES", help="Only these: names or ids, with commas."),
    click.option("--agnostic", is_flag=True, help="NMS among all classes at once."),
    click.option(
        "--suppression",
        type=click.Choice(["iou", "greedynms", "diounms", "soft"]),
        help="The kind of NMS.  [default: the model's]",
    ),
    click.option(
        "--resize",
        type=click.Choice(["letterbox", "stretch"]),
        help="How an image gets the network's size.  [default: the model's]",
    ),
)

_MODEL = (
    click.option(
        "--weights", metavar="NAME", help=f"Model name, file or run folder.  [default: {DEFAULT_MODEL}]"
    ),
    click.option(
        "--imgsz",
        metavar="PIXELS",
        callback=image_size,
        help="Network input, as 416 or HEIGHTxWIDTH.  [default: the model's]",
    ),
)

_RUN = (
    click.option("--device", type=click.Choice(["auto", "cpu", "gpu"]), default="auto", show_default=True),
    click.option(
        "--engine",
        type=click.Choice(["auto", "onnx", "keras"]),
        default="auto",
        show_default=True,
        help="What runs the network.",
    ),
    click.option(
        "--batch",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Batch size.",
    ),
)

_DRAWING = (
    click.option("--line-width", type=int, metavar="PIXELS", help="Line width.  [default: by image size]"),
    click.option("--no-labels", is_flag=True, help="Draw boxes without labels."),
    click.option("--no-confidence", is_flag=True, help="Draw labels without confidences."),
)


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """Which model, which of its boxes are kept, and how it runs: each option under its own name."""

    weights: str | None
    imgsz: tuple[int, int] | None
    conf: float | None
    nms_iou: float
    max_det: int
    classes: tuple[str, ...]
    agnostic: bool
    suppression: SuppressionKind | None
    resize: Resize | None
    device: Device
    engine: EngineKind
    batch: int

    @property
    def config(self) -> DetectConfig:
        """The detector's options, without the classes: their names are the model's, or the data's."""
        return DetectConfig(
            conf=EVALUATION_CONF if self.conf is None else self.conf,
            nms_iou=self.nms_iou,
            max_det=self.max_det,
            agnostic=self.agnostic,
            suppression=self.suppression,
            resize=self.resize,
            imgsz=self.imgsz,
        )

    def find(self) -> ModelFiles:
        """The files of the model.

        Raises:
            UserError: if there is no such model.
        """
        from yolo_cli.weights import find_model

        return find_model(self.weights or DEFAULT_MODEL)

    def load(self, files: ModelFiles | None = None) -> Detector:
        """The detector, from files that were found already or by its name.

        Raises:
            UserError: if there is no such model, or it cannot run so.
        """
        from yolo_cli.detectors import load_detector

        named: dict[str, Any] = {"weights": files or self.weights} if files or self.weights else {}
        return load_detector(**named, engine=self.engine, device=self.device, config=self.config)


def _collected(command: Callable[..., Any], *options: Callable[[Any], Any]) -> Any:
    """Add options to a command that takes their values as one argument, ``detection``."""

    @wraps(command)
    def with_options(**given: Any) -> Any:
        values = {field.name: given.pop(field.name) for field in fields(DetectionOptions)}
        return command(detection=DetectionOptions(**values), **given)

    return _all(with_options, *options)


def detection_options(command: Callable[..., Any]) -> Any:
    """Which model, which of its boxes are kept, and how it runs; as ``detection``, a `DetectionOptions`."""
    return _collected(command, *_MODEL, *_BOXES, *_RUN)


def drawing_options(command: Decorated) -> Decorated:
    """How boxes are drawn."""
    return _all(command, *_DRAWING)


def explaining_options(command: Decorated) -> Decorated:
    """As for detection, but one image, and no choice among its boxes."""
    return _all(command, *_MODEL, *_BOXES[:2], _BOXES[5], *_RUN[:2])


def evaluation_options(command: Callable[..., Any]) -> Any:
    """As for detection, but with the low confidence floor that an evaluation needs."""
    conf = click.option(
        "--conf",
        type=float,
        help=f"Confidence threshold.  [default: {EVALUATION_CONF:g}]",
    )
    return _collected(command, *_MODEL, conf, *_BOXES[1:], *_RUN)


def data_options(command: Decorated) -> Decorated:
    """Which images."""
    return _all(
        command,
        click.option(
            "--data", required=True, metavar="PATH", help="The data set's folder, data.yaml or COCO .json."
        ),
        click.option(
            "--split", metavar="NAME", help="Only this part.  [default: val, or all of an unsplit data set]"
        ),
        click.option(
            "--map",
            "renamed",
            multiple=True,
            metavar="OLD=NEW",
            help="The model's class OLD is the data's class NEW.",
        ),
    )


def talk_options(command: Decorated) -> Decorated:
    """How much is said on stderr."""
    return _all(
        command,
        click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but faults."),
        click.option("-v", "--verbose", is_flag=True, help="Say more, and show tracebacks."),
    )


def config_option(command: Decorated) -> Decorated:
    """``--config FILE``: options from a YAML file; those on the command line go before."""
    return click.option(
        "--config",
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_read_config,
        help="A YAML file with the same option names.",
    )(command)


def encoding_option(command: Decorated) -> Decorated:
    """``--encoding NAME``: in what list, label and YAML files are that are not in UTF-8."""
    return click.option(
        "--encoding",
        metavar="NAME",
        is_eager=True,
        expose_value=False,
        callback=lambda ctx, _, name: ctx.with_resource(text_encoding(name)),
        help="Encoding of text files, such as cp1252. Default: UTF-8.",
    )(command)


def _all(command: Decorated, *options: Callable[[Decorated], Decorated]) -> Decorated:
    """Apply decorators so that help shows them in the order given."""
    for option in reversed(options):
        command = option(command)
    return command


def _read_config(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    """Make the file's values the defaults of this run."""
    if path is None:
        return
    known = {
        name.lstrip("-"): (option, name in option.secondary_opts)
        for option in ctx.command.params
        if isinstance(option, click.Option) and option.name != "config"
        for name in option.opts + option.secondary_opts
    }
    defaults: dict[str, Any] = {}
    for key, value in read_yaml(Path(path)).items():
        name = str(key).replace("_", "-")
        if name not in known:
            hint = did_you_mean(name, known, f"see {ctx.command_path} --help")
            raise UsageError(f"{path}: '{key}' is not an option of {ctx.info_name}; {hint}")
        option, negated = known[name]
        several = option.multiple and not isinstance(value, list)
        defaults[str(option.name)] = [value] if several else not value if negated else value
    ctx.default_map = defaults
