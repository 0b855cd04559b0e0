"""Options that mean the same in every command, and the file that can hold them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar, cast

import click

from yolo_cli.cli.config_file import read_config
from yolo_cli.config import DEFAULT_MODEL, EVALUATION_CONF, DetectConfig, TileSize
from yolo_cli.hardware import Device, check_device, use_only
from yolo_cli.text import text_encoding

__all__ = [
    "all_options",
    "allow_unlabelled_option",
    "collected",
    "config_option",
    "data_option",
    "data_options",
    "detection_options",
    "device_option",
    "encoding_option",
    "evaluation_options",
    "explaining_options",
    "exporting_options",
    "format_option",
    "general_options",
    "image_size",
    "map_option",
    "model_options",
    "serving_options",
    "split_option",
    "talk_options",
    "tile_options",
]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
_DEFAULTS = DetectConfig()


def all_options(*options: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Several options as one decorator, in the order in which help shows them."""

    def decorated(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def collected(
    into: str, names: Collection[str], *options: Callable[[Any], Any]
) -> Callable[[Callable[..., Any]], Any]:
    """Options that a command takes as one dictionary: of those that are called ``names``, what is given.

    Args:
        into: the name of the dictionary.
        names: the names of its options, as Python has them.
        options: those, and others.
    """

    def decorated(command: Callable[..., Any]) -> Any:
        @wraps(command)
        def with_options(**given: Any) -> Any:
            values = {name: given.pop(name) for name in names if name in given}
            return command(**{into: {name: it for name, it in values.items() if _is_given(it)}}, **given)

        return all_options(*options)(with_options)

    return decorated


def _is_given(value: Any) -> bool:
    return value not in (None, ()) and value is not False


def image_size(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """``416`` for a square, or ``HEIGHTxWIDTH``; a number or a list of two in a config file."""
    if value is None:
        return None
    sides = re.fullmatch(r"\[?(\d{1,6})(?:(?:x|, ?)(\d{1,6}))?\]?", value)
    if sides is None:
        raise click.BadParameter(f"{value} is not a size; give 416, or height x width as 320x416", ctx, param)
    return int(sides[1]), int(sides[2] or sides[1])


def tile_size(ctx: click.Context, param: click.Parameter, value: str | None) -> TileSize | None:
    """``auto``, or a size as for `image_size`."""
    if value in (None, "auto"):
        return cast("TileSize | None", value)
    try:
        return image_size(ctx, param, value)
    except click.BadParameter as fault:
        text = f"{value} is not a size; give auto, 640, or height x width as 480x640"
        raise click.BadParameter(text, ctx, param) from fault


def format_option(*kinds: str) -> Callable[[Decorated], Decorated]:
    """``--format``, as ``output_format``: one of ``kinds``, the first by default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(kinds),
        default=kinds[0],
        show_default=True,
        help="Output format on stdout.",
    )


def _use_device(_ctx: click.Context, _param: click.Parameter, value: str) -> Device:
    """Check the device, and hide the others before a framework is imported."""
    use_only(check_device(value))
    return value


def device_option(command: Decorated) -> Decorated:
    """``--device``: auto, cpu, gpu, or one GPU by its number."""
    return click.option(
        "--device",
        metavar="DEVICE",
        default="auto",
        show_default=True,
        callback=_use_device,
        help="Device: auto, cpu, gpu, or one GPU: gpu:1.",
    )(command)


_BOXES = (
    click.option(
        "--conf", type=float, default=_DEFAULTS.conf, show_default=True, help="Confidence threshold, 0 to 1."
    ),
    click.option(
        "--nms-iou",
        type=float,
        default=_DEFAULTS.nms_iou,
        show_default=True,
        help="IoU threshold for NMS, 0 to 1.",
    ),
    click.option(
        "--max-det",
        type=int,
        metavar="N",
        default=_DEFAULTS.max_det,
        show_default=True,
        help="Maximum detections per image.",
    ),
    click.option(
        "--classes",
        multiple=True,
        metavar="NAMES",
        help="Classes to keep, as names or ids: cat,dog.  [default: all]",
    ),
    click.option("--agnostic", is_flag=True, help="Run NMS across all classes at once."),
    click.option(
        "--suppression",
        type=click.Choice(["iou", "greedynms", "diounms", "soft"]),
        help="Kind of NMS.  [default: the model's]",
    ),
    click.option(
        "--resize",
        type=click.Choice(["letterbox", "stretch"]),
        help="Way to fit images to the input.  [default: the model's]",
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
        help="Input size: 416 or HEIGHTxWIDTH.  [default: the model's]",
    ),
)

_TILES = (
    click.option(
        "--tile",
        metavar="SIZE",
        is_flag=False,
        flag_value="auto",
        callback=tile_size,
        help="Detect on overlapping tiles, too: auto or 640.",
    ),
    click.option(
        "--tile-overlap",
        type=float,
        default=_DEFAULTS.tile_overlap,
        show_default=True,
        help="Overlap of tiles, a fraction of their side.",
    ),
)

_RUN = (
    device_option,
    click.option(
        "--engine",
        type=click.Choice(["auto", "onnx", "openvino", "keras"]),
        default="auto",
        show_default=True,
        help="Runtime of the network.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["float32", "bfloat16"]),
        default="float32",
        show_default=True,
        help="Number format; bfloat16 needs OpenVINO.",
    ),
    click.option(
        "--batch",
        type=click.IntRange(min=1),
        metavar="N",
        default=1,
        show_default=True,
        help="Batch size in images.",
    ),
)

_DETECTION = (
    *("weights", "imgsz", "conf", "nms_iou", "max_det", "classes", "agnostic", "suppression", "resize"),
    *("tile", "tile_overlap", "device", "engine", "precision", "batch"),
)


def _detection(*options: Callable[[Any], Any]) -> Callable[[Callable[..., Any]], Any]:
    """Options of detection, and others; those of detection are given to the command as ``detection``."""
    return collected("detection", _DETECTION, *options)


model_options = all_options(*_MODEL)
"""Which model, and the size of its input."""

tile_options = all_options(*_TILES)
"""On which tiles, beside the whole image."""

detection_options = _detection(*_MODEL, *_BOXES, *_TILES, *_RUN)
"""Which model, which of its boxes are kept, and how it runs."""

explaining_options = _detection(*_MODEL, *_BOXES[:2], _BOXES[5], *_RUN[:2])
"""As for detection, without the options that choose among the boxes found."""

exporting_options = all_options(*_MODEL, *_BOXES[:3], _BOXES[6])
"""Which model, and its thresholds; each as its own argument."""

evaluation_options = _detection(
    *_MODEL,
    click.option("--conf", type=float, help=f"Confidence threshold, 0 to 1.  [default: {EVALUATION_CONF:g}]"),
    *_BOXES[1:],
    *_TILES,
    *_RUN,
)
"""As for detection, but with the low confidence floor that an evaluation needs."""


def serving_options(*server: Callable[[Any], Any]) -> Callable[[Callable[..., Any]], Any]:
    """Several models, how they run, and the options of the ``server``."""
    weights = click.option(
        "--weights",
        multiple=True,
        metavar="NAME",
        help=f"Models, one or more.  [default: {DEFAULT_MODEL}]",
    )
    return _detection(weights, _MODEL[1], *_BOXES, *_RUN[:-1], *server)


map_option = click.option(
    "--map",
    "renamed",
    multiple=True,
    metavar="OLD=NEW",
    help="Match the model's class OLD with the data's NEW.",
)


split_option = click.option(
    "--split", metavar="NAME", help="Split to use.  [default: val, or all if unsplit]"
)

allow_unlabelled_option = click.option(
    "--allow-unlabelled", is_flag=True, help="Treat images without a label file as empty."
)


def data_option(*, required: bool = True) -> Callable[[Decorated], Decorated]:
    """``--data``: a data set."""
    return click.option(
        "--data", required=required, metavar="PATH", help="Data set: folder, data.yaml or COCO .json."
    )


def data_options(*, required: bool = True) -> Callable[[Decorated], Decorated]:
    """Which images, and which class is which."""
    return all_options(data_option(required=required), split_option, map_option)


talk_options = all_options(
    click.option("-q", "--quiet", is_flag=True, help="Print only errors on stderr."),
    click.option("-v", "--verbose", is_flag=True, help="Print details and tracebacks on stderr."),
)
"""How much is said on stderr."""


def config_option(command: Decorated) -> Decorated:
    """``--config FILE``: options from a YAML file; those on the command line go before."""
    return click.option(
        "--config",
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=read_config,
        help="YAML file with values for these options.",
    )(command)


def encoding_option(command: Decorated) -> Decorated:
    """``--encoding NAME``: in what list, label and YAML files are that are not in UTF-8."""
    return click.option(
        "--encoding",
        metavar="NAME",
        is_eager=True,
        expose_value=False,
        callback=lambda ctx, _, name: ctx.with_resource(text_encoding(name)),
        help="Encoding of text files, such as cp1252.  [default: UTF-8]",
    )(command)


general_options = all_options(encoding_option, config_option, talk_options)
"""Those of every command that reads text files."""
