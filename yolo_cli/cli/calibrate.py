"""`yolo calibrate`: confidences that mean what they say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import INTERRUPTED, YoloCommand
from yolo_cli.cli.options import (
    config_option,
    data_options,
    encoding_option,
    evaluation_options,
    format_option,
    talk_options,
)
from yolo_cli.cli.progress import say
from yolo_cli.errors import UsageError
from yolo_cli.files import atomic_write_text

if TYPE_CHECKING:
    from yolo_cli.cli.judged import Model
    from yolo_cli.datasets import Dataset, Sample
    from yolo_cli.judging import Calibrated
    from yolo_cli.weights import ModelFiles

__all__ = ["calibrate"]

_NO_LONGER = "Confidences are not calibrated"  # a limit that the bundled model's card names

# The sign \b keeps click from filling a paragraph.
_HELP = """Make a model's confidences mean what they say.

\b
yolo calibrate --data dir --out mine                  fit on half of val, measure on the other half
yolo calibrate --data dir --split val --test test     fit on val, measure on test

Of all boxes with confidence 0.8, four of five should be right. This fits a rising map that makes it so, and
stores it in a copy of the model. As it rises, the order of boxes stays, and so does average precision.
Prints how far confidence and the share of right boxes lie apart (D-ECE), before and after.

