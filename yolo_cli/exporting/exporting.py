"""Export a model: write it as a draft, prove it, and only then put it where it is asked for."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from yolo_cli.datasets import Sample
from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation import ClassMatch, Report, evaluate, gather
from yolo_cli.exporting.metadata import graph_text, metadata_of
from yolo_cli.exporting.plan import Plan
from yolo_cli.exporting.proof import Ran, compare_runs, run_exported, run_ours
from yolo_cli.exporting.result import Exported, Figures, Proof
from yolo_cli.exporting.writing import SUFFIXES, check_packages, write_export
from yolo_cli.files import atomic_folder, atomic_write, make_folder
from yolo_cli.images import Image
from yolo_cli.pipeline import Readable
from yolo_cli.weights import ModelFiles

__all__ = ["ALLOWED_LOSS", "Evidence", "export", "target_of"]

FOLDER = "runs/export"
ALLOWED_LOSS = 0.015
_KEPT = (0.0, 0.25, 0.5)  # fractions of the convolutions that stay in float32, tried in turn for int8


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What an export is made and proven with.

    Attributes:
        images: to compare on.
        classes: for average precision, the classes of the images' ground truth; else None.
        calibration: images for int8.
        allowed_loss: of mAP50 for int8.
    """

    images: Sequence[Readable]
    classes: ClassMatch | None = None
    calibration: Sequence[Image] = ()
    allowed_loss: float = ALLOWED_LOSS


def target_of(files: ModelFiles, plan: Plan, out: Path | None, exist_ok: bool) -> Path:
    """Where an export is written: ``out``, or else a path in `FOLDER`.

    Raises:
        UsageError: if its suffix is not the format's, it exists, or is a file of the model.
    """
    suffix = SUFFIXES[plan.form.format]
    if out is None:
        number = "" if plan.form.number == "float32" else f"-{plan.form.number}"
        kind = "" if suffix else "-saved-model"
        out = Path(FOLDER) / f"{Path(files.name).name}{number}{kind}{suffix}"
    if out.suffix != suffix and (suffix or out.suffix in (".onnx", ".xml", ".tflite")):
        wanted = f"must end in {suffix}" if suffix else "is a folder, without a suffix"
        raise UsageError(f"--out {out}: {wanted} for --format {plan.form.format}")
    if any(out.resolve() == path.resolve() for path in files.paths):
        raise UsageError(f"--out {out}: is the model itself; choose another name")
    if out.exists() and not exist_ok:
        raise UsageError(f"--out {out}: exists; choose another name, or add --exist-ok")
    if out.is_dir() and (suffix or not (out / "saved_model.pb").is_file()):
        raise UsageError(f"--out {out}: is a folder that no export wrote; choose another name")
    return out


def export(files: ModelFiles, plan: Plan, out: Path, evidence: Evidence) -> Exported:
    """Write an export, if the proof holds.

    Args:
        files: the model.
        plan: the same model, loaded, and how to export it.
        out: from `target_of`.
        evidence: images.

    Raises:
        UserError: if packages are missing, no image can be read, or nothing can be written.
    """
    check_packages(plan)
    attempts = _KEPT if plan.form.number == "int8" else _KEPT[:1]
    for kept in attempts:
        done = _attempt(replace(plan, kept=kept), files, out, evidence)
        if done.path:
            break
    return done


def _attempt(plan: Plan, files: ModelFiles, out: Path, evidence: Evidence) -> Exported:
    """Write and prove a draft, and move it to its place if the proof holds."""
    with tempfile.TemporaryDirectory() as name:
        draft = Path(name) / out.name
        write_export(plan, files, draft, evidence.calibration)
        proof = _prove(plan, files, draft, evidence)
        size = sum(path.stat().st_size for path in draft.parent.rglob("*") if path.is_file())
        if not proof.drift:
            _place(draft, out)
    written = None if proof.drift else out
    return Exported(files.name, plan.form, written, size, graph_text(plan), proof)


def _place(draft: Path, out: Path) -> None:
    """Move what was written to its place: a folder, or files, the one that is opened last."""
    make_folder(out.parent)
    if draft.is_dir():
        with atomic_folder(out) as folder:
            shutil.copytree(draft, folder, dirs_exist_ok=True)
            shutil.rmtree(out, ignore_errors=True)
        return
    for path in sorted(draft.parent.iterdir(), key=lambda path: path == draft):
        atomic_write(out.with_suffix(path.suffix), partial(shutil.copyfile, path))


def _prove(plan: Plan, files: ModelFiles, draft: Path, evidence: Evidence) -> Proof:
    """Run both on the same images, and compare."""
    images = _readable(evidence.images)
    ours = run_ours(plan, images)
    runs = {"yolo-cli": ours}
    if plan.form.number == "int8":
        floats = replace(plan, form=replace(plan.form, number="float32"))
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / draft.name
            write_export(floats, files, path)
            runs["float32"] = run_exported(path, floats, images)
    runs["export"] = run_exported(draft, plan, images)
    agreement = compare_runs(plan, ours, runs["export"], images)
    figures = {title: _figures(run, evidence) for title, run in runs.items()}
    loss = evidence.allowed_loss if plan.form.number == "int8" else None
    note = "\n".join(filter(None, (_own_rule(plan, images, ours), _left_out(plan))))
    wrong = _wrong_entries(runs["export"].metadata, metadata_of(plan, files))
    return Proof(agreement, figures, _suppression(plan), note, loss, wrong)


def _readable(images: Sequence[Readable]) -> list[Readable]:
    """The images that can be read.

    Raises:
        DataError: if none can.
    """
    kept, first = [], ""
    for item in images:
        try:
            item.read()
        except DataError as fault:
            first = first or fault.text
        else:
            kept.append(item)
    if not kept:
        raise DataError(f"none of the {len(images)} images to compare on can be read; first: {first}")
    return kept


def _figures(run: Ran, evidence: Evidence) -> Figures:
    return Figures.of(run.runtime, run.milliseconds, _report(run, evidence))


def _report(run: Ran, evidence: Evidence) -> Report | None:
    """Average precision, if the images have ground truth."""
    if evidence.classes is None:
        return None
    samples = [item for item in evidence.images if isinstance(item, Sample)]
    return evaluate(gather(samples, run.found, evidence.classes))


def _suppression(plan: Plan) -> str:
    rule = "iou" if plan.form.nms else plan.detector.config.suppression or plan.card.suppression
    return f"{rule} {plan.detector.config.nms_iou:g}"


def _wrong_entries(found: Mapping[str, str], meant: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the metadata that the file does not have, or otherwise than meant."""
    return tuple(name for name, value in meant.items() if found.get(name) != value)


def _left_out(plan: Plan) -> str:
    """What the model finds and the export does not; empty if that is nothing."""
    if plan.card.keypoints is None:
        return ""
    return f"the export finds boxes only, not the {len(plan.card.keypoints.names)} key points of each"


def _own_rule(plan: Plan, images: Sequence[Readable], ours: Ran) -> str:
    """Where the model's own suppression finds other boxes than that of the graph; empty if it is the same."""
    rule = plan.card.suppression
    if not plan.form.nms or rule == "iou":
        return ""
    own = plan.detector.with_config(replace(plan.detector.config, suppression=None))
    count = sum(len(own.detect([item.read()])[0]) for item in images)
    graph = sum(map(len, ours.found.values()))
    return (
        f"the graph suppresses class by class where IoU is above {plan.detector.config.nms_iou:g}; "
        f"{plan.card.name}'s own rule, {rule}, finds {count} boxes on these images, the graph's {graph}"
    )
