"""What a run leaves in its folder."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from yolo_cli.checkpoint import State
from yolo_cli.evaluation import EvaluationSet, Report, evaluate
from yolo_cli.files import atomic_write
from yolo_cli.training.job import ARGS
from yolo_cli.training.mixing import mixed, way_back
from yolo_cli.training.validation import LiveEngine, Validator
from yolo_cli.weights import ModelCard, read_card
from yolo_cli.weights.save import save_keras, save_model

__all__ = ["COLUMNS", "Outcome", "Results", "checkpoint_of", "forget_unlearnt"]

COLUMNS = (
    "epoch", "learning_rate", "loss", "box", "objectness", "class", "map50", "map50_95",
    "images_per_second", "seconds",
)  # fmt: skip

MIXED = "start_share"  # under this name a card says how much of the starting weights is in the model


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a run gave.

    Attributes:
        keras, onnx: the files of the best model; the second is None where ONNX cannot be written.
        report: how good it is on the validation images.
        state: where the run ended.
        gathered: what it found there, beside the ground truth.
        validator: how it was judged.
    """

    keras: Path
    onnx: Path | None
    report: Report
    state: State
    gathered: EvaluationSet
    validator: Validator


def checkpoint_of(out: Path) -> Path:
    """The file in a run's folder that holds all that is needed to go on."""
    return out / "weights" / "checkpoint.npz"


def forget_unlearnt(out: Path) -> None:
    """Remove the folder of a run that failed before it learnt anything: the same words can be typed again.

    A folder that holds anything else stays.
    """
    weights = out / "weights"
    if weights.is_dir() and any(weights.iterdir()):
        return
    (out / ARGS).unlink(missing_ok=True)
    for folder in (weights, out):
        with suppress(OSError):
            folder.rmdir()


def _figure(seen: tuple[EvaluationSet, Report]) -> float:
    """What decides, in [0, 1]."""
    return seen[1].map50_95 or 0.0


class Results:
    """Writes the files of one run.

    Args:
        out: the run's folder.
        plain: the network in float32, which lends its structure to every file.
        card: what the model says of itself, without figures.
        judged_once: the images that it is judged on had no say in which epoch is kept.
        say: told what was chosen.
    """

    def __init__(
        self, out: Path, plain: Any, card: ModelCard, judged_once: bool, say: Callable[[str], None]
    ) -> None:
        self.out, self.plain, self.card, self.judged_once, self.say = out, plain, card, judged_once, say
        self.checkpoint = checkpoint_of(out)

    def keep(self, name: str, model: Any) -> None:
        """Write ``weights/NAME.keras`` with the weights that ``model`` has now."""
        self.plain.set_weights(model.get_weights())
        save_keras(self.plain, self.card, self.out / "weights" / f"{name}.keras")

    def write_table(self, state: State) -> None:
        """Write ``results.csv``: one row an epoch; a figure that was not measured is empty."""

        def write(draft: Path) -> None:
            with draft.open("w", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore")
                table.writeheader()
                table.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in state.history)

        atomic_write(self.out / "results.csv", write)

    def finish(
        self,
        validator: Validator,
        state: State,
        start: Sequence[NDArray[Any]] | None = None,
        share: float | None = None,
    ) -> Outcome:
        """Judge the best weights once more as they are shipped, and write them with their figures.

        Args:
            validator: judges.
            state: where the run ended.
            start: the weights before it; None if they are of no use.
            share: how much of the result they are; None tries.
        """
        import keras

        best = self.out / "weights" / "best"
        source = read_card(best.with_suffix(".keras")).source
        model = keras.saving.load_model(best.with_suffix(".keras"), compile=False)
        model.compile(jit_compile=False)
        learnt = [values.copy() for values in model.get_weights()]
        if start is None or MIXED in source:  # nothing to go back to, or a sitting before did it
            start, share = learnt, 0.0

        def look(part: float) -> tuple[EvaluationSet, Report]:
            model.set_weights(mixed(learnt, start, part))
            gathered = validator.gather(LiveEngine(model, validator.batch))
            return gathered, evaluate(gathered, conditions=validator.conditions)

        if share is None:
            share, (gathered, report) = way_back(look, _figure)
            chosen = "chosen by the validation images"
        else:
            gathered, report = look(share)
            chosen = "as asked"
        if share:
            model.set_weights(mixed(learnt, start, share))
            source = source | {MIXED: f"{share:g}, {chosen}"}
            self.say(f"{share:.0%} of the weights that it started from are mixed in, {chosen}")
        card = replace(self.card, source=source, figures=self._figures(report, validator, state, source))
        files = save_model(model, card, best)
        assert files.keras is not None
        return Outcome(files.keras, files.onnx, report, state, gathered, validator)

    def _figures(
        self, report: Report, validator: Validator, state: State, source: Mapping[str, str]
    ) -> tuple[str, ...]:
        """What was measured, with how."""
        made = validator.conditions
        how = (
            f"{report.images} {'test' if self.judged_once else 'validation'} images, COCO rules, "
            f"confidence floor {made.confidence_floor:g}, suppression {made.suppression}, {made.resize}"
        )
        chosen = f"The best of {state.epoch} epochs (the {state.best_epoch}th), chosen by these very images."
        last = f"The last of {state.epoch} epochs; these images were looked at only then."
        figures = f"mAP at IoU 0.5 of {report.map50 or 0:.3f}, at 0.50 to 0.95 of {report.map50_95 or 0:.3f}"
        mix = [f"Share of its starting weights mixed in: {source[MIXED]}."] if MIXED in source else []
        return (f"{figures}: {how}.", last if self.judged_once else chosen, *mix)
