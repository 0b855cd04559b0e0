"""`yolo eval`: a model, or another program's results, against ground truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.group import INTERRUPTED, YoloCommand
from yolo_cli.cli.options import (
    DetectionOptions,
    config_option,
    data_options,
    encoding_option,
    evaluation_options,
    format_option,
    talk_options,
)
from yolo_cli.cli.progress import say
from yolo_cli.errors import UsageError

if TYPE_CHECKING:
    from yolo_cli.evaluation import Gate, TideRule
    from yolo_cli.pipeline.evaluating import Evaluated, EvaluationData
    from yolo_cli.report import EvaluationResult

__all__ = ["eval"]

_RUN_FOLDER = "runs/eval"
_JOURNAL = "detections.ndjson"

# \b keeps click from filling a paragraph.
_HELP = """Evaluate a model, or another program's results, on a data set.

\b
yolo eval --data dir                                  the bundled model on the data's val split
yolo eval --data dir --weights mine --iou 0.75        another model, another IoU threshold
yolo eval --data dir --detections results.json        boxes of another program
yolo eval --data dir --fail-under map50=0.60          exit code 4 below that
yolo eval --data dir --baseline runs/eval             better or worse than that run?

Prints the figures, and saves a page with curves, errors and images. The data is a folder or a file in
YOLO, COCO or Pascal VOC form, as for `yolo lint`. Classes of model and data are matched by name.

Exit codes: 0 done, 2 wrong usage, 3 the data cannot be used, 4 a gate was not met, 5 done but some inputs
could not be used, 130 interrupted: continue with --resume.
"""


@dataclass(frozen=True, slots=True)
class _Options:
    """The command line of `yolo eval`, each option under its own name."""

    data: str
    split: str | None
    renamed: tuple[str, ...]
    detections: str | None
    names: str | None
    iou: float
    protocol: str
    target_precision: float | None
    fail_under: tuple[str, ...]
    baseline: str | None
    fail_if_worse: bool
    cross_check: bool
    tide: TideRule
    detection: DetectionOptions
    output_format: str
    out: str | None
    save: bool
    plots: bool
    resume: str | None
    exist_ok: bool
    quiet: bool
    verbose: bool


@click.command("eval", cls=YoloCommand, help=_HELP)
@data_options
@click.option(
    "--detections",
    metavar="PATH",
    help="Another program's boxes: COCO results .json, or a folder of YOLO .txt.",
)
@click.option("--names", metavar="FILE", help="That program's classes, one a line.  [default: the data's]")
@click.option("--iou", type=float, default=0.5, show_default=True, help="IoU threshold of a match.")
@click.option(
    "--protocol",
    type=click.Choice(["coco", "voc07", "voc10"]),
    default="coco",
    show_default=True,
    help="The rules of matching and averaging.",
)
@click.option(
    "--tide",
    type=click.Choice(["tidecv", "replace"]),
    default="tidecv",
    show_default=True,
    help="Who keeps an object once a wrong box on it is fixed.",
)
@click.option("--target-precision", type=float, help="Name the threshold of each class that reaches this.")
@click.option("--fail-under", multiple=True, metavar="NAME=VALUE", help="Exit with 4 if a figure is lower.")
@click.option("--baseline", metavar="RUN", help="Compare with an earlier run: its folder or run.json.")
@click.option("--fail-if-worse", is_flag=True, help="Exit with 4 if the baseline was better beyond chance.")
@click.option("--cross-check", is_flag=True, help="Evaluate with pycocotools too, and show both.")
@evaluation_options
@format_option("text", "json")
@click.option("--out", metavar="DIR", help=f"Where the page is saved.  [default: a new {_RUN_FOLDER}]")
@click.option("--save/--no-save", default=True, help="Save page and figures, or do not.  [default: save]")
@click.option("--plots", is_flag=True, help="Save the curves as PNG and SVG, too.")
@click.option("--resume", metavar="DIR", help="Continue the interrupted run in this folder.")
@click.option("--exist-ok", is_flag=True, help="Write into a folder that is there already.")
@encoding_option
@config_option
@talk_options
def eval(**given: Any) -> int:  # noqa: A001  # the command's name
    """Read what is on the command line, and run."""
    return _run(_Options(**given))


def _run(options: _Options) -> int:
    """Everything, from the data to the exit code."""
    from yolo_cli.cli.eval_inputs import chosen_classes, open_data
    from yolo_cli.evaluation import RunRecord, check_gates, protocol, read_gate
    from yolo_cli.report import About, analyse, evaluation_result

    rules = protocol(options.protocol, options.iou)
    _check(options)
    gates = [read_gate(text) for text in options.fail_under]
    before = RunRecord.read(Path(options.baseline)) if options.baseline else None
    data = open_data(options.data, options.split)
    chosen = chosen_classes(options.detection.classes, data.part.class_names)
    check_gates(gates, rules, chosen or data.part.class_names)
    folder = _folder(options)
    try:
        evaluated = _evaluate(options, data, chosen, folder and folder / _JOURNAL)
    except KeyboardInterrupt:
        say(f"error: interrupted; what is done is kept{_how_to_go_on(folder)}")
        return INTERRUPTED
    for note in evaluated.notes if not options.quiet else ():
        if note not in (*data.notes, *evaluated.faults):  # those are told already
            say(note)
    result = evaluation_result(
        analyse(evaluated.evaluation_set, rules, evaluated.conditions, options.tide),
        About(evaluated.model, data.name, evaluated.notes),
        target_precision=options.target_precision,
        baseline=before,
        pycocotools=options.cross_check,
    )
    _print(options, result)
    if folder:
        samples = {sample.name: sample for sample in data.part.samples}
        page = result.save(folder, lambda name: samples[name].read(), options.plots)
        if not options.quiet:
            say(f"saved in {folder}; open {page} in a browser")
    return _exit_code(_missed(options, result, gates), evaluated.faults)


def _evaluate(
    options: _Options, data: EvaluationData, chosen: Sequence[str], journal_path: Path | None
) -> Evaluated:
    """A model's boxes, or those of another program, beside the ground truth."""
    from yolo_cli.cli.eval_inputs import open_journal, read_names, renamings, told
    from yolo_cli.evaluation import match_classes
    from yolo_cli.pipeline.evaluating import evaluate_detector, evaluate_results

    names, renamed = data.part.class_names, renamings(options.renamed)
    detection = options.detection
    if options.detections:
        own = read_names(Path(options.names)) if options.names else None
        match = match_classes(own or names, names, renamed, chosen)
        path = Path(options.detections)
        found = evaluate_results(path, data, match, own_names=own, conf=detection.conf)
        for line in found.faults:
            say(f"error: {line}")
        return found
    files = detection.find()
    detector = detection.load(files)
    match = match_classes(detector.class_names, names, renamed, chosen)
    watch = partial(told, quiet=options.quiet)
    with open_journal(journal_path, options.resume is not None, detector, files) as journal:
        return evaluate_detector(detector, data, match, batch=detection.batch, journal=journal, watch=watch)


