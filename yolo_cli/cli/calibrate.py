"""`yolo calibrate`: confidences that mean what they say."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
    from yolo_cli.pipeline.calibrating import Calibrated

__all__ = ["calibrate"]

# \b keeps click from filling a paragraph.
_HELP = """Calibrate the confidences of a model.

\b
yolo calibrate --data dir --out mine               fit and measure on val
yolo calibrate --data dir --split val --test test  fit on val, measure on test

After calibration, about 80 % of the boxes with confidence 0.8 are right. The map is fitted on half of the
images, measured on the others and saved in a copy of the model. It is monotonic, so that average precision
stays the same. Prints the calibration error (D-ECE) before and after.

Exit codes: 0 done, 2 wrong usage, 3 the data cannot be used, 5 some images failed, 130 interrupted.
"""


@click.command("calibrate", cls=YoloCommand, help=_HELP)
@data_options
@click.option("--test", metavar="NAME", help="Split to measure on.  [default: the other half of --split]")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    show_default=True,
    help="Random seed of halves.",
)
@evaluation_options
@format_option("text", "json")
@click.option("--out", metavar="NAME", help="Name or path of the copy.  [default: MODEL-calibrated]")
@click.option("--exist-ok", is_flag=True, help="Overwrite an existing model.")
@encoding_option
@config_option
@talk_options
def calibrate(
    detection: DetectionOptions, data: str, split: str | None, test: str | None, quiet: bool, **given: Any
) -> int:
    """Everything, from the data to the exit code."""
    from yolo_cli.cli.eval_inputs import chosen_classes, open_data, renamings, told
    from yolo_cli.evaluation import match_classes
    from yolo_cli.pipeline.calibrating import calibrate_detector, calibration_parts, uncalibrated
    from yolo_cli.weights.copy import save_calibrated

    images = open_data(data, split)
    parts = calibration_parts(images, test, given["seed"])
    files = detection.find()
    target = _target(given["out"] or f"{files.name}-calibrated", given["exist_ok"])
    detector = uncalibrated(detection.load(files))
    names = images.part.class_names
    chosen = chosen_classes(detection.classes, names)
    match = match_classes(detector.class_names, names, renamings(given["renamed"]), chosen)
    for note in match.notes if not quiet else ():
        say(note)
    watch = partial(told, quiet=quiet)
    try:
        done = calibrate_detector(detector, parts, match, batch=detection.batch, watch=watch)
    except KeyboardInterrupt:
        say("error: interrupted; nothing is saved")
        return INTERRUPTED
    calibration = done.result.calibration
    saved = save_calibrated(files, detector.card, target, (calibration.given, calibration.true), done.summary)
    click.echo(_shown(done, given["output_format"], saved), nl=False)
    if not done.result.helped:
        say("the calibration did not help on the images that it was measured on; take more images")
    return 5 if done.faults else 0


def _target(name: str, exist_ok: bool) -> Path:
    """Where the copy goes, without a suffix: a plain name is one in ``./weights``."""
    target = Path(name) if Path(name).name != name else Path("weights") / name
    there = [end for end in (".keras", ".onnx") if target.with_name(target.name + end).exists()]
    if there and not exist_ok:
        raise UsageError(
            f"--out {target}{there[0]}: is there already; choose another name, or add --exist-ok"
        )
    return target


def _shown(done: Calibrated, output_format: str, saved: Sequence[Path]) -> str:
    """The gain, as text or JSON."""
    from yolo_cli.text import columns

    value = done.to_json()
    if output_format == "json":
        value["files"] = [str(path) for path in saved]
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    rows = [["", "before", "after"]]
    for key, name in (("d_ece", "D-ECE"), ("map50", "mAP50"), ("map50_95", "mAP50-95")):
        figures = (value["before"][key], value["after"][key])
        rows.append([name, *("–" if figure is None else f"{figure:.4f}" for figure in figures)])
    head = f"fitted on {value['fitted_on']} images, measured on {value['measured_on']} others\n\n"
    return head + columns(rows) + "\nsaved " + ", ".join(map(str, saved)) + "\n"
