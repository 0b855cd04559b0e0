"""A job → everything that `model.fit` needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Head
from yolo_cli.config import TrainConfig
from yolo_cli.datasets import Dataset, hold_out, lint
from yolo_cli.errors import DataError, UsageError
from yolo_cli.training.callbacks import Plan
from yolo_cli.training.data import BatchMaker, Capacity, Images
from yolo_cli.training.devices import sharing
from yolo_cli.training.job import TrainJob
from yolo_cli.training.machines import ALONE, Machines
from yolo_cli.training.recipe import batch_for, bytes_an_image, epochs_for, free_memory, learning_rate_for
from yolo_cli.training.schedule import Schedule
from yolo_cli.training.sizing import choose_heads, choose_size, usual_size
from yolo_cli.training.start import Start, choose_start
from yolo_cli.training.validation import Validator
from yolo_cli.weights import ModelCard

__all__ = ["Prepared", "open_data", "prepare"]

PROBED = 64  # images on which a model shows what it knows already

# Rules that say an image itself cannot be used.
UNUSABLE = ("Y101", "Y103")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run works with.

    Attributes:
        data: train and val, as far as they can be used.
        plain: the network in float32, as it is saved.
        new_layers: names of the layers that no earlier training has seen.
        maker: makes batches.
        schedule: of the learning rate.
        validator: judges.
        card: what the model says of itself, without figures yet.
        start: the weights before anything is learnt, if they know one of the classes; else None.
    """

    data: Dataset
    plain: Any
    new_layers: frozenset[str]
    maker: BatchMaker
    schedule: Schedule
    validator: Validator
    card: ModelCard
    start: tuple[NDArray[Any], ...] | None

    def plan(self, precision: str) -> Plan:
        """What is about to be done, in numbers."""
        return Plan(
            len(self.maker.images), len(self.validator.samples), self.card.class_names, self.maker.size,
            self.schedule.epochs, self.maker.batch, precision, self.card.origin,
        )  # fmt: skip


def open_data(job: TrainJob, say: Callable[[str], None]) -> Dataset:
    """Read the data set, leave out what cannot be used and say so, and hold out images to validate on.

    Raises:
        DataError: if nothing is left to learn from or to validate on.
    """
    side = max(job.config.imgsz or (416, 416))
    report = lint(job.data, imgsz=side, allow_unlabelled=job.allow_unlabelled)
    unusable = {finding.where.split(":")[0] for finding in report.findings if finding.code in UNUSABLE}
    kept = tuple(sample for sample in report.dataset.samples if sample.name not in unusable)
    if report.errors:
        first = report.errors[0]
        more = f" and {len(report.errors) - 1} more" if len(report.errors) > 1 else ""
        say(f"left out: {first.where}: {first.what}{more}; `yolo lint --data {job.data}` lists them")
    data = hold_out(replace(report.dataset, samples=kept), seed=job.config.seed)
    if not data.in_split("train").class_counts().any():
        raise DataError(f"{job.data}: no image to train on has a box")
    if job.use_val and "test" not in data.splits:
        raise UsageError(f'--use-val: {job.data} has no split "test" to judge the result on; leave it out')
    return data


def _parts(job: TrainJob, data: Dataset) -> tuple[Dataset, Dataset]:
    """What to learn from, and what to judge on."""
    learn, check = data.in_split("train"), data.in_split("val")
    if not job.use_val:
        return learn, check
    return replace(data, samples=learn.samples + check.samples), data.in_split("test")


