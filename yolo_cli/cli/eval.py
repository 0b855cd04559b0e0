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
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_write_text

if TYPE_CHECKING:
    from yolo_cli.evaluation import Check, Difference, OperatingPoint, RunRecord, TideRule
    from yolo_cli.pipeline.evaluating import Evaluated, EvaluationData
    from yolo_cli.report import About, Analysis

__all__ = ["eval"]

_RUN_FOLDER = "runs/eval"
_JOURNAL = "detections.ndjson"
_RUN = "run.json"

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


@dataclass(frozen=True, slots=True, eq=False)
class _Extras:
    """What was asked for beside the figures."""

    thresholds: dict[str, OperatingPoint | None] | None
    differences: dict[str, Difference] | None
    checks: tuple[Check, ...] | None
    missed_gates: list[str]


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
    from yolo_cli.evaluation import check_gates, protocol, read_gate
    from yolo_cli.report import About, analyse

    rules = protocol(options.protocol, options.iou)
    _check(options)
    gates = [read_gate(text) for text in options.fail_under]
    before = _read_run(Path(options.baseline)) if options.baseline else None
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
    analysis = analyse(evaluated.evaluation_set, rules, evaluated.conditions, options.tide)
    extras = _extras(options, analysis, gates, before)
    about = About(evaluated.model, data.name, evaluated.notes, extras.differences or {})
    _print(options, analysis, about, extras)
    if folder:
        _save(options, folder, analysis, about, extras, data)
    return _exit_code(evaluated, extras)


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
            "--target-precision must lie above 0 and at most at 1",
        ),
        (conf is not None and not 0 <= conf <= 1, "--conf must lie between 0 and 1"),
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


def _read_run(path: Path) -> RunRecord:
    """The record in a run's folder, or in its file."""
    from yolo_cli.evaluation import RunRecord

    path = path / _RUN if path.is_dir() else path
    try:
        return RunRecord.from_json(json.loads(path.read_bytes())["record"])
    except OSError as fault:
        raise DataError(
            f"{path}: cannot be read: {fault.strerror}; --baseline needs an earlier run"
        ) from fault
    except (ValueError, KeyError, TypeError, DataError) as fault:
        raise DataError(f"{path}: is not a {_RUN} of yolo eval; run the baseline again") from fault


def _extras(options: _Options, analysis: Analysis, gates: Sequence[Any], before: RunRecord | None) -> _Extras:
    """Thresholds, comparison, cross-check and gates, as asked for."""
    from yolo_cli.evaluation import (
        compare_runs,
        cross_check,
        missed_gates,
        record_run,
        thresholds_for_precision,
    )

    report = analysis.report
    target = options.target_precision
    missed = missed_gates(gates, report)
    differences = compare_runs(before, record_run(analysis.matches)) if before else None
    if options.fail_if_worse and differences:
        missed += [
            f"{name} is worse than the baseline's"
            for name, it in differences.items()
            if it.verdict == "worse"
        ]
    return _Extras(
        thresholds_for_precision(report, target) if target is not None else None,
        differences,
        cross_check(analysis.gathered, report.coco) if options.cross_check else None,
        missed,
    )


def _print(options: _Options, analysis: Analysis, about: About, extras: _Extras) -> None:
    """Figures on stdout."""
    if options.output_format == "json":
        value = {"model": about.model, **_json(analysis, extras)}
        click.echo(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))
        return
    from yolo_cli.cli.eval_text import checks_text, differences_text, thresholds_text
    from yolo_cli.report import summary

    parts = [summary(analysis, about)]
    if extras.thresholds is not None:
        parts.append(thresholds_text(extras.thresholds, options.target_precision or 0.0))
    if extras.differences is not None:
        parts.append(differences_text(extras.differences))
    if extras.checks is not None:
        parts.append(checks_text(extras.checks))
    click.echo("\n".join(parts), nl=False)


def _json(analysis: Analysis, extras: _Extras) -> dict[str, Any]:
    """Everything as plain data."""
    value = analysis.to_json()
    if extras.thresholds is not None:
        value["thresholds"] = {
            name: point
            and {"confidence": point.confidence, "precision": point.precision, "recall": point.recall}
            for name, point in extras.thresholds.items()
        }
    if extras.differences is not None:
        value["baseline"] = {name: it.to_json() for name, it in extras.differences.items()}
    if extras.checks is not None:
        value["cross_check"] = {it.name: {"ours": it.ours, "pycocotools": it.theirs} for it in extras.checks}
    return value


def _save(
    options: _Options,
    folder: Path,
    analysis: Analysis,
    about: About,
    extras: _Extras,
    data: EvaluationData,
) -> None:
    """Page, figures and plots into the run's folder."""
    from yolo_cli.evaluation import record_run
    from yolo_cli.report import write_plots, write_report

    record = record_run(analysis.matches)
    value = {"model": about.model, **_json(analysis, extras), "record": record.to_json()}
    atomic_write_text(folder / _RUN, json.dumps(value, allow_nan=False))
    samples = {sample.name: sample for sample in data.part.samples}
    page = folder / "report.html"
    write_report(page, analysis, about, lambda name: samples[name].read())
    if options.plots:
        write_plots(folder / "plots", analysis)
    if not options.quiet:
        say(f"saved in {folder}; open {page} in a browser")


def _exit_code(evaluated: Evaluated, extras: _Extras) -> int:
    """By the table in the documentation; a missed gate takes precedence over inputs that failed."""
    for line in extras.missed_gates:
        say(f"error: {line}")
    if extras.missed_gates:
        return 4
    return 5 if evaluated.faults else 0