Exit codes: 0 done, 2 wrong usage, 3 the data cannot be used, 5 done but some images failed, 130
interrupted.
"""


@dataclass(frozen=True, slots=True)
class _Options:
    """The command line of `yolo calibrate`, each option under its own name."""

    data: str
    split: str | None
    renamed: tuple[str, ...]
    test: str | None
    seed: int
    weights: str | None
    imgsz: tuple[int, int] | None
    conf: float | None
    nms_iou: float
    max_det: int
    classes: tuple[str, ...]
    agnostic: bool
    suppression: Any
    resize: Any
    device: Any
    engine: Any
    batch: int
    output_format: str
    out: str | None
    exist_ok: bool
    quiet: bool
    verbose: bool


@click.command("calibrate", cls=YoloCommand, help=_HELP)
@data_options
@click.option("--test", metavar="NAME", help="The split to measure on.  [default: the other half of --split]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws the halves.")
@evaluation_options
@format_option("text", "json")
@click.option("--out", metavar="NAME", help="The copy's name or path.  [default: MODEL-calibrated]")
@click.option("--exist-ok", is_flag=True, help="Overwrite a model of that name.")
@encoding_option
@config_option
@talk_options
def calibrate(**given: Any) -> int:
    """Read what is on the command line, and run."""
    return _run(_Options(**given))


def _run(options: _Options) -> int:
    """Everything, from the data to the exit code."""
    from yolo_cli.cli.judged import load_model, open_images
    from yolo_cli.config import DEFAULT_MODEL
    from yolo_cli.weights import find_model

    images = open_images(options.data, options.split)
    fit, test = _parts(options, images.part, images.whole)
    files = find_model(options.weights or DEFAULT_MODEL)
    target = _target(options, files)
    model = _plain(load_model(options))
    try:
        done, faults = _fit(options, model, fit, test)
    except KeyboardInterrupt:
        say("error: interrupted; nothing is saved")
        return INTERRUPTED
    saved = _save(model, files, done, target, f"{images.name}, {len(fit)} images")
    click.echo(_shown(options, done, len(fit), len(test), saved), nl=False)
    if (done.after.reliability.error or 0) >= (done.before.reliability.error or 0):
        say("the calibration did not help on the images that it was measured on; take more images")
    return 5 if faults else 0


def _plain(model: Model) -> Model:
    """The model without the calibration that it may have: a new one replaces it."""
    card = model.detector.card
    if card.detector != "yolo":
        raise UsageError(f"{card.name}: is a {card.detector}, and only YOLO models can be calibrated")
    return replace(model, detector=replace(model.detector, card=replace(card, calibration=None)))


def _parts(options: _Options, part: Dataset, whole: Dataset) -> tuple[Dataset, Dataset]:
    """The images to fit on, and those to measure on."""
    from yolo_cli.judging import halves

    if options.test is not None:
        if options.test == part.samples[0].split:
            raise UsageError(f"--test {options.test}: is the split that is fitted on; name another, or none")
        return part, whole.in_split(options.test)
    if len(part) < 2:
        raise UsageError(f"{options.data}: has one image, which cannot be halved")
    first = halves(len(part), options.seed)  # (P,)
    chosen: tuple[list[Sample], list[Sample]] = ([], [])
    for sample, in_first in zip(part.samples, first, strict=True):
        chosen[0 if in_first else 1].append(sample)
    return replace(part, samples=tuple(chosen[0])), replace(part, samples=tuple(chosen[1]))


def _target(options: _Options, files: ModelFiles) -> Path:
    """Where the copy goes, without a suffix: a plain name lies in ``./weights``."""
    name = options.out or f"{files.name}-calibrated"
    target = Path(name) if Path(name).name != name else Path("weights") / name
    there = [end for end in (".keras", ".onnx") if target.with_name(target.name + end).exists()]
    if there and not options.exist_ok:
        raise UsageError(
            f"--out {target}{there[0]}: is there already; choose another name, or add --exist-ok"
        )
    return target


def _fit(options: _Options, model: Model, fit: Dataset, test: Dataset) -> tuple[Calibrated, list[str]]:
    """Detect on both parts, and fit."""
    from yolo_cli.cli.judged import chosen_classes, detect_all, renamings, tell_classes
    from yolo_cli.judging import calibrate, gather, match_classes
    from yolo_cli.report import RELIABLE_FROM

    names = model.detector.class_names
    data = fit.class_names
    only = chosen_classes(options.classes, data)
    match = match_classes(names, data, renamings(options.renamed), only)
    for line in tell_classes(match) if not options.quiet else ():
        say(line)
    sets, faults = [], []
    for part in (fit, test):
        found, failed = detect_all(model, part, options.batch, None, False, options.quiet)
        sets.append(gather(part.samples, found, match))
        faults += failed
    return calibrate(sets[0], sets[1], RELIABLE_FROM), faults


def _save(model: Model, files: ModelFiles, done: Calibrated, target: Path, fitted_on: str) -> list[Path]:
    """Write the copy, and its page for people."""
    from yolo_cli.weights.card import card_text
    from yolo_cli.weights.copy import copy_model
    from yolo_cli.weights.store import sha256

    before, after = (f"{seen.reliability.error or 0:.3f}" for seen in (done.before, done.after))
    figure = f"D-ECE {before} before and {after} after calibration on {fitted_on}"
    knots = (done.calibration.given, done.calibration.true)
    card = model.detector.card
    limits = tuple(line for line in card.limits if not line.startswith(_NO_LONGER))
    figures = (*card.figures, figure)
    card = replace(card, name=target.name, calibration=knots, figures=figures, limits=limits)
    written = copy_model(files, card, target)
    paths = [path for path in (written.keras, written.onnx) if path]
    page = target.with_name(f"{target.name}.md")
    atomic_write_text(page, card_text(card, {path.name: sha256(path) for path in paths}))
    return [*paths, page]


def _shown(options: _Options, done: Calibrated, fit: int, test: int, saved: Sequence[Path]) -> str:
    """The gain, as text or JSON."""
    from yolo_cli.text import columns

    seen = {"before": done.before, "after": done.after}
    figures = {
        name: {"d_ece": it.reliability.error, "map50": it.map50, "map50_95": it.map50_95}
        for name, it in seen.items()
    }
    if options.output_format == "json":
        value = {"fitted_on": fit, "measured_on": test, **figures}
        value |= {"calibration": done.calibration.to_json(), "files": [str(path) for path in saved]}
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    rows = [["", "before", "after"]]
    for key, name in (("d_ece", "D-ECE"), ("map50", "mAP50"), ("map50_95", "mAP50-95")):
        rows.append([name, *("–" if it[key] is None else f"{it[key]:.4f}" for it in figures.values())])
    head = f"fitted on {fit} images, measured on {test} others\n\n"
    return head + columns(rows) + "\nsaved " + ", ".join(map(str, saved)) + "\n"
