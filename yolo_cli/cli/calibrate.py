"""`yolo calibrate`: confidences that mean what they say."""

from __future__ import annotations

from typing import Any

import click

from yolo_cli.cli.eval_inputs import Telling, open_data, renamings
from yolo_cli.cli.group import INTERRUPTED, YoloCommand
from yolo_cli.cli.options import data_options, evaluation_options, format_option, general_options
from yolo_cli.cli.progress import echo_result
from yolo_cli.cli.terminal import say

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
@data_options()
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
@general_options
def calibrate(detection: dict[str, Any], data: str, quiet: bool, **given: Any) -> int:
    """Fit, print, and say what is left to know."""
    from yolo_cli.api.calibration import calibrate as fit

    images = open_data(data, given["split"])
    asked = {name: given[name] for name in ("test", "seed", "out", "exist_ok") if given[name] is not None}
    asked |= {**detection, "map": renamings(given["renamed"])}
    try:
        done = fit(images, watch=Telling(quiet), **asked)
    except KeyboardInterrupt:
        say("error: interrupted; nothing is saved")
        return INTERRUPTED
    for note in done.notes if not quiet else ():
        if note not in images.notes:
            say(note)
    echo_result(done, given["output_format"])
    if not done.result.helped:
        say("the calibration did not help on the images that it was measured on; take more images")
    return 5 if done.faults else 0
