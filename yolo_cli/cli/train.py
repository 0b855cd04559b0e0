"""`yolo train`: a data set in, a trained model out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from yolo_cli.cli.group import INTERRUPTED, YoloCommand
from yolo_cli.cli.options import config_option, encoding_option, image_size, talk_options
from yolo_cli.cli.progress import echo_model, say
from yolo_cli.cli.train_regions import DETECTORS, detector_of_run, train_region_detector
from yolo_cli.config import TrainConfig
from yolo_cli.errors import UsageError

if TYPE_CHECKING:
    from yolo_cli.config import AugmentConfig
    from yolo_cli.training import TrainJob
    from yolo_cli.training.results import Outcome

__all__ = ["train"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_RUN_FOLDER = "runs/train"
_DEFAULTS = TrainConfig()
_USUAL_INPUT = ((416, 416), 32)  # height and width, and stride, of most networks that training starts from

# The sign \b keeps click from filling a paragraph.
_HELP = """Train a detector on your own images.

\b
yolo train --data dir                      fine-tune the bundled model; the result lies in runs/train
yolo train --data dir --max-minutes 30     as good as it gets in half an hour
yolo train --data dir --model net.cfg      any Darknet network, from scratch
yolo train --resume runs/train             go on where a run was cut off

A data set is a folder or a file in YOLO, COCO or Pascal VOC form, as for `yolo lint`. Without images to
validate on, a fifth is held out. It is never written to.

Exit codes: 0 done, 2 wrong usage, 3 the data cannot be used, 130 interrupted: what is done is kept.
"""


def _option(name: str, help_: str, **more: Any) -> Callable[[Decorated], Decorated]:
    """An option of `TrainConfig`, with its default."""
    field = name.lstrip("-").replace("-", "_")
    return click.option(name, default=getattr(_DEFAULTS, field), help=help_, **more)


@click.command("train", cls=YoloCommand, help=_HELP)
@click.option("--data", metavar="PATH", help="The data set's folder, data.yaml or COCO .json.")
@click.option(
    "--detector",
    type=click.Choice(DETECTORS),
    default="yolo",
    show_default=True,
    help="Which kind; the others show how detection came about.",
)
@click.option("--weights", metavar="NAME", help="Model to start from.  [default: yolov4-tiny-coco]")
@click.option("--model", metavar="CFG", help="A Darknet cfg, trained from scratch.")
@click.option("--backbone", metavar="NAME", help="An image classifier that gets YOLO heads.")
@click.option(
    "--backbone-weights", metavar="FILE", help="Its trained values: a file, or imagenet to download."
)
@click.option("--from-scratch", is_flag=True, help="Forget what the model knows, keep its structure.")
@click.option("--out", metavar="DIR", help=f"The run's folder.  [default: a new {_RUN_FOLDER}]")
@click.option("--exist-ok", is_flag=True, help="Write into a folder that is there already.")
@click.option("--resume", metavar="DIR", help="Go on with the run in this folder; no other option counts.")
@_option("--epochs", "How often each image is seen.  [default: by the number of images]", type=int)
@_option("--max-minutes", "Be done by then; the schedule adapts.", type=float, metavar="MINUTES")
@_option("--batch", "Images a step.  [default: by their number and memory]", type=int)
@click.option(
    "--imgsz",
    metavar="PIXELS",
    callback=image_size,
    help="Network input, as 416 or HEIGHTxWIDTH.  [default: by images and objects]",
)
@_option("--learning-rate", "The highest.  [default: by what the model knows already]", type=float)
@_option("--warmup", "Steps in which the learning rate rises.", type=int, show_default=True)
@_option("--weight-decay", "Of kernels.", type=float, show_default=True)
@_option("--freeze", "Epochs in which only what is new learns.", type=int, show_default=True)
@_option("--label-smoothing", "How far class targets lie from 0 and 1.", type=float, show_default=True)
@_option(
    "--start-share",
    "Share of the starting weights in the result.  [default: tried on val, where it knew some classes]",
    type=float,
)
@_option("--ema", "Share of the run that averaged weights look back on.", type=float, show_default=True)
@_option(
    "--patience", "Stop after so many epochs without a better figure; 0: never.", type=int, show_default=True
)
@_option("--seed", "Of everything random.", type=int, show_default=True)
@_option("--workers", "Threads that prepare images.", type=int, show_default=True)
@_option(
    "--precision", "What the network computes in.", show_default=True,
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
)  # fmt: skip
@_option("--device", "Where it computes.", type=click.Choice(["auto", "cpu", "gpu"]), show_default=True)
@click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard, too.")
@click.option(
    "--preview", metavar="FILE", help="Only draw a sheet of augmented images with their boxes, and end."
)
@click.option("--no-augment", is_flag=True, help="Show images as they are.")
@click.option("--mosaic", type=float, help="Probability of joining four images.")
@click.option("--flip-vertical", type=float, help="Probability of mirroring top and bottom.")
@click.option("--allow-unlabelled", is_flag=True, help="An image without a label file shows nothing to find.")
@click.option(
    "--use-val", is_flag=True, help="Learn from the val images, too; judge once, at the end, on test."
)
@encoding_option
@config_option
@talk_options
def train(resume: str | None, preview: str | None, quiet: bool, verbose: bool, **given: Any) -> int:
    """Build the job, run it, and say where the result lies."""
    del verbose  # the group looks at it
    if given["device"] == "cpu":
        _hide_gpus()
    detector = given.pop("detector")
    if resume:
        detector = detector_of_run(resume, detector)
    if detector != "yolo":
        return train_region_detector(detector, given, quiet, resume)
    if preview:
        return _preview(preview, given)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    job = _resumed(resume, given["data"]) if resume else _new_job(**given)
    from yolo_cli.cli.train_view import choose_watcher
    from yolo_cli.model.quiet import quiet as silenced

    with silenced():
        from yolo_cli.training.run import train as run
    try:
        with choose_watcher(quiet) as watcher:
            outcome = run(job, watcher, resume=resume is not None)
    except KeyboardInterrupt:
        say(f"interrupted; whole epochs are kept. Go on with: yolo train --resume {job.out}")
        return INTERRUPTED
    page = _write_page(job, outcome)
    echo_model(outcome.keras, outcome.onnx, page)
    if not quiet:
        report = outcome.report
        say(f"mAP50 {report.map50 or 0:.3f}, mAP50-95 {report.map50_95 or 0:.3f} on {report.images} images")
    return 0


def _hide_gpus() -> None:
    """Let no backend see a GPU. It must happen before one is imported: afterwards they hold on to it."""
    os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "KERAS_TORCH_DEVICE": "cpu"}


def _write_page(job: TrainJob, outcome: Outcome) -> Path:
    """The page about the best model, with the curves of the training."""
    from yolo_cli.report import About, analyse, read_training_curves, write_report

    page = job.out / "report.html"
    judged = "test" if job.use_val else "validation"
    about = About(str(outcome.onnx or outcome.keras), f"{job.data}, {judged} images")
    analysis = analyse(outcome.gathered, conditions=outcome.validator.conditions)
    curves = read_training_curves(job.out / "results.csv")
    write_report(page, analysis, about, outcome.validator.read, training_curves=curves)
    return page


def _resumed(folder: str, data: str | None) -> TrainJob:
    """The job of a run's folder."""
    from yolo_cli.training import read_job

    if data is not None:
        raise UsageError("--resume goes on with the options of its run; leave --data out")
    return read_job(Path(folder))