def prepare(
    job: TrainJob,
    data: Dataset,
    precision: str,
    say: Callable[[str], None],
    batch: int | None = None,
    machines: Machines = ALONE,
) -> Prepared:
    """Build the network and all that surrounds it.

    Args:
        job: what is to be trained.
        data: from `open_data`.
        precision: what the network will compute in.
        say: told what was chosen.
        batch: images a step; None chooses.
        machines: who learns.

    Raises:
        UserError: if the options do not fit the data or the network.
    """
    from yolo_cli.training.heads import remake_heads

    config = job.config
    learn, check = _parts(job, data)
    start = choose_start(job)
    size, usual = _sizes(config, start, learn)
    heads = choose_heads(learn, size, usual, start.heads, config.seed, say)
    plain = remake_heads(start.model, start.heads, heads, start.class_names, data.class_names)
    need = bytes_an_image(plain, size) * (1 if precision == "float32" else 0.6)
    batch = batch or config.batch or batch_for(len(learn), need, free_memory())
    batch = _shareable(config, batch, machines)
    maker = BatchMaker(
        Images(learn.samples, max(size)), heads, size, batch, Capacity.of(learn.samples, heads),
        job.augment, config.seed, (machines.number, machines.count),
    )  # fmt: skip
    card = _card(job, data, start, heads, size)
    shared = set(start.class_names or ()) & set(data.class_names)
    if config.start_share and not shared:
        raise UsageError(
            f"--start-share {config.start_share:g}: before it learns, the network knows none of these "
            "classes; leave it out"
        )
    known = _known(plain, card, learn, shared, say) if shared and config.learning_rate is None else 0.0
    rate = machines.least(config.learning_rate or learning_rate_for(known))
    schedule = Schedule(config, rate, config.epochs or epochs_for(len(learn)), maker.steps)
    fresh = frozenset(layer.name for layer in plain.layers) - start.learnt
    before = tuple(np.array(values) for values in plain.get_weights()) if shared else None
    validator = Validator(check.samples, card, min(batch, 16))
    return Prepared(data, plain, fresh, maker, schedule, validator, card, before)


def _shareable(config: TrainConfig, batch: int, machines: Machines) -> int:
    """Images a step, such that all devices get the same number.

    Raises:
        UsageError: if the number that was asked for does not allow it.
    """
    devices = sharing(machines)
    if config.batch and config.batch % devices:
        raise UsageError(f"--batch {config.batch}: must be a multiple of the {devices} devices that share it")
    return max(devices, int(machines.least(batch)) // devices * devices)


def _known(
    plain: Any, card: ModelCard, learn: Dataset, shared: set[str], say: Callable[[str], None]
) -> float:
    """How well, as mAP50, a network finds the objects before it learns; what has a new name does not count.

    It is measured on some of the images to learn from.
    """
    samples = learn.samples[:: max(1, len(learn) // PROBED)][:PROBED]
    judged = [each for each in Validator(samples, card, 8).judge_model(plain).per_class if each.ground_truths]
    found = sum(each.ap50 or 0.0 for each in judged if each.class_name in shared)
    map50 = found / max(1, len(judged))
    say(f"before it learns, its mAP50 on {len(samples)} of these images is {map50:.3f}")
    return map50


def _sizes(config: TrainConfig, start: Start, learn: Dataset) -> tuple[tuple[int, int], tuple[int, int]]:
    """Height and width of the network's input, and what they would be were no object small.

    Raises:
        UsageError: if the network cannot have the size that was asked for.
    """
    step = max(head.stride for head in start.heads)
    if config.imgsz is None:
        made_for = start.input_size
        return choose_size(learn, made_for, step), usual_size(learn, made_for, step)
    height, width = config.imgsz
    if any(side % step or side < step for side in config.imgsz):
        raise UsageError(f"--imgsz {height}x{width}: each side must be a multiple of {step} for this network")
    return config.imgsz, config.imgsz


def _card(
    job: TrainJob, data: Dataset, start: Start, heads: Sequence[Head], size: tuple[int, int]
) -> ModelCard:
    """What the model can say of itself before anything is measured."""
    name, digest = Path(job.data).name, data.content_hash
    counts = ", ".join(f"{len(data.in_split(split))} {split}" for split in data.splits)
    learnt = "train and val" if job.use_val else "train"
    return ModelCard(
        name=job.out.name,
        class_names=data.class_names,
        heads=tuple(heads),
        input_size=size,
        resize="letterbox",
        licence=f"that of the data set; the network it started from: {start.licence}",
        origin=start.origin,
        training_data=f"{name} ({counts} images; learnt from {learnt}), content sha256 {digest}",
        source={"data_sha256": digest, "seed": str(job.config.seed)},
    )
