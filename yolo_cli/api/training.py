"""A data set in, a trained model out: `train`."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from yolo_cli import training
from yolo_cli.api.options import Path, check_options, reads_text, squared
from yolo_cli.config import TRAINING_FOLDER, Precision, TileSize
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import path_of
from yolo_cli.hardware import Device
from yolo_cli.locks import sole_user
from yolo_cli.run_folders import open_run_folder
from yolo_cli.training import CallbackWatcher, Step, TrainJob, Watcher, new_job, read_job
from yolo_cli.training.preview import augmented_sheet
from yolo_cli.training.result import TrainResult

__all__ = ["TrainOptions", "preview_augmentation", "train"]


class TrainOptions(TypedDict, total=False):
    """The options of ``yolo train``; `TrainJob` and `TrainConfig` say what each is.

    Attributes:
        out: the run's folder; else a new ``runs/train``.
        exist_ok: write into a folder that holds files already.
        no_augment: do not augment images.
        mosaic: probability of joining four images.
        flip_vertical: probability of a vertical flip.
        encoding: of text files; None is UTF-8.
        unlabelled: folder of images without labels to learn from, too.
        teacher: the model that labels them; None is the run's own.
    """

    detector: str | None
    weights: str | None
    model: str | None
    backbone: str | None
    backbone_weights: str | None
    from_scratch: bool
    out: Path | None
    exist_ok: bool
    epochs: int | None
    max_minutes: float | None
    batch: int | None
    imgsz: int | tuple[int, int] | None
    learning_rate: float | None
    warmup: int
    weight_decay: float
    freeze: int
    sigmas: Sequence[float] | None
    label_smoothing: float
    interpolate: float | None
    close_mosaic: float
    ema: float
    patience: int
    seed: int
    workers: int | None
    precision: Precision
    device: Device
    tensorboard: bool
    no_augment: bool
    mosaic: float | None
    flip_vertical: float | None
    allow_unlabelled: bool
    use_val: bool
    tile: int | TileSize | None
    tile_overlap: float
    encoding: str | None
    unlabelled: Path | None
    teacher: Path | None


@reads_text
def train(
    data: str | os.PathLike[str] | None = None,
    *,
    progress: Callable[[Step], object] | Watcher | None = None,
    resume: str | os.PathLike[str] | None = None,
    **options: Unpack[TrainOptions],
) -> TrainResult:
    """Train a detector, and save it in a run's folder.

    Args:
        data: the data set's folder, data.yaml or COCO .json; it is never written to.
        progress: called with each `Step`, or a `Watcher`, which is also told of the plan and of each epoch.
        resume: the folder of an interrupted run, to continue it with its own data and options, on another
            ``device`` if one is given; ``data`` is where the same data is now, if it was moved.
        **options: see `TrainOptions`: ``out``, ``epochs``, ``max_minutes``, ``batch``, ``imgsz``, …

    Raises:
        UserError: if options do not fit each other, or the data cannot be used.
        KeyboardInterrupt: when interrupted, or when ``progress`` raises it; its argument is the run's folder,
            in which whole epochs are saved: ``train(resume=folder)`` goes on to the same result.
    """
    given: dict[str, Any] = {**options}
    check_options(given, TrainOptions)
    if resume is not None:
        job = _job_to_resume(path_of(resume, "resume"), data, given)
    else:
        out, exist_ok = given.pop("out", None), given.pop("exist_ok", False)
        job = _new_job(data, given)
        job = replace(job, out=open_run_folder(TRAINING_FOLDER, out and os.fspath(out), exist_ok))
    watcher = CallbackWatcher(progress) if callable(progress) else progress
    try:
        with sole_user(job.out):
            return training.train(job, watcher, resume=resume is not None)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(job.out) from None


@reads_text
def preview_augmentation(
    data: str | os.PathLike[str] | None,
    *,
    say: Callable[[str], object] | None = None,
    **options: Unpack[TrainOptions],
) -> NDArray[np.uint8]:
    """Augmented images as `train` would see them with these options: uint8, (height, width, 3), RGB.

    ``say`` is called with one line about each kind of thing that training would leave out or repair.
    """
    check_options(options, TrainOptions)
    job = _new_job(data, {name: value for name, value in options.items() if name not in ("out", "exist_ok")})
    return augmented_sheet(job, say or (lambda _: None))


def _new_job(data: str | os.PathLike[str] | None, given: dict[str, Any]) -> TrainJob:
    """The job that the options describe, without a folder."""
    if data is None:
        raise UsageError("--data PATH names the images to learn from; --resume DIR continues a run")
    options = {**squared(given), "detector": given.get("detector") or "yolo"}
    return new_job(data=str(path_of(data, "data")), out=pathlib.Path(), **options)


def check_resume_options(given: Iterable[str]) -> None:
    """UsageError for the name of an option that a run to continue has already."""
    other = next((name for name in given if name not in ("data", "detector", "device")), None)
    if other:
        option = "--" + other.replace("_", "-")
        raise UsageError(f"--resume continues with the options of its run; leave {option} out")


def _job_to_resume(
    folder: pathlib.Path, data: str | os.PathLike[str] | None, given: dict[str, Any]
) -> TrainJob:
    """The job of a run's folder, on its device unless another is given; UsageError for other options."""
    check_resume_options(given)
    job = read_job(folder)
    if given.get("detector") not in (None, job.detector):
        raise UsageError(
            f"--detector {given['detector']}: the run in {folder} trains {job.detector}; leave the option out"
        )
    job = replace(job, data=os.fspath(data or job.data))
    if not os.path.lexists(job.data):
        raise DataError(
            f"{job.data}: the data of {folder} is not there; if it was moved, name it with --data"
        )
    device = given.get("device", "auto")
    return job if device == "auto" else replace(job, config=replace(job.config, device=device))
