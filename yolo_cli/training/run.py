"""One run: a data set in, a trained model out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras

from yolo_cli.checkpoint import State, load_checkpoint, restore, save_checkpoint
from yolo_cli.config import TrainConfig
from yolo_cli.engines import keras_gpus
from yolo_cli.errors import DataError, UserError
from yolo_cli.evaluation import Report
from yolo_cli.loss import LossWeights, YoloLoss
from yolo_cli.training.callbacks import CalmCallback, Journey, RateCallback, SaveCallback, Watcher
from yolo_cli.training.data import Batch, ahead
from yolo_cli.training.devices import check_device, shared_step, sharing
from yolo_cli.training.job import TrainJob, write_job
from yolo_cli.training.machines import Machines, apart, join_machines
from yolo_cli.training.network import LearningModel, averaged, choose_precision, memory_for, with_precision
from yolo_cli.training.prepare import Prepared, open_data, prepare
from yolo_cli.training.recipe import Phase, phases
from yolo_cli.training.results import Outcome, Results, checkpoint_of, forget_unlearnt

__all__ = ["make_optimizer", "train"]

JUDGING_SHARE = 0.1  # validation may take about this share of the time
FORWARD_SHARE = 0.35  # judging an image takes about this share of the time that learning from one takes
LATE = 0.7  # after this share of the run the best weights are due, and every epoch is judged


def train(job: TrainJob, watcher: Watcher, *, resume: bool = False) -> Outcome:
    """Train from the beginning, or with ``resume`` go on where the run in ``job.out`` was cut off.

    Writes ``args.yaml``, ``results.csv`` and, in ``weights/``, ``best.keras``, ``best.onnx``, ``last.keras``
    and ``checkpoint.npz``.

    Raises:
        UserError: if the data set or an option cannot be used, or the disk is full.
        KeyboardInterrupt: as it comes; the last whole epoch is saved.
    """
    try:
        return _train(job, watcher, resume)
    except UserError:
        if not resume:
            forget_unlearnt(job.out)
        raise


def _train(job: TrainJob, watcher: Watcher, resume: bool) -> Outcome:
    machines = join_machines(job.config)
    check_device(job.config.device)
    (job.out / "weights").mkdir(parents=True, exist_ok=True)
    if not resume:
        checkpoint_of(job.out).unlink(missing_ok=True)
        write_job(job)
    data = open_data(job, watcher.say)
    if job.fingerprint not in (None, data.content_hash):
        raise DataError(f"{job.data}: has changed since the run in {job.out} began; train anew")
    if not resume:
        write_job(replace(job, fingerprint=data.content_hash))
    precision = choose_precision(job.config.precision, gpu=keras_gpus() > 0)
    told = f"{data.content_hash} {job.config} {job.augment} {precision}"
    machines.check_same("other data, options or precision", told)
    batch = None
    while True:
        keras.utils.set_random_seed(job.config.seed)
        parts = prepare(job, data, precision, watcher.say, batch, machines)
        watcher.start(parts.plan(precision))
        try:
            with shared_step(machines):
                run = _Run(job, parts, precision, watcher, machines)
                run.learn()
            return run.finish()
        except Exception as fault:
            batch = parts.maker.batch // 2
            if not _out_of_memory(fault) or batch < sharing(machines) or machines.count > 1:
                raise
            watcher.say(f"memory ran out with {2 * batch} images a step; trying {batch}")


class _Run:
    """The parts of one run, and where it is."""

    def __init__(
        self, job: TrainJob, parts: Prepared, precision: str, watcher: Watcher, machines: Machines
    ) -> None:
        self.job, self.parts, self.watcher, self.machines = job, parts, watcher, machines
        memory = memory_for(parts.schedule.epochs * parts.schedule.steps)
        twin = with_precision(parts.plain, precision, memory)
        loss = YoloLoss(parts.card.heads, LossWeights(label_smoothing=job.config.label_smoothing))
        self.model = LearningModel(twin.input, twin.outputs, yolo_loss=loss)
        self.results = Results(job.out, parts.plain, parts.card, job.use_val, watcher.say)
        self.journey = Journey(State(), time.monotonic())

    def learn(self) -> None:
        """Every phase that is not done yet."""
        config, found = self.job.config, load_checkpoint(self.results.checkpoint)
        state, arrays = found or (State(), None)
        self.machines.check_same("another last epoch in its run's folder", str(state.epoch))
        self.journey = Journey(state, time.monotonic() - state.seconds)
        for phase in phases(config, self.parts.schedule.epochs):
            if self.journey.state.epoch >= phase.stop or self._over():
                continue
            self._compile(phase)
            if arrays is not None:
                restore(self.model, arrays, optimizer=state.epoch > phase.start)
                self.watcher.say(f"going on after epoch {state.epoch}")
                arrays = None
            self._fit(phase)
        if arrays is not None:  # the run was at its end already
            self._compile(phases(config, self.parts.schedule.epochs)[-1])
            restore(self.model, arrays, optimizer=True)

    def finish(self) -> Outcome:
        """Write the last weights, and the best with their figures."""
        with averaged(self.model):
            self.results.keep("last", self.model)
        share = self.job.config.start_share
        if share is None and self.job.use_val:
            share = 0.0  # test images have no say
        return self.results.finish(self.parts.validator, self.journey.state, self.parts.start, share)

    def _over(self) -> bool:
        """Whether time or patience is at its end."""
        state, config = self.journey.state, self.job.config
        impatient = bool(config.patience) and state.epoch - state.best_epoch >= config.patience
        limit = config.max_minutes
        return impatient or (limit is not None and state.seconds >= 60 * limit)

    def _compile(self, phase: Phase) -> None:
        """A fresh optimizer for the layers that learn in this phase."""
        for layer in self.model.layers:
            layer.trainable = not phase.frozen or layer.name in self.parts.new_layers
        schedule = self.parts.schedule
        steps = (phase.stop - phase.start) * schedule.steps
        optimizer = make_optimizer(self.job.config, schedule.rate, steps)
        self.model.compile(optimizer=optimizer, jit_compile=False)
        self.model.optimizer.build(self.model.trainable_variables)

    def _fit(self, phase: Phase) -> None:
        """The rest of one phase."""
        journey, schedule, maker = self.journey, self.parts.schedule, self.parts.maker
        first = journey.state.epoch
        rate = RateCallback(schedule, journey, self.watcher, maker.batch, phase.start)
        mixed = bool(self.job.augment.mosaic or self.job.augment.mixup)
        calm = [CalmCallback(schedule, journey)] if mixed else []  # before what judges and saves
        save = SaveCallback(
            journey, self.watcher, self._judge, self._save, self.job.config.patience, len(maker.images)
        )
        self.model.fit(
            ahead(self._maker(phase.stop), self.job.config.workers, first * maker.steps),
            initial_epoch=first,
            epochs=phase.stop,
            steps_per_epoch=maker.steps,
            shuffle=False,
            verbose=0,
            callbacks=[rate, *calm, save, *self._logs()],
        )

    def _logs(self) -> list[Any]:
        """What writes logs for TensorBoard, if they are wanted."""
        place = str(self.job.out / "tensorboard")
        return [keras.callbacks.TensorBoard(place, write_graph=False)] if self.job.tensorboard else []

    def _maker(self, stop: int) -> Callable[[int], Batch | None]:
        """What makes the batch of a step, counted through all epochs; None from epoch ``stop`` on."""
        schedule, maker, journey = self.parts.schedule, self.parts.maker, self.journey

        def make(number: int) -> Batch | None:
            if number >= stop * maker.steps:
                return None
            calm = schedule.calm(schedule.progress(number, journey.seconds))
            return maker.make(*divmod(number, maker.steps), calm)

        return make

    def _judge(self, epoch: int, last: bool) -> Report | None:
        """Figures of the averaged weights, in epochs where they are worth their time."""
        schedule, validator = self.parts.schedule, self.parts.validator
        share = FORWARD_SHARE * len(validator.samples) / len(self.parts.maker.images)
        pause = max(1, round(share / JUDGING_SHARE))
        if self.job.use_val:
            pause = schedule.epochs  # test images have no say
        late = schedule.progress((epoch + 1) * schedule.steps, self.journey.seconds) >= LATE
        if not (last or epoch + 1 == schedule.epochs or (epoch + 1) % (pause if late else 3 * pause) == 0):
            return None
        with averaged(self.model):
            if self.machines.count == 1:
                return validator.judge_model(self.model)
            self.parts.plain.set_weights(self.model.get_weights())
        with apart():
            return validator.judge_model(self.parts.plain)

    def _save(self, state: State) -> None:
        """Write what a resumed run needs; the best weights first, so that none are lost between."""
        if state.best_epoch == state.epoch:
            with averaged(self.model):
                self.results.keep("best", self.model)
        save_checkpoint(self.results.checkpoint, self.model, state)
        self.results.write_table(state)


class AveragingAdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW whose averages are only read (`averaged`), never written over the weights."""

    def finalize_variable_values(self, var_list: Any) -> None:
        """Leave the weights as they are.

        Keras would write the averages over them where `fit` ends. A run that goes on after the frozen phase
        would then differ from one that was resumed there from its checkpoint.
        """


def make_optimizer(config: TrainConfig, rate: float, steps: int) -> Any:
    """AdamW (Loshchilov and Hutter, 2019) with clipped gradients and averaged weights."""
    momentum = 1 - 1 / max(2.0, config.ema * steps)
    optimizer = AveragingAdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
        use_ema=config.ema > 0,
        ema_momentum=momentum,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _out_of_memory(fault: Exception) -> bool:
    """Whether a framework says that memory ran out; each has an exception of its own."""
    text = f"{type(fault).__name__} {fault}".lower()
    return isinstance(fault, MemoryError) or "resourceexhausted" in text or "out of memory" in text
