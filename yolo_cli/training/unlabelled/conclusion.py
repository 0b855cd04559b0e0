"""The result of a run with unlabelled images: the best of its models, and the page."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from yolo_cli.datasets import Dataset
from yolo_cli.detectors import load_detector
from yolo_cli.evaluation import match_classes
from yolo_cli.pipeline.evaluating import EvaluationData, evaluate_detector
from yolo_cli.report import About, Analysis, analyse, read_training_curves, write_report
from yolo_cli.report.examples import ReadImage
from yolo_cli.report.pseudo_labels import ClassCount, PseudoLabelFigures, Trained
from yolo_cli.text import counted
from yolo_cli.training.checkpoint import checkpoint_of, load_checkpoint
from yolo_cli.training.events import State
from yolo_cli.training.job import TrainJob
from yolo_cli.training.result import TrainResult
from yolo_cli.training.unlabelled.progress import LABELLED, Progress, Round
from yolo_cli.training.workspace import UNFINISHED, Workspace
from yolo_cli.training.yolo.validation import NEARLY_ALL
from yolo_cli.weights import ModelCard, ModelFiles, read_card
from yolo_cli.weights.copy import copy_model
from yolo_cli.weights.store import model_files

__all__ = ["conclude", "finished", "verdict"]


def conclude(job: TrainJob, data: Dataset, progress: Progress, workspace: Workspace) -> TrainResult:
    """Keep the best model in the run's folder, and write its page.

    Args:
        job: what was trained.
        data: the data set, with its splits.
        progress: the models.
        workspace: notified of the choice.
    """
    workspace.watcher.say(verdict(progress))
    best = progress.best
    source = job.out / UNFINISHED / best.name
    files = _kept(job, source, best)
    analysis, page = _analysed(job, data, files), job.out / "report.html"
    about = About(str(files.onnx or files.keras), f"{job.data}, validation images")
    curves = read_training_curves(job.out / "results.csv")
    read = _reader(data.in_split("val"))
    figures = _figures(data, progress)
    write_report(page, analysis, about, read, training_curves=curves, pseudo_labels=figures)
    images = len(data.in_split("train")) + best.images
    state = load_checkpoint(checkpoint_of(source))
    return _result(job, files, images, analysis, state[0] if state else State())


def _reader(data: Dataset) -> ReadImage:
    """A function from the name of an image to it."""
    samples = {sample.name: sample for sample in data.samples}
    return lambda name: samples[name].read()


def _result(
    job: TrainJob, files: ModelFiles, images: int, analysis: Analysis, state: State | None = None
) -> TrainResult:
    page = job.out / "report.html"
    return TrainResult(
        job.out, files.keras or files.first, files.onnx, images, analysis.report, state or State(), page
    )


def finished(job: TrainJob, data: Dataset) -> TrainResult:
    """The result of a run that is complete, evaluated again; its epochs are not kept."""
    files = model_files(job.out / "weights" / "best")
    return _result(job, files, len(data.in_split("train")), _analysed(job, data, files))


def verdict(progress: Progress) -> str:
    """Whether the unlabelled images helped, in one line.

    A round also trains for longer than the first model did, so its gain is not that of the images alone.
    """
    first, last, best = progress.rounds[0], progress.rounds[-1], progress.best
    if last is first:
        return "no unlabelled image was of use; the first model is kept"
    before = f"not {first.map50:.3f} and {first.map50_95:.3f}"
    if best is first:
        return f"the unlabelled images do not help on val: {last}, {before}; the first model is kept"
    return f"the unlabelled images, with the training they add, help on val: {best}, {before}"


def _kept(job: TrainJob, source: Path, best: Round) -> ModelFiles:
    """Copy the files of the best model to the run's folder, under its name."""
    for name in ("last", "best"):
        files = model_files(source / "weights" / name)
        kept = copy_model(files, _card(job, files, best), job.out / "weights" / name)
    shutil.copy(source / "results.csv", job.out / "results.csv")
    if (source / "tensorboard").is_dir():
        shutil.copytree(source / "tensorboard", job.out / "tensorboard", dirs_exist_ok=True)
    return kept


def _card(job: TrainJob, files: ModelFiles, best: Round) -> ModelCard:
    """The card of a model of this run: where the first one started, and what this one learnt from besides."""
    card = replace(read_card(files.first), name=job.out.name)
    if best.name == LABELLED:
        return card
    first = read_card(job.out / UNFINISHED / LABELLED / "weights" / "best.keras")
    by = f" by {job.teacher}" if job.teacher else ""
    learnt = f"{card.training_data}; {counted(best.images, 'image')} with pseudo-labels{by}"
    return replace(card, origin=first.origin, licence=first.licence, training_data=learnt)


def _analysed(job: TrainJob, data: Dataset, files: ModelFiles) -> Analysis:
    """The figures of the best model on the validation images."""
    options = replace(NEARLY_ALL, tile=job.config.tile, tile_overlap=job.config.tile_overlap)
    detector = load_detector(files, device=job.config.device, config=options)
    classes = match_classes(data.class_names, data.class_names)
    evaluated = evaluate_detector(detector, EvaluationData(data.in_split("val"), data), classes)
    return analyse(evaluated.evaluation_set, conditions=evaluated.conditions)


def _figures(data: Dataset, progress: Progress) -> PseudoLabelFigures:
    """What the page shows of the pseudo-labels: those of the best model, or of the last without one."""
    best = progress.best
    shown = best if best.counts else progress.rounds[-1]
    labelled = data.in_split("train").class_counts().tolist()
    pseudo = shown.counts or (0,) * len(labelled)
    classes = tuple(map(ClassCount, data.class_names, labelled, pseudo))
    models = tuple(
        Trained(each.title, each.images, each.map50, each.map50_95, each is best) for each in progress.rounds
    )
    return PseudoLabelFigures(verdict(progress), classes, models)
