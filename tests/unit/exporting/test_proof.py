"""Exports end to end: written, proven in a process of its own, refused where they differ."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from tests.grid_networks import KNOTS, card_of, write_grid
from tests.images import encode, smooth
from tests.unit.detectors.test_keypoints import pose_card
from yolo_cli import UserError, export
from yolo_cli.cli import main
from yolo_cli.exporting import onnx_file
from yolo_cli.exporting.plan import Plan


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a model ``grid.onnx`` and a data set ``data`` of four images."""
    monkeypatch.chdir(tmp_path)
    write_grid(tmp_path / "grid.onnx", card_of(calibration=KNOTS))
    for i in range(4):
        image = np.roll(smooth(60 + 20 * i, 150), 13 * i, axis=1)
        path = tmp_path / "data" / "images" / "val" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(image, "PNG"))
        label = tmp_path / "data" / "labels" / "val" / f"{i}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("0 0.5 0.5 0.3 0.4\n")
    (tmp_path / "data" / "data.yaml").write_text(
        "path: .\nval: images/val\nnames: [cat, dog, traffic light]\n"
    )
    return tmp_path


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
@pytest.mark.parametrize(
    "options", [{}, {"nms": True}, {"half": True}, {"nms": True, "preprocess": False}], ids=str
)
def test_an_export_agrees_and_is_written(folder, kind, options):
    if kind == "openvino":
        pytest.importorskip("openvino", reason="openvino is not installed")
    if "half" in options:
        write_grid(folder / "grid.onnx", card_of(), contrast=0.05)
    done = export("grid.onnx", kind, data="data", conf=0.1, **options)
    assert done.proof.drift == ""
    assert done.path.is_file()
    assert len(done.proof.agreement.pairs) > 20
    assert done.proof.agreement.unpaired == 0
    assert done.proof.ours.map50 == pytest.approx(done.proof.theirs.map50, abs=2e-3)
    assert done.proof.theirs.runtime.startswith("onnxruntime" if kind == "onnx" else "openvino")


def test_a_damaged_export_ends_in_exit_4_and_is_not_saved(folder, monkeypatch):
    """The graph has an anchor that is 3 % wider than the model's: IoU 1 / 1.03 = 0.97."""
    whole = onnx_file.image_to_boxes

    def damaged(images, network, plan, xp):
        first, *rest = plan.card.heads
        anchors = tuple((1.03 * width, height) for width, height in first.anchors)
        card = replace(plan.card, heads=(replace(first, anchors=anchors), *rest))
        return whole(images, network, Plan(replace(plan.detector, card=card), plan.form), xp)

    monkeypatch.setattr(onnx_file, "image_to_boxes", damaged)
    ran = CliRunner().invoke(main, ["export", "--weights", "grid.onnx", "--data", "data", "--conf", "0.1"])
    assert ran.exit_code == 4
    assert "nothing is saved" in ran.stdout
    assert "boxes differ: IoU below 0.99" in ran.stderr
    assert not list(folder.glob("runs/export/*"))


def test_where_nothing_is_found_nothing_is_proven(folder):
    words = ["export", "--weights", "grid.onnx", "--data", "data", "--conf", "1"]
    ran = CliRunner().invoke(main, words)
    assert ran.exit_code == 4
    assert "nothing is found on 4 images, so nothing is proven; give images with" in ran.stderr
    assert not list(folder.glob("runs/export/*"))
    # for int8, mAP50 counts, which is 0 without annotations
    for label in folder.glob("data/labels/val/*.txt"):
        label.write_text("")
    done = export("grid.onnx", data="data", int8=True)
    assert "mAP50 is 0 on these images, so nothing is proven" in done.proof.drift


def test_the_process_of_the_proof_has_the_run_time_and_numpy_only(folder, monkeypatch):
    from yolo_cli.exporting import exporting

    seen = []

    def watched(*words):
        seen.append(run(*words))
        return seen[-1]

    run = exporting.run_exported
    monkeypatch.setattr(exporting, "run_exported", watched)
    export("grid.onnx", data="data", nms=True)
    assert {"onnxruntime", "numpy"} <= set(seen[0].packages)
    assert not {"yolo_cli", "keras", "tensorflow", "cv2", "onnx", "openvino"} & set(seen[0].packages)


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_two_exports_are_equal_byte_for_byte(folder, kind):
    for name in ("a", "b"):
        suffix = ".onnx" if kind == "onnx" else ".xml"
        export("grid.onnx", kind, data="data", nms=True, out=f"{name}/it{suffix}")
    first = {path.name: path.read_bytes() for path in (folder / "a").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (folder / "b").iterdir()}
    assert len(first) == (1 if kind == "onnx" else 2)


