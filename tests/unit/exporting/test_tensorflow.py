"""SavedModel and TFLite of a tiny Darknet model, and int8 in every format that has it.

Slow ones import TensorFlow in this process and in that of each proof.
"""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from tests.grid_networks import card_of, write_grid
from tests.images import encode, smooth
from tests.tiny import VALUES, write_tiny
from yolo_cli import UserError, export, import_model
from yolo_cli.exporting import exporting


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of three layers that finds boxes everywhere, as NAME.keras and NAME.onnx."""
    folder = tmp_path_factory.mktemp("tiny")
    values = np.random.default_rng(3).normal(scale=0.5, size=VALUES)
    values[12:16] = 1  # variances
    files = write_tiny(folder, values=values)
    return import_model([files.cfg, files.weights], files.names, folder / "tiny").keras


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """A data set of 3 images, ``data``."""
    monkeypatch.chdir(tmp_path)
    for i in range(3):
        for name, content in (
            (f"images/val/{i}.png", encode(np.roll(smooth(50 + 30 * i, 90), 11 * i, axis=1), "PNG")),
            (f"labels/val/{i}.txt", b"0 0.5 0.5 0.3 0.4\n"),
        ):
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    (tmp_path / "data" / "data.yaml").write_text("path: .\nval: images/val\nnames: [cat, dog]\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("saved-model", {"nms": True}),
        ("saved-model", {"preprocess": False}),
        ("tflite", {}),
        ("tflite", {"half": True}),
    ],
    ids=str,
)
def test_tensorflows_formats_agree(model, kind, options):
    if kind == "tflite":
        pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    done = export(model, kind, data="data", conf=0.1, **options)
    assert done.proof.drift == ""
    assert len(done.proof.agreement.pairs) > 3
    assert done.path.name == {"saved-model": "tiny-saved-model"}.get(
        kind, f"tiny{'-half' if options else ''}.tflite"
    )
    if kind == "tflite":
        with zipfile.ZipFile(done.path) as archive:
            said = json.loads(archive.read("metadata.json"))
    else:
        said = json.loads((done.path / "assets.extra" / "metadata.json").read_text())
    assert json.loads(said["class_names"]) == ["cat", "dog"]


@pytest.mark.slow
def test_a_saved_model_replaces_another_one_but_no_other_folder(model, tmp_path):
    first = export(model, "saved-model", data="data", out="there")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.jpg").write_bytes(b"photo")
    with pytest.raises(UserError, match="exists"):
        export(model, "saved-model", data="data", out="there")
    with pytest.raises(UserError, match="is a folder that no export wrote"):
        export(model, "saved-model", data="data", out="mine", exist_ok=True)
    assert export(model, "saved-model", data="data", out="there", exist_ok=True).path == first.path


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["onnx", "openvino", "tflite"])
def test_int8_is_measured(model, kind):
    if kind == "openvino":
        pytest.importorskip("nncf", reason="nncf is not installed")
    done = export(model, kind, data="data", int8=True, conf=0.1, max_loss=1.0)
    assert list(done.proof.figures) == ["yolo-cli", "float32", "export"]
    assert done.proof.loss is not None
    assert done.path.stem == "tiny-int8"


def test_more_layers_stay_in_float32_until_the_loss_is_allowed(tmp_path, monkeypatch):
    """The first attempt loses too much, and the second does not."""
    write_grid(tmp_path / "grid.onnx", card_of())
    asked, prove = [], exporting._prove

    def proven(plan, *words):
        asked.append(plan.kept)
        proof = prove(plan, *words)
        lost = 0.0 if plan.kept else 0.5
        good = exporting.replace(proof.ours, map50=0.6)
        worse = exporting.replace(proof.theirs, map50=0.6 - lost)
        return exporting.replace(proof, figures={"yolo-cli": good, "export": worse})

    monkeypatch.setattr(exporting, "_prove", proven)
    done = export("grid.onnx", data="data", int8=True, map={"traffic light": "dog"})
    assert asked == [0.0, 0.25]
    assert done.path.is_file()


def test_the_convolutions_that_stay_in_float32():
    """Of eight, the one that computes raw heads, and from the last back a quarter: two."""
    from yolo_cli.exporting.plan import Form, Plan

    names = [f"c{i}" for i in range(8)]
    assert Plan(None, Form()).in_float(names, {"c3"}) == ["c3"]
    assert Plan(None, Form(), 0.25).in_float(names, {"c3"}) == ["c3", "c6", "c7"]
