"""Every form that `yolo identify` prints or saves, and what other commands make of it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.cli.test_schemas import validator
from tests.shared import ROOT
from yolo_cli import Result, identify, read_image
from yolo_cli.cli import main

SCHEMA = validator("identify")
CLASSES = ("--classes", "cat,cup")


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A folder with a gallery of a cat and a mug, and photos of both; the third file is damaged."""
    folder = tmp_path_factory.mktemp("known")
    (folder / "set/images").mkdir(parents=True)
    for number, name in enumerate(("cat", "coffee"), start=1):
        shutil.copy(ROOT / f"examples/{name}.jpg", folder / f"set/images/{number}.jpg")
    (folder / "set/images/3.jpg").write_bytes(b"")
    gallery = str(folder / "g.json")
    for name, number in (("Tom", 1), ("mug", 2)):
        words = ["identify", "learn", name, str(folder / f"set/images/{number}.jpg"), *CLASSES]
        assert CliRunner().invoke(main, [*words, "--gallery", gallery]).exit_code == 0
    return folder


@pytest.fixture
def found(known, monkeypatch):
    """What the command prints of the photos."""
    monkeypatch.chdir(known)

    def run(*words, code=5):  # one image fails
        done = CliRunner().invoke(main, ["identify", "set/images", "--gallery", "g.json", *CLASSES, *words])
        assert done.exit_code == code, done.output
        return done.stdout

    return run


def test_json_is_what_its_schema_promises(found):
    document = json.loads(found("--format", "json"))
    SCHEMA.validate(document)
    assert document["identities"] == ["Tom", "mug"]
    assert document["model"]["name"] == "yolov4-tiny-coco"
    assert [[each["identity"] for each in image.get("detections", ())] for image in document["images"]] == [
        ["Tom"],
        ["mug"],
        [],
    ]
    assert set(document["images"][2]) == {"image", "error"}  # in its place
    lines = found("--format", "ndjson").splitlines()
    for line in lines:
        SCHEMA.validate(json.loads(line))
    assert len(lines) == 3
    whole = json.loads(found("--format", "json", "--whole"))
    SCHEMA.validate(whole)
    assert whole["model"] is None


def test_the_schema_refuses_what_is_not_promised(found):
    image = json.loads(found("--format", "ndjson").splitlines()[0])
    image["detections"][0].pop("identity")
    assert not SCHEMA.is_valid(image)


def test_a_verdict_is_in_the_schema(known, monkeypatch):
    monkeypatch.chdir(known)
    words = ["identify", "verify", "set/images/1.jpg", "set/images/1.jpg", "--format", "json"]
    verdict = json.loads(CliRunner().invoke(main, words).stdout)
    SCHEMA.validate(verdict)
    assert verdict["same"] is True


def test_csv_has_a_row_a_box(found):
    rows = list(csv.DictReader(io.StringIO(found("--format", "csv"))))
    assert [(row["class_name"], row["identity"], row["nearest"]) for row in rows] == [
        ("cat", "Tom", "Tom"),
        ("cup", "mug", "mug"),
    ]
    assert float(rows[0]["score"]) == 1.0
    assert rows[0]["frame"] == ""
    strict = list(csv.DictReader(io.StringIO(found("--format", "csv", "--min-score", "1"))))
    assert {row["identity"] for row in strict} <= {"", "Tom", "mug"}


def test_identities_are_the_classes_of_coco_and_yolo(found):
    boxes = json.loads(found("--format", "coco"))
    assert [(box["image_id"], box["category_id"]) for box in boxes] == [(1, 1), (2, 2)]
    lines = [line for line in found("--format", "yolo").splitlines() if not line.startswith("#")]
    assert [line.split()[0] for line in lines] == ["0", "1"]
    tasks = json.loads(found("--format", "label-studio"))
    assert "Tom" in json.dumps(tasks)


def test_labels_are_a_data_set_that_others_read(found, known):
    """Labels with identities as classes; boxes of the same run match them: mAP 1."""
    (known / "found.json").write_text(found("--format", "coco"))
    found("--save-txt", "--out", "set", "--exist-ok")
    assert (known / "set/classes.txt").read_text() == "Tom\nmug\nunknown\n"
    (known / "set/images/3.jpg").unlink()
    try:
        words = ["eval", "--data", "set", "--detections", "found.json", "--format", "json", "--out", "page"]
        done = CliRunner().invoke(main, [*words, "--names", "set/classes.txt"])
        figures = json.loads(done.stdout)
        assert figures["map50"] == pytest.approx(1.0)
        assert [each["class_name"] for each in figures["per_class"]][:2] == ["Tom", "mug"]
        assert "Tom" in Path("page/report.html").read_text()
        words = ["convert", "--data", "set", "--to", "coco", "--out", "there"]
        assert CliRunner().invoke(main, words).exit_code == 0
        [file] = Path("there").rglob("*.json")
        categories = json.loads(file.read_text())["categories"]
        assert [each["name"] for each in categories] == ["Tom", "mug", "unknown"]
    finally:
        (known / "set/images/3.jpg").write_bytes(b"")


def test_the_names_of_another_data_set_are_kept(found, known):
    (known / "other").mkdir()
    (known / "other/classes.txt").write_text("cat\ncup\n")
    found("--save-txt", "--out", "other", "--exist-ok", code=2)
    assert (known / "other/classes.txt").read_text() == "cat\ncup\n"


def test_a_photo_is_not_overwritten_by_itself(found, known):
    before = (known / "set/images/1.jpg").read_bytes()
    found("--save", "--out", "set/images", "--exist-ok", code=2)
    assert (known / "set/images/1.jpg").read_bytes() == before


def test_images_and_crops_are_saved(found, known):
    found("--save", "--save-crops", "--no-labels", "--out", "saved")
    assert {path.relative_to("saved").as_posix() for path in Path("saved").rglob("*.jpg")} == {
        "1.jpg",
        "2.jpg",
        "crops/Tom/1-1.jpg",
        "crops/mug/2-1.jpg",
    }


def test_python_has_all_of_it(known, tmp_path):
    [tom] = identify(known / "set/images/1.jpg", known / "g.json", classes="cat")
    SCHEMA.validate(tom.to_dict())
    assert isinstance(tom.named, Result)
    assert tom.named.counts == {"Tom": 1}
    assert tom.named.names == ("Tom", "mug", "unknown")
    path = tom.save(tmp_path)
    assert path == tmp_path / "1.jpg"
    assert read_image(path).rgb.shape == tom.draw(labels=False).shape
    assert not np.array_equal(tom.draw(), tom.result.image.rgb)
    assert list(tom.named.to_pandas()["class_name"]) == ["Tom"]
