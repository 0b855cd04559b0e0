"""The files of a YOLO run."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from yolo_cli.engines import compiles
from yolo_cli.evaluation import EvaluationSet, Report, evaluate
from yolo_cli.files import atomic_write
from yolo_cli.loss import KEYPOINT_LOSSES
from yolo_cli.model.keras_file import load_keras
from yolo_cli.report import About, analyse, read_training_curves, write_report
from yolo_cli.training.checkpoint import checkpoint_of
from yolo_cli.training.events import State
from yolo_cli.training.job import TrainJob
from yolo_cli.training.result import TrainResult
from yolo_cli.training.yolo.interpolation import LOOKS, best_alpha, interpolate
from yolo_cli.training.yolo.journey import Journey
from yolo_cli.training.yolo.prepare import Prepared
from yolo_cli.training.yolo.validation import LiveEngine, Validator
from yolo_cli.weights import ModelFiles, read_card
from yolo_cli.weights.save import save_keras, save_model
from yolo_cli.weights.together import model_folder, settle

__all__ = ["COLUMNS", "Results"]

COLUMNS = (
    "epoch", "learning_rate", "loss", "box", "objectness", "class", "map50", "map50_95",
    "images_per_second", "seconds", "evaluation_seconds",
)  # fmt: skip

INTERPOLATION = "interpolation"  # key of the card's source: fraction of the starting weights in the model

FEWEST_CHOSEN_BY = 50  # validation images, if there are as many

Evaluated = tuple[EvaluationSet, Report]


# Only in runs that have such figures.
MORE_COLUMNS = ("distances", *KEYPOINT_LOSSES, "keypoints_map")


def _columns(state: State) -> list[str]:
    """The columns of ``results.csv``."""
    more = [name for name in MORE_COLUMNS if any(name in row for row in state.history)]
    return [*COLUMNS, *more]


def _fitness(evaluated: Evaluated) -> float:
    """The figure that chooses the interpolation, in [0, 1]."""
    return evaluated[1].fitness


def _deciders(part: Validator, whole: Validator) -> str:
    """Which images decided."""
    few, every = len(part.samples), len(whole.samples)
    return "the validation images" if few == every else f"{few} of the {every} validation images"


def _keypoint_lines(report: Report) -> list[str]:
    """The figure of key points for the card, if there is one."""
    points = report.keypoints
    if points is None:
        return []
    sigmas = ", ".join(f"{sigma:g}" for sigma in sorted(set(points.sigmas)))
    return [
        f"Key points: AP by OKS at 0.50 to 0.95 of {points.ap or 0:.3f}, at 0.5 of "
        f"{points.figures['AP50'] or 0:.3f}: {points.objects} objects with key points, sigmas {sigmas}."
    ]


class Results:
    """Writes the files of one run.

    Args:
        job: what is trained.
        parts: the network in float32, its card without figures, and its validator.
        say: called with messages about automatic choices.
    """

    def __init__(self, job: TrainJob, parts: Prepared, say: Callable[[str], None]) -> None:
        self.job, self.parts, self.say = job, parts, say
        self.checkpoint = checkpoint_of(job.out)

    def keep(self, name: str, model: Any) -> None:
        """Write ``weights/NAME.keras`` with the weights that ``model`` has now, and no ``.onnx``."""
        plain = self.parts.plain
        plain.set_weights(model.get_weights())
        with model_folder(self.job.out / "weights" / name) as draft:
            save_keras(plain, self.parts.card, draft / f"{name}.keras")

    def write_table(self, state: State) -> None:
        """Write ``results.csv``: one row per epoch; figures that were not measured are empty."""

        def write(draft: Path) -> None:
            with draft.open("w", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, _columns(state), restval="", extrasaction="ignore")
                table.writeheader()
                table.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in state.history)

        atomic_write(self.job.out / "results.csv", write)

    def finish(self, journey: Journey) -> TrainResult:
        """Evaluate the best weights as saved, interpolated, and write them with their figures.

        Args:
            journey: the run, with its final state.
        """
        best = self.job.out / "weights" / "best"
        settle(best)
        source = read_card(best.with_suffix(".keras")).source
        model = load_keras(best.with_suffix(".keras"))
        model.compile(jit_compile=compiles())
        start, (alpha, how) = self.parts.start, self._given()
        if start is None or INTERPOLATION in source:  # nothing to do, or done in an earlier session
            start, alpha = tuple(values.copy() for values in model.get_weights()), 0.0
        tried = alpha is None
        alpha, how, (gathered, report) = self._interpolated(model, start, alpha, how, journey)
        state = journey.state
        if alpha:
            source = source | {INTERPOLATION: f"{alpha:g}, {how}"}
            unhelped = ": what was learnt does not help on them" if alpha == 1 and tried else ""
            self.say(f"{alpha:.0%} of the starting weights are interpolated, {how}{unhelped}")
        card = replace(self.parts.card, source=source, figures=self._figures(report, state, source))
        files = save_model(model, card, best)
        assert files.keras is not None
        page = self._write_page(files, gathered)
        images = len(self.parts.maker.images)
        return TrainResult(self.job.out, files.keras, files.onnx, images, report, state, page)

    def _given(self) -> tuple[float | None, str]:
        """The fraction of the starting weights that is not to be chosen, or None; and whence it is."""
        job = self.job
        if job.config.interpolate is not None or not job.use_val:
            return job.config.interpolate, "as asked"
        return self._unchosen  # as nothing is chosen on test images

    @property
    def _unchosen(self) -> tuple[float, str]:
        """The fraction where no images can choose, and why: half, as Wortsman et al. recommend, or none."""
        return (0.5 if self.parts.well_known else 0.0), "as the network found most of these objects before"

    def _interpolated(
        self,
        model: Any,
        start: Sequence[NDArray[Any]],
        alpha: float | None,
        how: str,
        journey: Journey,
    ) -> tuple[float, str, Evaluated]:
        """Interpolate ``model`` with its starting weights: fraction, how it was chosen, and figures."""
        whole = self.parts.validator
        trained = [values.copy() for values in model.get_weights()]

        def look(alpha: float, validator: Validator) -> Evaluated:
            model.set_weights(interpolate(trained, start, alpha))
            gathered = validator.gather(LiveEngine(model, validator.batch))
            return gathered, evaluate(gathered, conditions=validator.conditions)

        if alpha is not None:
            return alpha, how, look(alpha, whole)
        part = self._chosen_by(journey)
        if part is None:
            self.say("no time is left to choose how to interpolate weights; give --max-minutes more")
            alpha, how = self._unchosen
            return alpha, how, look(alpha, whole)
        after = 0 if part is whole else len(whole.samples)
        alpha, evaluated = best_alpha(
            lambda alpha: look(alpha, part), _fitness, lambda: journey.allows(len(part.samples) + after)
        )
        if part is not whole:
            evaluated = look(alpha, whole)
        model.set_weights(interpolate(trained, start, alpha))
        return alpha, f"chosen by {_deciders(part, whole)}", evaluated

    def _chosen_by(self, journey: Journey) -> Validator | None:
        """Evaluates the images that the interpolation is chosen by: as many as time allows, if enough."""
        whole, sampled = self.parts.validator, self.parts.sampled
        most = len(sampled.samples)
        if sampled is whole and journey.images_a_look(LOOKS, 0) >= most:
            return whole
        count = min(journey.images_a_look(LOOKS, len(whole.samples)), most)
        if count < min(FEWEST_CHOSEN_BY, most):
            return None
        return sampled if count == most else sampled.sampled(int(count), self.job.config.seed)

    def _figures(self, report: Report, state: State, source: Mapping[str, str]) -> tuple[str, ...]:
        """The figures with their protocol, for the card."""
        used = self.parts.validator.conditions
        how = (
            f"{report.images} {self._split} images, COCO rules, "
            f"confidence floor {used.confidence_floor:g}, suppression {used.suppression}, {used.resize}"
        )
        if self.job.use_val:
            which = f"The last of {state.epoch} epochs; these images were used only then."
        elif report.map50_95 is None:
            return (f"None: no {self._split} image has an object. The last of {state.epoch} epochs.",)
        else:
            part = len(self.parts.sampled.samples)
            by = "these very images" if part == report.images else f"{part} of these images"
            which = f"The best of {state.epoch} epochs (number {state.best_epoch}), chosen by {by}."
        figures = f"mAP at IoU 0.5 of {report.map50 or 0:.3f}, at 0.50 to 0.95 of {report.map50_95 or 0:.3f}"
        mix = (
            [f"Fraction of the starting weights: {source[INTERPOLATION]}."] if INTERPOLATION in source else []
        )
        return (f"{figures}: {how}.", *_keypoint_lines(report), which, *mix)

    @property
    def _split(self) -> str:
        """The name of the split that is evaluated."""
        return "test" if self.job.use_val else "validation"

    def _write_page(self, files: ModelFiles, gathered: EvaluationSet) -> Path:
        """Write ``report.html``: the best model's figures, and the curves of the training."""
        page, validator = self.job.out / "report.html", self.parts.validator
        lint = f"yolo lint --data {shlex.quote(self.job.data)} --weights {shlex.quote(str(self.job.out))}"
        about = About(
            str(files.onnx or files.keras),
            f"{self.job.data}, {self._split} images",
            lint=lint,
        )
        curves = read_training_curves(self.job.out / "results.csv")
        analysis = analyse(gathered, conditions=validator.conditions)
        write_report(page, analysis, about, validator.read, training_curves=curves)
        return page
