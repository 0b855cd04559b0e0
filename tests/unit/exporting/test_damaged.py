"""Exports that are damaged on the way to the file end in exit 4 in every format, and nothing is saved.

Those of TensorFlow are slow.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tests.tiny import VALUES, write_tiny
from yolo_cli import import_model
from yolo_cli.cli import main
from yolo_cli.exporting import exporting, writing
from yolo_cli.weights import find_model

FORMATS = [
    "onnx",
    "openvino",
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("tflite", "saved-model")),
]
PACKAGES = {"openvino": "openvino", "tflite": "ai_edge_litert", "saved-model": "tensorflow"}
WRITE, METADATA = writing.write_export, writing.metadata_of


def write_model(folder, sign):
    """A model of three layers; with another ``sign`` its kernels are turned over."""
    folder.mkdir()
    values = sign * np.random.default_rng(3).normal(scale=0.5, size=VALUES)
    values[12:16] = 1  # variances
    files = write_tiny(folder, values=values)
    return import_model([files.cfg, files.weights], files.names, folder / "tiny").keras


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The model, and another one of the same shapes."""
    folder = tmp_path_factory.mktemp("models")
    return write_model(folder / "model", 1), find_model(str(write_model(folder / "other", -1)))


def other_weights(other, plan, files, out, images=()):
    WRITE(plan, other, out, images)


def other_class_names(_other, plan, files, out, images=()):
    card = replace(plan.card, class_names=plan.card.class_names[::-1])
    WRITE(replace(plan, detector=plan.detector.with_card(card)), files, out, images)


def cut_off(_other, plan, files, out, images=()):
    WRITE(plan, files, out, images)
    path = out / "saved_model.pb" if out.is_dir() else out
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def other_metadata(_other, plan, files, out, images=()):
    writing.metadata_of = lambda plan, files: {
        **METADATA(plan, files),
        "nms_iou": "0.9",
    }  # until monkeypatch undoes it
    WRITE(plan, files, out, images)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (other_weights, "boxes differ: IoU below 0.99"),
        (other_class_names, "the metadata of the file says otherwise: class_names"),
        (other_metadata, "the metadata of the file says otherwise: nms_iou"),
        (cut_off, "the exported model does not run, so nothing is saved"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_damaged_export_is_refused(models, kind, damage, reason, tmp_path, monkeypatch):
    if kind in PACKAGES:
        pytest.importorskip(PACKAGES[kind], reason=f"{PACKAGES[kind]} is not installed")
    model, other = models
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(exporting, "write_export", lambda *words: damage(other, *words))
    # What the file says is that of the model, also where the network is the other one's.
    monkeypatch.setattr(writing, "metadata_of", lambda plan, _: METADATA(plan, find_model(str(model))))
    words = ["export", "--weights", str(model), "--format", kind, "--conf", "0.1"]
    ran = CliRunner().invoke(main, words)
    assert ran.exit_code == 4, ran.output
    assert reason in ran.stderr
    assert not list(tmp_path.glob("runs/export/*"))