def _check(options: _Options) -> None:
    """Raise UsageError for options that contradict each other."""
    conf = options.detection.conf
    contradictions = (
        (
            options.detections and options.detection.weights,
            "--detections evaluates boxes that are there; leave out --weights",
        ),
        (options.names and not options.detections, "--names goes with --detections"),
        (options.cross_check and options.protocol != "coco", "--cross-check goes with --protocol coco only"),
        (options.fail_if_worse and not options.baseline, "--fail-if-worse needs a --baseline"),
        (options.resume and (options.out or options.detections), "--resume names the run's folder by itself"),
        (options.resume and not options.save, "--resume goes on with a saved run; leave out --no-save"),
        (options.plots and not options.save, "--plots are saved; leave out --no-save"),
        (
            options.target_precision is not None and not 0 < options.target_precision <= 1,
            "--target-precision must be above 0 and at most 1",
        ),
        (conf is not None and not 0 <= conf <= 1, "--conf must be between 0 and 1"),
    )
    for contradiction, text in contradictions:
        if contradiction:
            raise UsageError(text)


def _folder(options: _Options) -> Path | None:
    """The run's folder, made if need be; None if nothing is saved."""
    from yolo_cli.cli.runs import open_run_folder

    if options.resume:
        return Path(options.resume)
    return open_run_folder(_RUN_FOLDER, options.out, options.exist_ok) if options.save else None


def _how_to_go_on(folder: Path | None) -> str:
    return f"; continue with the same options and --resume {folder}" if folder else ""


def _print(options: _Options, result: EvaluationResult) -> None:
    """Figures on stdout."""
    if options.output_format == "json":
        click.echo(json.dumps(result.to_json(), indent=1, ensure_ascii=False, allow_nan=False))
        return
    from yolo_cli.cli.eval_text import checks_text, differences_text, thresholds_text
    from yolo_cli.report import summary

    parts = [summary(result.analysis, result.about)]
    if result.thresholds is not None:
        parts.append(thresholds_text(result.thresholds, options.target_precision or 0.0))
    if result.differences is not None:
        parts.append(differences_text(result.differences))
    if result.checks is not None:
        parts.append(checks_text(result.checks))
    click.echo("\n".join(parts), nl=False)


def _missed(options: _Options, result: EvaluationResult, gates: Sequence[Gate]) -> list[str]:
    """One line for each figure that is too low, or that the baseline had better beyond chance."""
    from yolo_cli.evaluation import missed_gates

    worse = [name for name, it in (result.differences or {}).items() if it.verdict == "worse"]
    missed = missed_gates(gates, result.analysis.report)
    return missed + [f"{name} is worse than the baseline's" for name in worse if options.fail_if_worse]


def _exit_code(missed: Sequence[str], faults: Sequence[str]) -> int:
    """By the table in the documentation; a missed gate takes precedence over inputs that failed."""
    for line in missed:
        say(f"error: {line}")
    return 4 if missed else 5 if faults else 0
