"""`yolo train`: a data set in, a trained model out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from yolo_cli.cli.damaged import accept_damaged_option
from yolo_cli.cli.eval_inputs import sigmas_option
from yolo_cli.cli.group import INTERRUPTED, YoloCommand
from yolo_cli.cli.options import (
    allow_unlabelled_option,
    data_option,
    device_option,
    general_options,
    image_size,
    tile_options,
)
from yolo_cli.cli.output_options import out_options
from yolo_cli.cli.progress import echo_model
from yolo_cli.cli.terminal import echo, say
from yolo_cli.config import DEFAULT_MODEL, TRAINABLE, TRAINING_FOLDER, TrainConfig
from yolo_cli.errors import UsageError
from yolo_cli.hardware import use_only

__all__ = ["train"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_DEFAULTS = TrainConfig()

# The sign \b keeps click from filling a paragraph.
_HELP = """Train a detector on your own images.

\b
yolo train --data dir                     fine-tune the default model
yolo train --data dir --max-minutes 30    as well as half an hour allows
yolo train --data dir --model net.cfg     a Darknet network, from scratch
yolo train --resume runs/train            continue an interrupted run
yolo train --embedding --data people      a folder of photos for each identity

The data set is a folder or a file in YOLO, COCO or Pascal VOC format; it is never modified. Without a val
split, a fifth of the images is held out for validation.