def test_the_file_says_what_it_is(folder):
    done = export("grid.onnx", data="data", nms=True, conf=0.3)
    said = {entry.key: entry.value for entry in onnx.load(str(done.path)).metadata_props}
    assert json.loads(said["class_names"]) == ["cat", "dog", "traffic light"]
    assert (said["conf"], said["nms_iou"], said["max_det"], said["opset"]) == ("0.3", "0.45", "300", "15")
    assert said["suppression"] == "iou, class by class"
    assert said["calibrated"] == "true"
    assert said["input"].startswith("images: uint8 (batch, height, width, 3)")


def test_where_the_models_own_rule_differs_is_said(folder):
    write_grid(folder / "greedy.onnx", card_of(suppression="greedynms"))
    done = export("greedy.onnx", data="data", nms=True, conf=0.1)
    assert "own rule, greedynms, finds " in done.to_text()
    assert export("greedy.onnx", data="data", conf=0.1, exist_ok=True).proof.note == ""


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_of_a_model_with_key_points_the_boxes_are_exported_and_that_is_said(folder, kind):
    if kind == "openvino":
        pytest.importorskip("openvino", reason="openvino is not installed")
    write_grid(folder / "pose.onnx", pose_card())
    done = export("pose.onnx", kind, data="data", conf=0.1)
    assert done.proof.drift == ""
    assert "the export finds boxes only, not the 2 key points of each" in done.to_text().splitlines()


@pytest.mark.parametrize("words", [["--out", "it.txt"], ["--data", "nowhere"]])
def test_what_cannot_be_exported_is_one_line(folder, words):
    ran = CliRunner().invoke(main, ["export", "--weights", "grid.onnx", *words])
    assert ran.exit_code in (2, 3)
    assert ran.stderr.startswith(("error: --out it.txt: must end in .onnx", "error: nowhere: no such file"))
    assert ran.stderr.count("\n") == 1


def test_an_export_is_not_taken_for_a_model(folder):
    done = export("grid.onnx", data="data")
    with pytest.raises(UserError, match="is an export for other programs; give the model, grid"):
        export(done.path)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"format": "tflite", "nms": True}, "TFLite itself has no class-wise suppression"),
        ({"format": "saved-model", "int8": True}, "a SavedModel keeps float32"),
        ({"format": "saved-model"}, "has no .keras file"),
        ({"format": "caffe"}, "must be one of onnx, openvino, tflite, saved-model"),
        ({"dynamic": True}, "dynamic goes with `--no-preprocess`|dynamic goes with"),
        ({"half": True, "int8": True}, "choose one of them"),
        ({"int8": True}, "needs data"),
        ({"batch": 0}, "batch is 0"),
        ({"limit": 0}, "limit is 0"),
        ({"out": "it.xml"}, "must end in .onnx for format onnx"),
        ({"out": "grid.onnx", "exist_ok": True}, "is the model itself"),
        ({"weights": "faster-rcnn-voc"}, "a faster-rcnn detector cannot be exported, because its regions"),
        ({"weights": "localisation-voc"}, "a localisation detector cannot be exported, because its box"),
        ({"weights": "windows-voc"}, "cannot be exported, because its windows"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(folder, options, error):
    with pytest.raises(UserError, match=error) as caught:
        export(**{"weights": "grid.onnx", **options})
    assert "\n" not in str(caught.value)


def test_nothing_is_overwritten_unless_asked(folder):
    done = export("grid.onnx", data="data")
    before = done.path.read_bytes()
    done.path.write_bytes(b"mine")
    with pytest.raises(UserError, match="exists; choose another name, or add exist_ok"):
        export("grid.onnx", data="data")
    assert export("grid.onnx", data="data", exist_ok=True).path.read_bytes() == before


def test_a_model_is_proven_on_the_bundled_examples_without_data(folder):
    done = export("grid.onnx")
    assert done.proof.agreement.images == 3
    assert done.proof.ours.map50 is None
