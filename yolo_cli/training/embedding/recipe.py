"""A run: photos of identities in, a trained embedding out."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import Any

import numpy as np

from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation.verification import Verification, pair_scores, verification
from yolo_cli.training.embedding.batches import BATCH
from yolo_cli.training.embedding.data import Identities, read_identities
from yolo_cli.training.embedding.fitting import embedded, epochs_for, fit_embedding
from yolo_cli.training.embedding.job import METRICS, EmbeddingJob, write_embedding_job
from yolo_cli.training.events import Plan, Watcher
from yolo_cli.training.result import EmbeddingResult
from yolo_cli.training.workspace import Workspace
from yolo_cli.weights import ModelCard, find_model, read_card
from yolo_cli.weights.save import save_model
from yolo_cli.weights.store import BEST

__all__ = ["train_embedding"]

HELD_OUT = 0.2  # of the identities
FEWEST_HELD_OUT = 2


def train_embedding(job: EmbeddingJob, watcher: Watcher, *, resume: bool = False) -> EmbeddingResult:
    """Train, verify on identities that were held out, and save the model in ``job.out``.

    Args:
        job: what to train, and where; for ``resume``, from `read_embedding_job`.
        watcher: notified of progress.
        resume: continue; the result has the weights of an uninterrupted run.

    Raises:
        UserError: if the data cannot be used, or changed since the run began, or the model to go on from is
            not an embedding of this loss.
        KeyboardInterrupt: passed on; complete epochs are saved.
    """
    workspace = Workspace(job.out, watcher)
    if not resume:
        workspace.clear()
    start, size = _start(job)
    people = read_identities(job.data, (2 * size[0], 2 * size[1]), watcher.say)
    job = _with_fingerprint(job, people)
    learnt, held_out = _divided(people, job)
    names = tuple(sorted({name.split("/")[0] for name in people.names}))
    origin = f"--embedding-loss {job.loss}"
    epochs = job.epochs or epochs_for(learnt.count, job.quarter_turns)
    watcher.start(Plan(learnt.count, held_out.count, names, size, epochs, BATCH, "float32", origin))
    model = fit_embedding(job, learnt, epochs, start, workspace)
    figures = _verified(model, held_out, job.loss)
    place = job.out / BEST
    place.parent.mkdir(parents=True, exist_ok=True)
    files = save_model(model, _card(job, size, learnt, figures), place)
    write_embedding_job(replace(job, finished=True))
    workspace.clear()
    return EmbeddingResult(
        job.out, place.with_suffix(".keras"), files.onnx, learnt.count, len(learnt), figures
    )


def _with_fingerprint(job: EmbeddingJob, people: Identities) -> EmbeddingJob:
    """The job with the hash of its photos, which is that of the run's beginning."""
    digest = hashlib.sha256("\n".join(people.names).encode())
    for photos in people.photos:
        digest.update(photos.tobytes())
    found = digest.hexdigest()
    if job.fingerprint not in (None, found):
        raise DataError(f"{job.data}: has changed since the run in {job.out} began; train again")
    job = replace(job, fingerprint=found)
    write_embedding_job(job)
    return job


def _start(job: EmbeddingJob) -> tuple[Any, tuple[int, int]]:
    """The network to go on from, if any, and the size of the input."""
    if job.weights is None:
        return None, job.size
    from yolo_cli.model.keras_file import load_keras

    files = find_model(os.fspath(job.weights))
    card = read_card(files.first)
    if card.metric != METRICS[job.loss] or files.keras is None:
        raise UsageError(f"{files.first}: has no .keras embedding of --embedding-loss {job.loss}")
    if job.imgsz not in (None, card.input_size):
        raise UsageError(f"--imgsz: {files.first} has its own size; leave the option out")
    return load_keras(files.keras), card.input_size


def _divided(people: Identities, job: EmbeddingJob) -> tuple[Identities, Identities]:
    """Identities to learn from, and others to verify on; the same ones with ``use_val``."""
    if job.use_val:
        return people, people
    count = max(FEWEST_HELD_OUT, round(HELD_OUT * len(people)))
    if len(people) < count + 2:
        raise DataError(
            f"{job.data}: has {len(people)} identities with two photos or more; four are the fewest to hold "
            "two out, or add --use-val"
        )
    order = np.random.default_rng(job.seed).permutation(len(people))
    return people[np.sort(order[count:])], people[np.sort(order[:count])]


def _verified(model: Any, people: Identities, loss: str) -> Verification:
    vectors = np.concatenate([embedded(model, photos) for photos in people.photos])  # (N, D)
    identity = np.repeat(np.arange(len(people)), [len(photos) for photos in people.photos])  # (N,)
    return verification(*pair_scores(METRICS[loss], vectors, identity))


def _card(job: EmbeddingJob, size: tuple[int, int], learnt: Identities, figures: Verification) -> ModelCard:
    seen = "the training identities, so too good" if job.use_val else "identities that were held out"
    card = ModelCard(
        name=job.out.name,
        class_names=("identity",),  # their names may be those of people
        heads=(),
        input_size=size,
        resize="stretch",
        detector="embedding",
        origin=f"yolo train --embedding --embedding-loss {job.loss}",
        training_data=f"{learnt.count:,} photos of {len(learnt):,} identities",
        metric=METRICS[job.loss],
    )
    return replace(card, figures=(f"on {seen}: {figures}",), false_accepts=figures.false_accepts)