Exit codes: 0 done, 2 wrong usage, 3 the data cannot be used, 130 interrupted: continue with --resume.
"""


def _option(name: str, help_: str, **more: Any) -> Callable[[Decorated], Decorated]:
    """An option of `TrainConfig`, with its default."""
    field = name.lstrip("-").replace("-", "_")
    default = getattr(_DEFAULTS, field)
    return click.option(name, default=default, show_default=default is not None, help=help_, **more)


@click.command("train", cls=YoloCommand, help=_HELP)
@data_option(required=False)
@click.option("--detector", type=click.Choice(TRAINABLE), help="Method to train.  [default: yolo]")
@click.option("--embedding", is_flag=True, help="Train an embedding for `yolo identify`.")
@click.option(
    "--embedding-loss", type=click.Choice(["triplet", "siamese"]), help="Its loss.  [default: triplet]"
)
@click.option("--quarter-turns", is_flag=True, help="Count quarter turns as other identities.")
@click.option("--weights", metavar="NAME", help=f"Model to fine-tune.  [default: {DEFAULT_MODEL}]")
@click.option("--model", metavar="CFG", help="Darknet .cfg file to train from scratch.")
@click.option("--backbone", metavar="NAME", help="Backbone network that gets YOLO heads.")
@click.option("--backbone-weights", metavar="FILE", help="Backbone weights: a file, or imagenet to download.")
@click.option("--from-scratch", is_flag=True, help="Start the same network from random weights.")
@out_options(TRAINING_FOLDER)
@click.option("--resume", metavar="DIR", help="Folder of an interrupted run to continue.")
@_option("--epochs", "Number of epochs.  [default: by number of images]", type=int, metavar="N")
@_option("--max-minutes", "Time budget; the schedule is scaled to fit.", type=float, metavar="MINUTES")
@_option("--batch", "Batch size in images.  [default: by data and memory]", type=int, metavar="N")
@click.option(
    "--imgsz",
    metavar="PIXELS",
    callback=image_size,
    help="Input size: 416 or HEIGHTxWIDTH.  [default: by the data]",
)
@_option("--learning-rate", "Peak learning rate.  [default: by starting weights]", type=float)
@_option("--warmup", "Number of warm-up steps.", type=int, metavar="N")
@_option("--weight-decay", "Weight decay (kernels only).", type=float)
@_option("--freeze", "Number of epochs that train only new layers.", type=int, metavar="N")
@_option("--label-smoothing", "Label smoothing of classes, 0 to 1.", type=float)
@sigmas_option
@_option("--interpolate", "Fraction of starting weights.  [default: best on val]", type=float)
@click.option("--start-share", type=float, hidden=True)
@_option("--close-mosaic", "Final fraction of the run without mosaic.", type=float)
@_option("--ema", "EMA window, as a fraction of the run.", type=float)
@_option("--patience", "Epochs without gain before stopping; 0: off.", type=int, metavar="N")
@_option("--seed", "Random seed.", type=int, metavar="N")
@_option("--workers", "Number of workers that prepare images.  [default: by device]", type=int, metavar="N")
@_option(
    "--precision", "Floating-point precision.", type=click.Choice(["auto", "float32", "bfloat16", "float16"])
)
@tile_options
@device_option
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard logs.")
@click.option("--preview", metavar="FILE", help="Draw augmented images into this file and exit.")
@click.option("--no-augment", is_flag=True, help="Train without augmentation.")
@click.option("--mosaic", type=float, help="Probability of mosaic (four images in one).  [default: 0.5]")
@click.option("--flip-vertical", type=float, help="Probability of a vertical flip.  [default: 0]")
@allow_unlabelled_option
@click.option("--unlabelled", metavar="FOLDER", help="Images without labels to learn from, too.")
@click.option("--teacher", metavar="MODEL", help="Model that labels them.  [default: the run's own]")
@click.option("--use-val", is_flag=True, help="Train on val, too; evaluate once, on test.")
@accept_damaged_option
@general_options
def train(resume: str | None, preview: str | None, quiet: bool, verbose: bool, **given: Any) -> int:
    """Build the job, run it, and print where the result is."""
    del verbose  # the group reads it
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from yolo_cli.api.training import train as run
    from yolo_cli.cli.train_view import choose_watcher

    old_name = given.pop("start_share")
    given["interpolate"] = old_name if given["interpolate"] is None else given["interpolate"]
    for_embedding = [name for name in ("embedding_loss", "quarter_turns") if given.pop(name)]
    if given.pop("embedding"):
        return _embedding(quiet)
    if for_embedding:
        raise UsageError(
            f"--{for_embedding[0].replace('_', '-')} belongs to --embedding; give both, or neither"
        )
    if preview:
        return _preview(preview, given)
    asked = _resumed(resume, given) if resume else given
    try:
        with choose_watcher(quiet) as watcher:
            result = run(resume=resume, progress=watcher, **asked)
    except KeyboardInterrupt as stop:
        return _interrupted(stop)
    echo_model(result.keras, result.onnx, *([result.page] if result.page else []))
    if not quiet:
        how = f"; evaluate it with: yolo eval --data … --weights {result.onnx or result.keras}"
        say(result.summary + ("" if result.report else how))
    return 0


def _interrupted(stop: KeyboardInterrupt, kind: str = "") -> int:
    """Say how to continue the run; raise if there was none yet."""
    if not stop.args:
        raise stop
    say(f"interrupted; what is done is kept. Continue with: yolo train {kind}--resume {stop.args[0]}")
    return INTERRUPTED


def _resumed(folder: str, given: dict[str, Any]) -> dict[str, Any]:
    """What may be given with ``--resume``; the run's own device is chosen before a framework is imported."""
    from yolo_cli.api.training import check_resume_options
    from yolo_cli.training import read_job

    typed = _typed(given)
    check_resume_options(typed)
    if given["device"] == "auto":
        use_only(read_job(Path(folder)).config.device)
    return {name: given[name] for name in ("data", "detector", "device")} | typed


def _typed(given: dict[str, Any]) -> dict[str, Any]:
    """The options that are not left at their default."""
    source = click.get_current_context().get_parameter_source
    return {name: value for name, value in given.items() if source(name) is not ParameterSource.DEFAULT}


def _embedding(quiet: bool) -> int:
    """Train an embedding, and print where it is."""
    from yolo_cli.api.embedding import train_embedding
    from yolo_cli.cli.train_view import choose_watcher

    given = _typed(click.get_current_context().params)
    asked = {name: value for name, value in given.items() if name not in ("embedding", "quiet", "verbose")}
    try:
        with choose_watcher(quiet) as watcher:
            result = train_embedding(asked.pop("data", None), progress=watcher, **asked)
    except KeyboardInterrupt as stop:
        return _interrupted(stop, "--embedding ")
    echo_model(result.keras, result.onnx)
    if not quiet:
        say(f"{result.summary}; use it with: yolo identify … --embedding {result.out}")
    return 0


def _preview(file: str, given: dict[str, Any]) -> int:
    """Draw what training would see."""
    from yolo_cli.api.training import preview_augmentation
    from yolo_cli.images import write_image

    write_image(Path(file), preview_augmentation(given.pop("data"), say=say, **given))
    echo(file)
    return 0
