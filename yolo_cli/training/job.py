"""Training jobs, and their file ``args.yaml`` in the run's folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from yolo_cli.config import TRAINABLE, AugmentConfig, TrainConfig
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_write_text
from yolo_cli.text import read_yaml
from yolo_cli.version import __version__

__all__ = ["ARGS", "TrainJob", "new_job", "read_job", "remove_empty_run", "write_job"]

ARGS = "args.yaml"
"""The file of a run's options."""
_TUPLES = ("imgsz", "tile", "sigmas")  # of TrainConfig
_PATHS = ("data", "weights", "model", "backbone_weights", "unlabelled", "teacher")

# Options of all recipes; the others are YOLO's.
COMMON = {"data", "out", "detector", "allow_unlabelled", "config", "augment", "fingerprint", "finished"}
COMMON_CONFIG = {"device", "epochs", "seed"}


@dataclass(frozen=True, slots=True)
class TrainJob:
    """What to train. At most one of `weights`, `model` and `backbone` sets where YOLO starts.

    Attributes:
        data: folder or file of the data set.
        out: the run's folder.
        detector: one of `TRAINABLE`. All but "yolo" take only
            `config.epochs`, `config.seed` and `config.device`.
        weights: the model to fine-tune; None is the default model.
        model: a Darknet cfg, trained from scratch.
        backbone: the name of an image classifier, to which YOLO heads are added.
        backbone_weights: its weights: a file, "imagenet" to download them, or None for random ones.
        from_scratch: keep the network of `weights` and start from random weights.
        allow_unlabelled: an image without a label file has no objects.
        use_val: train on the val images, too, and evaluate once, at the end, on test.
        tensorboard: write logs for TensorBoard.
        unlabelled: folder of images without labels to learn from, too.
        teacher: the model that labels them first; None is the run's own.
        config: how to train.
        augment: how to change images.
        fingerprint: content hash of the data set of the run in `out`; None before it was read.
        finished: the model is complete.

    Raises:
        UsageError: if options contradict each other, or the detector is unknown.
    """

    data: str
    out: Path
    detector: str = "yolo"
    weights: str | None = None
    model: str | None = None
    backbone: str | None = None
    backbone_weights: str | None = None
    from_scratch: bool = False
    allow_unlabelled: bool = False
    use_val: bool = False
    tensorboard: bool = False
    unlabelled: str | None = None
    teacher: str | None = None
    config: TrainConfig = field(default_factory=TrainConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    fingerprint: str | None = None
    finished: bool = False

    def __post_init__(self) -> None:
        if self.detector not in TRAINABLE:
            raise UsageError(f"--detector {self.detector}: cannot be trained; use {', '.join(TRAINABLE)}")
        starts = [f"--{name}" for name in ("weights", "model", "backbone") if getattr(self, name)]
        if len(starts) > 1:
            raise UsageError(f"{' and '.join(starts)}: training starts from one of them; leave the other out")
        if self.use_val and self.config.patience:
            raise UsageError(
                "--use-val evaluates only at the end, so --patience has no figure to go by; leave one out"
            )
        if self.backbone_weights and not self.backbone:
            raise UsageError("--backbone-weights goes with --backbone NAME")
        _check_unlabelled(self)
        if self.detector != "yolo":
            for option in _options_of_yolo(self):
                raise UsageError(
                    f"{option}: only --detector yolo has this option; leave it out for {self.detector}"
                )


def _check_unlabelled(job: TrainJob) -> None:
    """UsageError if options contradict each other about images without labels."""
    if job.teacher and not job.unlabelled:
        raise UsageError("--teacher labels the images of --unlabelled FOLDER; give both, or neither")
    if job.use_val and job.unlabelled:
        raise UsageError("--use-val leaves no images to see whether --unlabelled helps; leave one out")


def _options_of_yolo(job: TrainJob) -> Iterator[str]:
    """The options given for another recipe that only YOLO has."""
    default = TrainJob(job.data, job.out)
    yield from _changed(job, default, COMMON)
    yield from _changed(job.config, default.config, COMMON_CONFIG)
    yield from _changed(job.augment, default.augment, set())


def _changed(given: Any, default: Any, common: set[str]) -> Iterator[str]:
    """The options, except common ones, that differ between two values of a dataclass."""
    for each in fields(given):
        if each.name not in common and getattr(given, each.name) != getattr(default, each.name):
            yield "--" + each.name.replace("_", "-")


def new_job(
    *,
    no_augment: bool = False,
    mosaic: float | None = None,
    flip_vertical: float | None = None,
    **options: Any,
) -> TrainJob:
    """The job for options with the names of the command line.

    Args:
        no_augment: no augmentation.
        mosaic: probability of joining four images; None means the default, or 0 with ``no_augment``.
        flip_vertical: probability of mirroring top and bottom; None as above.
        options: the other fields of `TrainJob` and `TrainConfig`.

    Raises:
        UsageError: if a value is out of range, or options contradict each other.
        DataError: if there is no such data set.
    """
    changed = {"mosaic": mosaic, "flip_vertical": flip_vertical}
    augment = replace(
        AugmentConfig.off() if no_augment else AugmentConfig(),
        **{name: value for name, value in changed.items() if value is not None},
    )
    config = {each.name: options.pop(each.name) for each in fields(TrainConfig) if each.name in options}
    job = TrainJob(config=TrainConfig(**config), augment=augment, **options)
    if not Path(job.data).exists():
        from yolo_cli.datasets import read_dataset

        read_dataset(job.data)  # fails early, before a framework is imported
    return job


def write_job(job: TrainJob) -> None:
    """Write ``args.yaml`` into the run's folder: everything needed to repeat the run.

    Raises:
        DataError: if it cannot be written.
    """
    values = asdict(job) | {"version": __version__}
    del values["out"]
    for name in _PATHS:
        if values[name] and Path(values[name]).exists():  # not names of models
            values[name] = os.path.abspath(values[name])  # noqa: PTH100  # links stay
    for name in _TUPLES:
        if isinstance(values["config"][name], tuple):
            values["config"][name] = list(values["config"][name])
    import yaml

    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    atomic_write_text(job.out / ARGS, text)


def read_job(out: Path) -> TrainJob:
    """Read the job of a run's folder.

    Raises:
        DataError: if the folder is not that of a run, or its ``args.yaml`` is broken or of another version.
        UsageError: if it is the run of an embedding.
    """
    path = out / ARGS
    if not path.is_file():
        raise DataError(f"{path}: no such file; --resume needs the folder of a run")
    values = read_yaml(path, "utf-8")
    if isinstance(values, dict) and "embedding" in values:
        raise UsageError(f"{out}: is the run of an embedding; add --embedding to continue it")
    try:
        values.pop("version")
        config, augment = values.pop("config"), values.pop("augment")
        for name in _TUPLES:
            if isinstance(config.get(name), list):
                config[name] = tuple(config[name])
        return TrainJob(out=out, config=TrainConfig(**config), augment=AugmentConfig(**augment), **values)
    except (KeyError, TypeError, UsageError):
        raise DataError(f"{path}: was not written by this version of `yolo train`; train again") from None


def remove_empty_run(out: Path) -> None:
    """Remove the folder of a run that failed before its first checkpoint, so that its name is free again.

    A folder with other files is kept.
    """
    weights, unfinished = out / "weights", out / "unfinished"
    if any(folder.is_dir() and any(folder.iterdir()) for folder in (weights, unfinished)):
        return
    (out / ARGS).unlink(missing_ok=True)
    for folder in (weights, unfinished, out):
        with suppress(OSError):
            folder.rmdir()