def _new_job(**given: Any) -> TrainJob:
    """The job that the options describe, with a folder of its own.

    Raises:
        UsageError: if options contradict each other.
    """
    from yolo_cli.cli.runs import open_run_folder
    from yolo_cli.datasets import read_dataset
    from yolo_cli.training.job import DEFAULT_WEIGHTS, TrainJob

    _check(given)
    augment = _augment(given)
    config = TrainConfig(**{f.name: given[f.name] for f in fields(TrainConfig) if f.name in given})
    if not Path(given["data"]).exists():
        read_dataset(given["data"])  # says what is wrong, seconds before a framework is imported
    return TrainJob(
        data=given["data"],
        weights=given["weights"] or DEFAULT_WEIGHTS,
        cfg=given["model"],
        backbone=given["backbone"],
        backbone_weights=given["backbone_weights"],
        from_scratch=given["from_scratch"],
        allow_unlabelled=given["allow_unlabelled"],
        use_val=given["use_val"],
        tensorboard=given["tensorboard"],
        config=config,
        augment=augment,
        out=open_run_folder(_RUN_FOLDER, given["out"], given["exist_ok"]),
    )


def _check(given: dict[str, Any]) -> None:
    """Raise UsageError if options contradict each other."""
    if given["data"] is None:
        raise UsageError("--data PATH names the images to learn from; --resume DIR goes on with a run")
    starts = [f"--{name}" for name in ("weights", "model", "backbone") if given[name]]
    if len(starts) > 1:
        raise UsageError(f"{' and '.join(starts)}: training starts from one of them; leave the other out")
    if given["use_val"] and given["patience"]:
        raise UsageError(
            "--use-val judges only at the end, so --patience has nothing to go by; leave one out"
        )
    if given["backbone_weights"] and not given["backbone"]:
        raise UsageError("--backbone-weights goes with --backbone NAME")


def _augment(given: dict[str, Any]) -> AugmentConfig:
    """How images are changed."""
    from yolo_cli.config import AugmentConfig

    named = {name: given[name] for name in ("mosaic", "flip_vertical") if given[name] is not None}
    none = [field.name for field in fields(AugmentConfig) if field.name not in ("cutout_side", "min_visible")]
    return AugmentConfig(**(dict.fromkeys(none, 0.0) if given["no_augment"] else {}) | named)


def _preview(file: str, given: dict[str, Any]) -> int:
    """Draw what training would see."""
    import numpy as np

    from yolo_cli.augment import preview
    from yolo_cli.datasets import hold_out, open_dataset
    from yolo_cli.images import write_image
    from yolo_cli.training.sizing import choose_size

    _check(given)
    data = open_dataset(given["data"], allow_unlabelled=given["allow_unlabelled"])
    learn = hold_out(data, seed=given["seed"]).in_split("train")
    rng = np.random.default_rng(given["seed"])
    chosen = [learn.samples[i] for i in rng.permutation(len(learn))[:32]]
    images = [(sample.read().rgb, sample.ground_truth) for sample in chosen]
    size = given["imgsz"] or choose_size(learn, *_USUAL_INPUT)
    write_image(Path(file), preview(images, rng, _augment(given), size))
    click.echo(file)
    return 0
