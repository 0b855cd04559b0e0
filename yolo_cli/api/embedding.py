"""Photos of identities in, a trained embedding out: `train_embedding`."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from yolo_cli.api.options import Path, squared
from yolo_cli.config import TRAINING_FOLDER
from yolo_cli.errors import UsageError, UserError
from yolo_cli.files import path_of
from yolo_cli.hardware import Device
from yolo_cli.locks import sole_user
from yolo_cli.run_folders import open_run_folder
from yolo_cli.training import CallbackWatcher, Step, Watcher

if TYPE_CHECKING:
    from yolo_cli.training.embedding.job import EmbeddingJob
    from yolo_cli.training.result import EmbeddingResult

__all__ = ["EmbeddingOptions", "train_embedding"]


class EmbeddingOptions(TypedDict, total=False):
    """The options of ``yolo train --embedding``.

    Attributes:
        embedding_loss: "triplet" or "siamese".
        weights: the embedding to go on from, of the same loss; None is a new network.
        out: the run's folder; else a new ``runs/train``.
        exist_ok: write into a folder that holds files already.
        imgsz: height and width of a new network's input; else 64.
        quarter_turns: count each quarter turn of an identity as one of its own, for characters and textures.
        no_augment: do not warp images.
        use_val: hold no identities out; the figures are then those of the training images.
        epochs: else as many as make 1,500 steps.
        seed: random seed.
        device: where to train.
    """

    embedding_loss: str
    weights: Path | None
    out: Path | None
    exist_ok: bool
    imgsz: int | tuple[int, int] | None
    quarter_turns: bool
    no_augment: bool
    use_val: bool
    epochs: int | None
    seed: int
    device: Device


def train_embedding(
    data: Path | None = None,
    *,
    progress: Callable[[Step], object] | Watcher | None = None,
    resume: Path | None = None,
    **options: Unpack[EmbeddingOptions],
) -> EmbeddingResult:
    """Train an embedding, by which `identify` tells which one it is, and save it in a run's folder.

    Args:
        data: a folder with a folder of photos for each identity, or with videos and their tracks as
            MOTChallenge's text.
        progress: called with each `Step`, or a `Watcher`.
        resume: the folder of an interrupted run, to continue it with its own data and options; ``data`` is
            where the same data is now, if it was moved.
        **options: see `EmbeddingOptions`.

    Raises:
        UserError: if options do not fit each other, or the data cannot be used.
        KeyboardInterrupt: when interrupted, or when ``progress`` raises it; its argument is the run's folder,
            in which whole epochs are saved: ``train_embedding(resume=folder)`` goes on to the same result.
    """
    given: dict[str, Any] = squared({**options})
    if other := next((name for name in given if name not in EmbeddingOptions.__annotations__), None):
        raise UsageError(f"--{other.replace('_', '-')}: --embedding has no such option; leave it out")
    device = given.pop("device", "auto")
    job = _new_job(data, given) if resume is None else _job_to_resume(path_of(resume, "resume"), data, given)

    from yolo_cli.engines import keras_device
    from yolo_cli.framework import silence

    with silence():
        from yolo_cli.training.embedding.recipe import train_embedding as run
    from yolo_cli.training.job import remove_empty_run

    watcher = CallbackWatcher(progress) if callable(progress) else progress
    try:
        with sole_user(job.out), keras_device(device):
            return run(job, watcher or Watcher(), resume=resume is not None)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(job.out) from None
    except UserError:
        if resume is None:
            remove_empty_run(job.out)
        raise


def _new_job(data: Path | None, given: dict[str, Any]) -> EmbeddingJob:
    """The job that the options describe, in its folder."""
    if data is None:
        raise UsageError("--data DIR names a folder with a folder of photos for each identity")
    from yolo_cli.training.embedding.data import check_identities
    from yolo_cli.training.embedding.job import EmbeddingJob

    check_identities(path_of(data, "data"))
    folder, exist_ok = given.pop("out", None), given.pop("exist_ok", False)
    loss = given.pop("embedding_loss", "triplet")
    out = open_run_folder(TRAINING_FOLDER, folder and os.fspath(folder), exist_ok, data)
    return EmbeddingJob(path_of(data, "data"), out, loss, **given)


def _job_to_resume(folder: pathlib.Path, data: Path | None, given: dict[str, Any]) -> EmbeddingJob:
    """The job of a run's folder; UsageError for other options, and for a run that is complete."""
    from yolo_cli.training.embedding.job import read_embedding_job

    if given:
        option = "--" + next(iter(given)).replace("_", "-")
        raise UsageError(f"--resume continues with the options of its run; leave {option} out")
    job = read_embedding_job(folder)
    if job.finished:
        raise UsageError(f"{folder}: is complete; there is nothing to continue")
    return job if data is None else replace(job, data=path_of(data, "data"))
