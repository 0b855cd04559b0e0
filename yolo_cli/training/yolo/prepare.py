"""Prepare a job: everything that `model.fit` needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Head
from yolo_cli.config import AugmentConfig, TrainConfig
from yolo_cli.datasets import Dataset, Sample, hold_out
from yolo_cli.errors import UsageError
from yolo_cli.heads import size_step
from yolo_cli.keypoints import with_sigmas
from yolo_cli.letterbox import Letterbox
from yolo_cli.training.dataset import require_boxes
from yolo_cli.training.events import Plan
from yolo_cli.training.job import TrainJob
from yolo_cli.training.yolo.choices import (
    WELL_KNOWN,
    batch_for,
    bytes_an_image,
    epochs_for,
    free_memory,
    learning_rate_for,
)
from yolo_cli.training.yolo.data import BatchMaker, Images
from yolo_cli.training.yolo.devices import sharing
from yolo_cli.training.yolo.heads import remake_heads
from yolo_cli.training.yolo.interpolation import LOOKS
from yolo_cli.training.yolo.journey import Ending
from yolo_cli.training.yolo.machines import ALONE, Machines
from yolo_cli.training.yolo.normalisation import with_normalisation
from yolo_cli.training.yolo.schedule import Schedule
from yolo_cli.training.yolo.sizing import advise_tiles, choose_heads, choose_size, usual_size
from yolo_cli.training.yolo.start import Start, choose_start
from yolo_cli.training.yolo.validation import NEARLY_ALL, Validator
from yolo_cli.weights import ModelCard

__all__ = ["PSEUDO", "Prepared", "prepare", "split_data"]

PSEUDO = "pseudo-labelled"
"""The split of images that a run learns from, too, but chooses nothing by."""

MOST_VALIDATED = 1000  # images on which an epoch is evaluated
MOST_CHOSEN_BY = 150  # images by which a time budget plans to choose the interpolation
PROBED = 64  # images to evaluate the model on before training

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The parts of a run.

    Attributes:
        plain: the network in float32, for saving.
        new_layers: names of the untrained layers.
        maker: makes batches.
        schedule: of the learning rate.
        validator: evaluates the result.
        sampled: chooses the best epoch and interpolation: like `validator`, or on a part of its images.
        card: the model card, without figures yet.
        start: the weights before training, if they know one of the classes, else None.
        well_known: whether these find most objects, as far as that was measured.
    """

    plain: Any
    new_layers: frozenset[str]
    maker: BatchMaker
    schedule: Schedule
    validator: Validator
    sampled: Validator
    card: ModelCard
    start: tuple[NDArray[Any], ...] | None
    well_known: bool

    def ending(self, job: TrainJob) -> Ending:
        """What follows the last step of a job: its last epoch is evaluated, and the result."""
        part, whole = len(self.sampled.samples), len(self.validator.samples)
        chosen = self.start is not None and job.config.interpolate is None and not job.use_val
        looks = LOOKS * min(part, MOST_CHOSEN_BY) if chosen else 0
        last = 0 if chosen and whole <= MOST_CHOSEN_BY else whole  # which one of the looks is
        return Ending(part + looks + last, self.maker.batch)

    def plan(self, precision: str) -> Plan:
        """The plan of the run."""
        return Plan(
            len(self.maker.images), len(self.validator.samples), self.card.class_names, self.maker.size,
            self.schedule.epochs, self.maker.batch, precision, self.card.origin,
            self.schedule.config.max_minutes,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Network:
    """A network with heads for the classes of the data set.

    Attributes:
        start: its starting network.
        plain: the Keras model, in float32.
        heads: its heads.
        size: height and width of its input, pixels.
        shared: classes that it knew before.
    """

    start: Start
    plain: Any
    heads: tuple[Head, ...]
    size: tuple[int, int]
    shared: frozenset[str]

    @property
    def interpolable(self) -> bool:
        """Whether the weights before training are of use: they know a class, and the key points if any."""
        return bool(self.shared) and self.heads[0].key_points in (0, self.start.heads[0].key_points)


def split_data(job: TrainJob, data: Dataset) -> Dataset:
    """The data set with a split "val", which is held out if missing.

    Raises:
        DataError: if no image to train on has a box, or there are too few images.
        UsageError: if the job needs a missing split "test".
    """
    data = hold_out(data, seed=job.config.seed)
    require_boxes(data.in_split("train"))
    if job.use_val and "test" not in data.splits:
        raise UsageError(f'--use-val: {job.data} has no split "test" to evaluate on; leave it out')
    return data


def prepare(
    job: TrainJob,
    data: Dataset,
    precision: str,
    say: Say,
    batch: int | None = None,
    machines: Machines = ALONE,
) -> Prepared:
    """Build the network and the other parts of a run.

    Args:
        job: what to train.
        data: from `split_data`.
        precision: compute type of the network.
        say: called with messages about automatic choices.
        batch: batch size; None chooses.
        machines: all that train together.

    Raises:
        UserError: if the options do not fit the data or the network.
    """
    learn, check = _parts(job, data)
    if not any(len(sample.labels) for sample in check.samples):
        say("no image to evaluate on has a box, so no figure says which epoch is best: the last is kept")
    network = _network(job, learn, say)
    shown = replace(learn, samples=learn.samples + _pseudo_labelled(data))
    batch = batch or job.config.batch or _batch_that_fits(network, len(shown), precision)
    job = replace(job, augment=_augment(job.augment, learn, say))
    maker = _batch_maker(job, shown, network, _shareable(job.config, batch, machines), machines)
    card = _card(job, data, network)
    given = job.config.learning_rate
    known = _known(network, card, learn, say) if given is None and network.interpolable else 0.0
    rate = machines.all_reduce_min(learning_rate_for(known) if given is None else given)
    epochs = job.config.epochs or epochs_for(len(shown), prod(network.size))
    schedule = Schedule(job.config, rate, epochs, maker.steps)
    fresh = frozenset(layer.name for layer in network.plain.layers) - network.start.learnt
    weights = network.plain.get_weights() if network.interpolable else None
    before = tuple(np.array(values) for values in weights) if weights is not None else None
    options = replace(NEARLY_ALL, tile=job.config.tile, tile_overlap=job.config.tile_overlap)
    validator = Validator(check.samples, card, min(maker.batch, 16), options)
    sampled = _sampled(validator, job.config.seed, say)
    well_known = known >= WELL_KNOWN
    return Prepared(network.plain, fresh, maker, schedule, validator, sampled, card, before, well_known)


def _sampled(validator: Validator, seed: int, say: Say) -> Validator:
    """What evaluates epochs: on a random part of the images if they are many."""
    whole = len(validator.samples)
    if whole <= MOST_VALIDATED:
        return validator
    say(f"epochs are evaluated on a random {MOST_VALIDATED} of the {whole} images, the result on all of them")
    return validator.sampled(MOST_VALIDATED, seed)


def _parts(job: TrainJob, data: Dataset) -> tuple[Dataset, Dataset]:
    """The training samples and the evaluation samples."""
    learn, check = data.in_split("train"), data.in_split("val")
    if not job.use_val:
        return learn, check
    return replace(data, samples=learn.samples + check.samples), data.in_split("test")


def _pseudo_labelled(data: Dataset) -> tuple[Sample, ...]:
    """The samples with pseudo-labels."""
    return tuple(sample for sample in data.samples if sample.split == PSEUDO)


def _network(job: TrainJob, learn: Dataset, say: Say) -> _Network:
    """The network of the job, with input size and heads for the data.

    Raises:
        UsageError: if weights are to be interpolated, but the network knew none of the classes.
    """
    config, names = job.config, learn.class_names
    start = choose_start(job)
    size, usual = _sizes(config, start, learn)
    advise_tiles(learn, size, say)
    heads = choose_heads(learn, size, usual, start.heads, config.seed, say)
    model = _normalised(start, learn, size) if heads[0].kind == "gfl" else start.model
    plain = remake_heads(model, start.heads, heads, start.class_names, names)
    shared = frozenset(start.class_names or ()) & frozenset(names)
    network = _Network(start, plain, heads, size, shared)
    if config.interpolate and not network.interpolable:
        what = "has no such key points" if shared else "knows none of these classes"
        raise UsageError(
            f"--interpolate {config.interpolate:g}: before training, the network {what}; leave it out"
        )
    return network


def _normalised(start: Start, learn: Dataset, size: tuple[int, int]) -> Any:
    """The network of a NanoDet-Plus with batch normalisation, which files of such a network lack.

    Raises:
        UsageError: if there are key points to learn.
    """
    if learn.key_points is not None:
        raise UsageError("a NanoDet-Plus cannot learn key points; choose other --weights")
    samples = learn.samples[:: max(1, len(learn) // PROBED)][:PROBED]
    letterboxes = [Letterbox.fit(*sample.size, *size) for sample in samples]
    images = [box.apply(sample.read().rgb) for box, sample in zip(letterboxes, samples, strict=True)]
    return with_normalisation(start.model, np.stack(images))


def _batch_that_fits(network: _Network, images: int, precision: str) -> int:
    """The batch size, by the number of images and the free memory."""
    need = bytes_an_image(network.plain, network.size) * (1 if precision == "float32" else 0.6)
    return batch_for(images, need, free_memory())


def _batch_maker(
    job: TrainJob, learn: Dataset, network: _Network, batch: int, machines: Machines
) -> BatchMaker:
    """The maker of this machine's part of every batch."""
    images = Images(learn.samples, max(network.size))
    return BatchMaker(
        images, network.heads, network.size, batch, job.augment, job.config.seed,
        (machines.number, machines.count), learn.key_points.flip_idx if learn.key_points else (),
    )  # fmt: skip


def _augment(config: AugmentConfig, learn: Dataset, say: Say) -> AugmentConfig:
    """How images are changed: not mirrored if it is unknown which key points are left and right."""
    if learn.key_points is None or learn.key_points.flip_idx or not (config.flip or config.flip_vertical):
        return config
    say("no flip_idx, and no key point called left or right: images are not mirrored")
    return replace(config, flip=0.0, flip_vertical=0.0)


def _shareable(config: TrainConfig, batch: int, machines: Machines) -> int:
    """The largest batch size that is a multiple of the number of devices.

    Raises:
        UsageError: if the given batch size is not.
    """
    devices = sharing(machines, config.device)
    if config.batch and config.batch % devices:
        raise UsageError(f"--batch {config.batch}: must be a multiple of the {devices} devices")
    return max(devices, int(machines.all_reduce_min(batch)) // devices * devices)


def _known(network: _Network, card: ModelCard, learn: Dataset, say: Say) -> float:
    """The mAP50 of a network before training, on a sample of the training images; new classes count as 0."""
    samples = learn.samples[:: max(1, len(learn) // PROBED)][:PROBED]
    report = Validator(samples, card, 8).evaluate_model(network.plain)
    present = [each for each in report.per_class if each.ground_truths]
    found = sum(each.ap50 or 0.0 for each in present if each.class_name in network.shared)
    map50 = found / max(1, len(present))
    say(f"before training, its mAP50 on {len(samples)} of these images is {map50:.3f}")
    return map50


def _sizes(config: TrainConfig, start: Start, learn: Dataset) -> tuple[tuple[int, int], tuple[int, int]]:
    """Height and width of the network's input, and those without regard to small objects.

    Raises:
        UsageError: if the network cannot have the given size.
    """
    step = size_step(start.heads)
    if config.imgsz is None:
        made_for = start.input_size
        return choose_size(learn, made_for, step), usual_size(learn, made_for, step)
    height, width = config.imgsz
    if any(side % step or side < step for side in config.imgsz):
        raise UsageError(f"--imgsz {height}x{width}: each side must be a multiple of {step} for this network")
    return config.imgsz, config.imgsz


def _card(job: TrainJob, data: Dataset, network: _Network) -> ModelCard:
    """The model card, without figures."""
    data = replace(data, samples=tuple(sample for sample in data.samples if sample.split != PSEUDO))
    name, digest = Path(job.data).name, data.content_hash
    counts = ", ".join(f"{len(data.in_split(split))} {split}" for split in data.splits)
    learnt = "train,val" if job.use_val else "train"
    whole = f"{counts} images; learnt from {learnt.replace(',', ' and ')}"
    return ModelCard(
        name=job.out.name,
        class_names=data.class_names,
        heads=network.heads,
        input_size=network.size,
        resize="letterbox",
        licence=f"that of the data set; the network it started from: {network.start.licence}",
        origin=network.start.origin,
        training_data=f"{name} ({whole}), content sha256 {digest}",
        keypoints=with_sigmas(data.key_points, job.config.sigmas),
        source={"data_sha256": digest, "learnt_from": learnt, "seed": str(job.config.seed)},
    )
