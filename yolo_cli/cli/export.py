"""`yolo export`: a model for other run-times, with proof that it is the same."""

from __future__ import annotations

from typing import Any

import click

from yolo_cli.cli.eval_inputs import renamings
from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import data_options, exporting_options, general_options
from yolo_cli.cli.terminal import echo, say, unless

__all__ = ["export"]

# \b keeps click from filling a paragraph.
_HELP = """Export a model to the formats of other programs, with proof.

\b
yolo export --format onnx --nms                    image in, boxes out
yolo export --format openvino --half --data dir    with AP on the data
yolo export --format onnx --int8 --data dir        calibrated on its images

The graph takes RGB images of any size and returns boxes in their pixels: resizing, decoding and calibrated
confidences are part of it. Before it is saved, it runs in a process of its own, with nothing but its run-time
and NumPy, on the same images as the model, and the largest differences are printed.

--nms suppresses class by class by IoU, which may not be the model's own rule; what that changes is printed.
--half stores weights as float16 and computes in float32. --int8 keeps the last layers in float32, and more
where mAP50 would be lower by more than --max-loss.

`yolo weights export` writes the network alone, as yolo itself runs it: it is not meant for other programs.

Exit codes: 0 saved, 2 wrong usage, 3 the data or model cannot be used, 4 it differs and is not saved.
"""


@click.command("export", cls=YoloCommand, help=_HELP)
@click.option(
    "--format",
    type=click.Choice(["onnx", "openvino", "tflite", "saved-model"]),
    default="onnx",
    show_default=True,
    help="Format of the file.",
)
@click.option("--nms", is_flag=True, help="Make suppression part of the graph.")
@click.option("--half", is_flag=True, help="Store weights as float16, at half the size.")
@click.option("--int8", is_flag=True, help="Compute in int8, calibrated on images of --data.")
@click.option("--preprocess/--no-preprocess", default=True, help="Make resizing part of the graph, or not.")
@click.option("--dynamic", is_flag=True, help="Take input of any size; with --no-preprocess.")
@exporting_options
@data_options(required=False)
@click.option(
    "--batch", type=click.IntRange(min=1), metavar="N", help="Fixed batch size in images.  [default: any]"
)
@click.option("--calibration", metavar="PATH", help="Images for --int8.  [default: other splits of --data]")
@click.option(
    "--limit", type=int, metavar="N", default=200, show_default=True, help="Maximum images of each."
)
@click.option(
    "--max-loss", type=float, default=0.015, show_default=True, help="Largest loss of mAP50 by --int8."
)
@click.option("--out", metavar="PATH", help="File to write.  [default: in runs/export]")
@click.option("--exist-ok", is_flag=True, help="Overwrite an existing export.")
@general_options
def export(renamed: tuple[str, ...], quiet: bool, verbose: bool, **given: Any) -> int:  # noqa: ARG001
    """Export, and print the proof."""
    from yolo_cli.api.exporting import export as write

    done = write(say=unless(quiet), map=renamings(renamed), **given)
    echo(done.to_text(), end="")
    if done.proof.drift:
        say(f"error: the export is not proven to be the same model: {done.proof.drift}")
    return 4 if done.proof.drift else 0
