"""Learn from labelled and unlabelled images, in rounds.

The first model learns from the labelled images alone. Its averaged weights label the others (as the averaged
teacher of Liu et al., "Unbiased Teacher for Semi-Supervised Object Detection", 2021), and it goes on learning
from both kinds, strongly augmented. Of all models the one that is best on the validation images is kept.
"""

from __future__ import annotations

import gc
import os
import time
from dataclasses import replace
from pathlib import Path

from yolo_cli.datasets import Dataset, Sample
from yolo_cli.errors import UsageError
from yolo_cli.text import counted
from yolo_cli.training.job import TrainJob
from yolo_cli.training.result import TrainResult
from yolo_cli.training.unlabelled.conclusion import conclude, finished
from yolo_cli.training.unlabelled.images import find_unlabelled
from yolo_cli.training.unlabelled.labelling import PseudoLabels, repeated
from yolo_cli.training.unlabelled.progress import LABELLED, Progress, Round
from yolo_cli.training.unlabelled.teacher import Teacher, given_teacher, label_images, own_teacher
from yolo_cli.training.workspace import UNFINISHED, Workspace
from yolo_cli.training.yolo.machines import ADDRESSES
from yolo_cli.training.yolo.prepare import PSEUDO, split_data
from yolo_cli.training.yolo.recipe import train_yolo
from yolo_cli.weights import read_card

__all__ = ["train_unlabelled"]

ROUNDS = 2
LABELLED_FRACTION = 1 / 3  # of a time budget, for the first model
CLOSING_FRACTION = 0.04  # of a time budget, to evaluate the best model and write its page


def train_unlabelled(job: TrainJob, data: Dataset, workspace: Workspace) -> TrainResult:
    """Train on the data set and the images of ``job.unlabelled``; continue what ``job.out`` has of it.

    Raises:
        UserError: if the data set, the folder or an option cannot be used.
        KeyboardInterrupt: passed on; whole epochs are saved.
    """
    say = workspace.watcher.say
    data = split_data(job, data)
    if job.finished:
        say("this run is finished already")
        return finished(job, data)
    _check(data)
    unlabelled = find_unlabelled(str(job.unlabelled), data, say)
    say(f"{counted(len(unlabelled), 'unlabelled image')} in {job.unlabelled}")
    teacher = given_teacher(job, data, say) if job.teacher else None
    run = _Run(job, data, unlabelled, teacher, workspace)
    run.rounds()
    return conclude(job, data, run.progress, workspace)


def _check(data: Dataset) -> None:
    """Raise UsageError for what pseudo-labels cannot be made for."""
    if ADDRESSES in os.environ:
        raise UsageError("--unlabelled: several machines cannot do this together; leave it out")
    if data.key_points:
        raise UsageError("--unlabelled: pseudo-labels have no key points, as this data set has; leave it out")
    if not any(len(sample.labels) for sample in data.in_split("val").samples):
        raise UsageError("--unlabelled: no image to validate on has a box to see whether it helps; add some")


class _Run:
    """The rounds of one run."""

    def __init__(
        self,
        job: TrainJob,
        data: Dataset,
        unlabelled: tuple[Sample, ...],
        teacher: Teacher | None,
        workspace: Workspace,
    ) -> None:
        self.job, self.data, self.unlabelled, self.teacher = job, data, unlabelled, teacher
        self.watcher, self.started = workspace.watcher, workspace.started
        self.folder = job.out / UNFINISHED
        self.progress = Progress.read(self.folder, unlabelled)

    def rounds(self) -> tuple[Round, ...]:
        """Train what is not trained yet, until a round is not better than the one before."""
        if not self.progress.rounds:
            self.watcher.say("first from the labelled images alone")
            self._train(LABELLED, self.data, None, self.started)
        for number in range(len(self.progress.rounds), self._count + 1):
            if self.progress.best is not self.progress.rounds[-1] or not self._round(number):
                break
        return self.progress.rounds

    @property
    def _count(self) -> int:
        """Rounds at most: another model would label the images alike again."""
        return 1 if self.teacher else ROUNDS

    def _round(self, number: int) -> bool:
        """One round; False if no box was confident."""
        started, name = time.monotonic(), f"round{number}"
        start = self.folder / self.progress.best.name / "weights" / "best.keras"
        labels = self._labels(start, self.folder / name)
        self._tell(number, labels)
        if not labels.samples:
            return False
        train = self.data.in_split("train").samples
        again = repeated(train, len(labels.samples) // (2 * len(train)))
        more = tuple(replace(sample, split=PSEUDO) for sample in (*labels.samples, *again))
        both = replace(self.data, samples=self.data.samples + more)
        self._train(name, both, start, started, labels)
        return True

    def _labels(self, start: Path, folder: Path) -> PseudoLabels:
        """The pseudo-labels of a round."""
        folder.mkdir(parents=True, exist_ok=True)
        known = self.teacher.classes if self.teacher else frozenset()
        teachers = [self.teacher] if self.teacher else []
        if len(known) < len(self.data.class_names):
            teachers.append(own_teacher(start, self.job, self.data, known))
        return label_images(teachers, self.unlabelled, self.data.in_split("val"), folder, self.watcher)

    def _tell(self, number: int, labels: PseudoLabels) -> None:
        """Say what the images of a round teach."""
        images = f"{len(labels.samples)} of {counted(len(self.unlabelled), 'unlabelled image')}"
        if not labels.samples:
            self.watcher.say(f"round {number}: no box on any unlabelled image is confident")
            return
        boxes = ", ".join(
            f"{name} {count}" for name, count in zip(self.data.class_names, labels.counts, strict=True)
        )
        ignored = counted(labels.uncertain, "uncertain box")
        self.watcher.say(f"round {number}: {images} with confident boxes: {boxes}; {ignored} ignored")

    def _train(
        self,
        name: str,
        data: Dataset,
        start: Path | None,
        started: float,
        labels: PseudoLabels | None = None,
    ) -> None:
        """Train one model, and note its figures."""
        job = self._job(name, start)
        (job.out / "weights").mkdir(parents=True, exist_ok=True)
        result = train_yolo(job, data, Workspace(job.out, self.watcher, started))
        assert result.report is not None
        seconds = max(time.monotonic() - started, result.state.seconds)  # of earlier sessions, too
        self.progress = self.progress.with_round(Round.of(name, result, labels, seconds), self.folder)
        self.watcher.say(f"{self.progress.rounds[-1]}")
        gc.collect()  # networks have cycles

    def _job(self, name: str, start: Path | None) -> TrainJob:
        """The job of one model: from the run's own start, or from the model before, at its input size."""
        config = replace(self.job.config, max_minutes=self._minutes(start is None))
        job = replace(self.job, out=self.folder / name, unlabelled=None, teacher=None, config=config)
        if start is None:
            return job
        size = read_card(start).input_size
        config = replace(config, imgsz=size, freeze=0, interpolate=None)
        job = replace(job, model=None, backbone=None, backbone_weights=None, from_scratch=False)
        return replace(job, weights=str(start), config=config)

    def _minutes(self, first: bool) -> float | None:
        """The time budget of the next model, to a hundredth, as messages show it."""
        whole = self.job.config.max_minutes
        if whole is None:
            return None
        if first:
            return max(0.01, round(whole * LABELLED_FRACTION, 2))
        left = whole * (1 - CLOSING_FRACTION) - self.progress.seconds / 60
        return max(0.01, round(left / (self._count + 1 - len(self.progress.rounds)), 2))
