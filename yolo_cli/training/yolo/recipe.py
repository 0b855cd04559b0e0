"""The recipe of YOLO: epochs of `model.fit` with evaluation and checkpoints."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from yolo_cli.datasets import Dataset
from yolo_cli.engines import check_keras_device, compiles, keras_gpus
from yolo_cli.evaluation import Report
from yolo_cli.framework import keras
from yolo_cli.gfl_loss import GflLoss
from yolo_cli.loss import LossWeights, YoloLoss
from yolo_cli.training.checkpoint import load_checkpoint, restore, save_checkpoint
from yolo_cli.training.events import State
from yolo_cli.training.job import TrainJob
from yolo_cli.training.result import TrainResult
from yolo_cli.training.workspace import Workspace, set_seed
from yolo_cli.training.yolo.callbacks import FreezeStatisticsCallback, SaveCallback, StepCallback
from yolo_cli.training.yolo.choices import Phase, phases
from yolo_cli.training.yolo.data import Batch
from yolo_cli.training.yolo.devices import placed, shared_step, sharing
from yolo_cli.training.yolo.failures import out_of_memory
from yolo_cli.training.yolo.feed import Feed, ahead, choose_processes, open_feed
from yolo_cli.training.yolo.journey import FORWARD_COST, Journey
from yolo_cli.training.yolo.machines import Machines, apart, join_machines
from yolo_cli.training.yolo.network import (
    LearningModel,
    averaged,
    choose_precision,
    momentum_for,
    with_precision,
    with_settings,
)
from yolo_cli.training.yolo.normalisation import Momentum
from yolo_cli.training.yolo.optimizer import make_optimizer
from yolo_cli.training.yolo.prepare import Prepared, prepare, split_data
from yolo_cli.training.yolo.results import Results

__all__ = ["train_yolo"]

EVALUATION_FRACTION = 0.1  # maximum fraction of the time for evaluation
LATE = 0.7  # after this fraction of the run, evaluation is more frequent


def train_yolo(job: TrainJob, data: Dataset, workspace: Workspace) -> TrainResult:
    """Train, from the checkpoint in ``job.out`` if there is one.

    Writes ``results.csv``, ``report.html`` and, in ``weights/``, ``best.keras``, ``best.onnx``,
    ``last.keras`` and ``checkpoint.npz``.

    Raises:
        UserError: if the data set or an option cannot be used, or the disk is full.
        KeyboardInterrupt: passed on; the last complete epoch is saved.
    """
    watcher = workspace.watcher
    machines = join_machines(job.config)
    check_keras_device(job.config.device, watcher.say)
    with placed(machines, job.config.device):
        return _train(job, data, workspace, machines)


def _train(job: TrainJob, data: Dataset, workspace: Workspace, machines: Machines) -> TrainResult:
    """The whole run, with half the batch size each time that memory runs out."""
    data, watcher = split_data(job, data), workspace.watcher
    on_gpu = job.config.device != "cpu" and keras_gpus() > 0
    precision = choose_precision(job.config.precision, gpu=on_gpu)
    options = f"{data.content_hash} {job.config} {job.augment} {precision}"
    machines.check_same("other data, options or precision", options)
    batch = None
    while True:
        set_seed(job.config.seed)
        parts = prepare(job, data, precision, watcher.say, batch, machines)
        watcher.start(parts.plan(precision))
        try:
            return _attempt(job, parts, precision, workspace, machines)
        except Exception as error:
            batch = parts.maker.batch // 2
            devices = sharing(machines, job.config.device)
            if not out_of_memory(error) or batch < devices or machines.count > 1:
                raise
            watcher.say(f"out of memory with a batch size of {2 * batch}; trying {batch}")
        gc.collect()  # networks have cycles, and would hold the memory of the GPU


def _attempt(
    job: TrainJob, parts: Prepared, precision: str, workspace: Workspace, machines: Machines
) -> TrainResult:
    """The whole run with one batch size."""
    with shared_step(machines, job.config.device):
        training = _Training(job, parts, precision, workspace, machines)
        training.fit()
    return training.finish()


def _loss(parts: Prepared, label_smoothing: float) -> YoloLoss | GflLoss:
    heads, points = parts.card.heads, parts.card.keypoints
    if heads[0].kind == "gfl":
        return GflLoss(heads)
    return YoloLoss(heads, LossWeights(label_smoothing=label_smoothing), points.sigmas if points else ())


class _Training:
    """The parts and the state of one run."""

    def __init__(
        self, job: TrainJob, parts: Prepared, precision: str, workspace: Workspace, machines: Machines
    ) -> None:
        self.job, self.parts, self.watcher, self.machines = job, parts, workspace.watcher, machines
        momentum = momentum_for(parts.schedule.total)
        changing = None if job.config.max_minutes is None else Momentum(momentum)
        twin = with_precision(parts.plain, precision, momentum, changing)
        loss = _loss(parts, job.config.label_smoothing)
        self.model = LearningModel(twin.input, twin.outputs, yolo_loss=loss, momentum=changing)
        self.results = Results(job, parts, self.watcher.say)
        self.journey = Journey(parts.schedule, State(), workspace.started, parts.ending(job))

    def fit(self) -> None:
        """Train all remaining phases."""
        maker, config = self.parts.maker, self.job.config
        gpu = config.device != "cpu" and keras_gpus() > 0
        processes = choose_processes(config.workers, self.parts.schedule.epochs * len(maker.images), gpu=gpu)
        with open_feed(maker, config.workers, processes) as feed:
            self._fit_all(feed)

    def _fit_all(self, feed: Feed) -> None:
        config, found = self.job.config, load_checkpoint(self.results.checkpoint)
        state, arrays = found or (State(), None)
        self.machines.check_same("another last epoch in its run's folder", str(state.epoch))
        self.journey.resume(state)
        for phase in phases(config, self.parts.schedule.epochs):
            if self.journey.state.epoch >= phase.stop or self._over():
                continue
            self._compile(phase)
            if arrays is not None:
                restore(self.model, arrays, optimizer=state.epoch > phase.start)
                self.watcher.say(f"continuing after epoch {state.epoch}")
                arrays = None
            self._fit(phase, feed)
        if arrays is not None:  # the run was complete already
            self._compile(phases(config, self.parts.schedule.epochs)[-1])
            restore(self.model, arrays, optimizer=True)

    def finish(self) -> TrainResult:
        """Write the last weights, and the best ones with their figures."""
        with averaged(self.model):
            self.results.keep("last", self.model)
        return self.results.finish(self.journey)

    def _over(self) -> bool:
        """Whether the time budget or the patience is used up."""
        state, limit = self.journey.state, self.journey.time_to_train
        return state.stale(self.job.config.patience) or (limit is not None and state.seconds >= limit)

    def _compile(self, phase: Phase) -> None:
        """Compile with a new optimizer for the layers that are trained in this phase."""
        for layer in self.model.layers:
            layer.trainable = not phase.frozen or layer.name in self.parts.new_layers
        schedule = self.parts.schedule
        steps = (phase.stop - phase.start) * schedule.steps
        optimizer = make_optimizer(self.job.config, schedule.rate, steps)
        self.model.compile(optimizer=optimizer, jit_compile=compiles())
        self.model.optimizer.build(self.model.trainable_variables)

    def _fit(self, phase: Phase, feed: Feed) -> None:
        """Train the rest of one phase."""
        journey, maker = self.journey, self.parts.maker
        first = journey.state.epoch
        step = StepCallback(journey, self.watcher, phase)
        joined = bool(self.job.augment.mosaic or self.job.augment.mixup)
        freeze = [FreezeStatisticsCallback(journey)] if joined else []  # before evaluation
        save = SaveCallback(journey, self.watcher, self._evaluate, self._save, self.job.config.patience)
        batches = ahead(self._maker(phase.stop, feed), feed.threads, first * maker.steps)
        if keras.backend.backend() == "jax":
            batches = with_settings(batches, step.settings_of, first * maker.steps)
        self.model.fit(
            batches,
            initial_epoch=first,
            epochs=phase.stop,
            steps_per_epoch=maker.steps,
            shuffle=False,
            verbose=0,
            callbacks=[step, *freeze, save, *self._logs()],
        )

    def _logs(self) -> list[Any]:
        """The callback that writes TensorBoard logs, if requested."""
        place = str(self.job.out / "tensorboard")
        return [keras.callbacks.TensorBoard(place, write_graph=False)] if self.job.tensorboard else []

    def _maker(self, stop: int, feed: Feed) -> Callable[[int], Batch | None]:
        """A function from step (counted over all epochs) to batch; None from epoch ``stop`` on."""
        schedule, journey = self.parts.schedule, self.journey

        def make(number: int) -> Batch | None:
            if number >= stop * schedule.steps:
                return None
            closed = schedule.mosaic_closed(journey.progress(number))
            return feed.make(*divmod(number, schedule.steps), closed)

        return make

    def _evaluate(self, epoch: int, last: bool) -> Report | None:
        """Figures of the averaged weights, in epochs with an evaluation."""
        if not (last or self._due(epoch)):
            return None
        validator = self.parts.sampled
        with averaged(self.model):
            if self.machines.count == 1:
                return validator.evaluate_model(self.model)
            self.parts.plain.set_weights(self.model.get_weights())
        with apart():
            return validator.evaluate_model(self.parts.plain)

    def _due(self, epoch: int) -> bool:
        """Whether to evaluate after this epoch: more often late in the run, and always at its end."""
        schedule = self.parts.schedule
        cost = FORWARD_COST * len(self.parts.sampled.samples) / len(self.parts.maker.images)
        every = max(1, round(cost / EVALUATION_FRACTION))
        if self.job.use_val:
            every = schedule.epochs  # nothing is chosen on test images
        late = self.journey.progress((epoch + 1) * schedule.steps) >= LATE
        return epoch + 1 == schedule.epochs or (epoch + 1) % (every if late else 3 * every) == 0

    def _save(self, state: State) -> None:
        """Write the checkpoint; the best weights first, so that a kill in between loses nothing."""
        if state.best_epoch == state.epoch:
            with averaged(self.model):
                self.results.keep("best", self.model)
        save_checkpoint(self.results.checkpoint, self.model, state)
        self.results.write_table(state)
