"""The model proposes, a person corrects in Label Studio or CVAT, and `convert` brings it back."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring, tostring

import numpy as np

from tests.cli.expected import A
from yolo_cli import convert
from yolo_cli.datasets import open_dataset


def found_in(document) -> list[tuple[str, list[float]]]:
    return [(one["class_name"], one["box"]) for one in document["detections"]]


def test_label_studio_there_corrected_and_back(cli, tmp_path_factory):
    done = cli("detect", "p/a.jpg", "bad.jpg", "--format", "label-studio", "--no-save")
    assert done.exit_code == 5
    tasks = json.loads(done.stdout)
    assert tasks[0]["data"] == {"image": "/data/local-files/?d=p/a.jpg"}
    [prediction] = tasks[0]["predictions"]
    assert prediction["model_version"] == "fake"
    scores = [region["score"] for region in prediction["result"]]
    assert scores == [one["confidence"] for one in A["detections"]]
    assert prediction["score"] == min(scores)
    # A person takes the first proposal over, and deletes the others; Label Studio exports annotations.
    for task in tasks:
        proposals = task.pop("predictions")[0]["result"]
        task["annotations"] = [{"result": proposals[:1]}]
    Path("export.json").write_text(json.dumps(tasks))
    out = tmp_path_factory.mktemp("corrected")  # a data set is never written into another
    convert("export.json", "yolo", out)
    sample = next(one for one in open_dataset(out).samples if one.path.name == "a.jpg")
    np.testing.assert_allclose(sample.ground_truth.xyxy, [A["detections"][0]["box"]])


def test_cvat_there_corrected_and_back(cli, tmp_path_factory):
    done = cli("detect", "p/a.jpg", "bad.jpg", "--format", "cvat", "--no-save")
    assert done.exit_code == 5
    root = fromstring(done.stdout)
    assert [label.findtext("name") for label in root.iter("label")] == ["cat", "dog", "traffic light"]
    [first] = root.iter("image")
    assert first.get("name") == "p/a.jpg"
    assert [shape.get("label") for shape in first] == [one["class_name"] for one in A["detections"]]
    assert first[0].get("source") == "auto"
    Path("export.xml").write_bytes(tostring(root))
    out = tmp_path_factory.mktemp("corrected")
    convert("export.xml", "voc", out)
    dataset = open_dataset(out)
    sample = next(one for one in dataset.samples if one.path.name == "a.jpg")
    names = [dataset.class_names[i] for i in sample.ground_truth.class_id]
    rows = list(zip(names, sample.ground_truth.xyxy.tolist(), strict=True))
    for (name, box), (class_name, expected) in zip(rows, found_in(A), strict=True):
        assert name == class_name
        np.testing.assert_allclose(box, expected)
