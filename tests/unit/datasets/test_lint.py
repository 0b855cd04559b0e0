"""Every rule: one planted fault of each is found, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_sets import (
    coco_json,
    write_coco,
    write_image,
    write_json,
    write_text,
    write_voc,
    write_xml,
    write_yolo,
)
from tests.shared import SHARED, needs_shared
from yolo_cli.datasets import RULES, LintReport, Sample, lint, open_dataset
from yolo_cli.datasets.checks import faults_of, turned
from yolo_cli.datasets.inspection import Inspection, inspect_images
from yolo_cli.datasets.sizes import ImageHeader
from yolo_cli.detections import GroundTruth

SIZE = (320, 240)


def found(report: LintReport) -> list[tuple[str, str]]:
    return [(f.code, f.where) for f in report.findings]


YOLO_NAMES = [
    "ok",
    "unread",
    "damaged",
    "nolabel",
    "turned",
    "badlabel",
    "rows",
    "refused",
    "twice",
    "copy",
    "near",
    "stick",
    "val1",
    "val2",
    "click",
    "shared",
]
FAULTY_ROWS = [
    "0 .5 .5 .3 .3",
    "0 .5 .5 0 .3",  # line 2: degenerate
    "0 .505 .5 .3 .3",  # 3: drawn twice
    "1 .5 .5 .3 .3",  # 4: two classes
    "2 .2 .2 .005 .05",  # 5: 320 * .005 = 1.6 pixels, at 416: 2.1
]
REFUSED_ROWS = [
    "0 .5 .5 .3 .3",
    "0 .5 .5 .3",  # line 2: malformed
    "0 nan .5 .3 .3",  # 3
    "0 .5 .5 .2 -.3",  # 4: upside down
    "0 7 .5 .3 .3",  # 5: outside
    "9 .5 .5 .3 .3",  # 6: no such class
]
YOLO_FINDINGS = [
    ("Y101", "images/train/unread.png"),
    ("Y102", "images/train/gone.png"),
    ("Y105", "images/train/turned.jpg"),
    ("Y107", "images/train/damaged.png"),
    ("Y201", "images/train/nolabel.png"),
    ("Y202", "labels/val/lone.txt"),
    ("Y203", "labels/train/badlabel.txt"),
    ("Y204", "labels/train/refused.txt:2"),
    ("Y205", "images/train/ok.png"),
    ("Y210", "images/train/shared.jpg"),
    ("Y210", "images/train/shared.png"),
    ("Y212", "labels/train/click.txt"),
    ("Y301", "labels/train/refused.txt:3"),
    ("Y302", "labels/train/click.txt:1"),
    ("Y302", "labels/train/rows.txt:2"),
    ("Y303", "labels/train/refused.txt:5"),
    ("Y304", "labels/train/stick.txt:1"),
    ("Y305", "labels/train/rows.txt:3"),
    ("Y306", "labels/train/rows.txt:4"),
    ("Y307", "labels/train/rows.txt:5"),
    ("Y308", "labels/train/refused.txt:4"),
    ("Y401", "labels/train/refused.txt:6"),
    ("Y402", "classes.txt"),
    ("Y403", "class Cat"),
    ("Y403", "class bee"),
    ("Y404", "class ant"),
    ("Y406", "data.yaml"),
    ("Y501", "images/train/leak.png"),
    ("Y502", "images/train/near.png"),
    ("Y503", "images/train/copy.png"),
    ("Y504", "data.yaml"),
]


def plant_yolo(root: Path) -> list[tuple[str, str]]:
    """A data set with one fault of nearly every rule, and what lint must say of it."""
    boxes = "".join(f"0 {x} .5 .1 .2\n" for x in (0.1, 0.3, 0.5, 0.7, 0.9))
    for seed, name in enumerate(YOLO_NAMES):
        split = "val" if name.startswith("val") else "train"
        write_image(root / "images" / split / f"{name}.png", SIZE, seed)
        write_text(root / "labels" / split / f"{name}.txt", "1 .5 .5 .5 .5\n")
    train, labels = root / "images" / "train", root / "labels" / "train"
    write_text(labels / "ok.txt", boxes + boxes.replace(" .5 .1 .2", " .2 .1 .2"))
    (train / "unread.png").write_bytes(b"text")
    (train / "damaged.png").write_bytes((train / "damaged.png").read_bytes()[:2000])
    (labels / "nolabel.txt").unlink()
    (train / "turned.png").unlink()
    write_image(train / "turned.jpg", SIZE, 3, exif=6)
    (labels / "badlabel.txt").write_bytes(b"\xff\x00\x81")
    write_text(labels / "rows.txt", "\n".join(FAULTY_ROWS))
    write_text(labels / "refused.txt", "\n".join(REFUSED_ROWS))
    write_text(labels / "click.txt", "1 .5 .5 0 0\n")
    write_image(train / "shared.jpg", SIZE, 99)  # beside shared.png
    write_text(labels / "stick.txt", "0 .9 .5 .4 .4\n")  # from .7 to 1.1
    (train / "copy.png").write_bytes((train / "twice.png").read_bytes())
    (train / "leak.png").write_bytes((root / "images" / "val" / "val1.png").read_bytes())
    write_text(labels / "leak.txt", "1 .5 .5 .5 .5\n")
    pixels = cv2.imread(str(root / "images" / "val" / "val2.png"))
    cv2.imwrite(str(train / "near.png"), cv2.convertScaleAbs(pixels, alpha=0.97, beta=3))
    write_text(root / "labels" / "val" / "lone.txt", "")
    listed = [f"images/train/{path.name}" for path in sorted(train.iterdir())]
    write_text(root / "train.txt", "\n".join([*listed, "images/train/ok.png", "images/train/gone.png"]))
    write_text(root / "classes.txt", "cat\ndog\nant\nbee")
    write_text(
        root / "data.yaml",
        "train: train.txt\nval: images/val\ntest: images/test\nnames: [cat, dog, ant, Cat, bee]\n",
    )
    return YOLO_FINDINGS


def plant_voc(root: Path) -> list[tuple[str, str]]:
    """The faults that only files with sizes and file names of their own can have."""
    write_voc(root)
    cat = [("cat", (10.0, 10.0, 40.0, 40.0))]
    for seed, (stem, exif, size, name) in enumerate(
        [
            ("resized", None, (640, 480), "resized.jpg"),
            ("nosize", None, (0, 0), "nosize.jpg"),
            ("turned", 6, SIZE, "turned.jpg"),  # stored 320x240, shown 240x320; the label says 320x240
            ("upright", 6, SIZE[::-1], "upright.jpg"),  # the label says 240x320: no fault
            ("renamed", None, SIZE, "other.jpg"),
            ("rotated", None, SIZE, "rotated.jpg"),
        ]
    ):
        write_image(root / "JPEGImages" / f"{stem}.jpg", SIZE, 50 + seed, exif)
        write_xml(root / "Annotations" / f"{stem}.xml", name, size, cat)
        write_text(
            root / "ImageSets/Main/train.txt", (root / "ImageSets/Main/train.txt").read_text() + f"{stem}\n"
        )
    path = root / "Annotations" / "rotated.xml"
    robust = "<robndbox><cx>9</cx><cy>9</cy><w>4</w><h>2</h><angle>0.7</angle></robndbox>"
    path.write_text(re.sub("<bndbox>.*</bndbox>", robust, path.read_text()))
    return [
        ("Y103", "JPEGImages/resized.jpg"),
        ("Y104", "JPEGImages/turned.jpg"),
        ("Y106", "JPEGImages/nosize.jpg"),
        ("Y206", "Annotations/renamed.xml"),
        ("Y208", "Annotations/rotated.xml: object 1"),
    ]


def test_one_of_each_and_nothing_else_yolo(tmp_path: Path) -> None:
    assert plant_yolo(tmp_path) == found(lint(tmp_path))


def test_one_of_each_and_nothing_else_voc(tmp_path: Path) -> None:
    assert plant_voc(tmp_path) == found(lint(tmp_path))


def test_no_rule_is_without_a_planted_fault(tmp_path: Path) -> None:
    planted = {code for code, _ in plant_yolo(tmp_path / "yolo") + plant_voc(tmp_path / "voc")}
    # See below, and test_coco and test_cases.
    assert RULES.keys() - planted == {"Y405", "Y207", "Y407", "Y209", "Y211", "Y309", "Y505"}


def test_numbers_for_names(tmp_path: Path) -> None:
    assert [code for code, _ in found(lint(write_yolo(tmp_path, "")))] == ["Y405"]


@pytest.mark.parametrize("write", [write_yolo, write_coco, write_voc])
def test_silent_on_a_clean_set(tmp_path: Path, write: object) -> None:
    report = lint(write(tmp_path))  # type: ignore[operator]
    assert report.findings == ()


@needs_shared("data", "fridge")
def test_silent_on_fridge() -> None:
    assert lint(SHARED / "data" / "fridge").findings == ()


@needs_shared("data", "bccd")
def test_what_is_really_wrong_in_bccd() -> None:
    # Looked at one by one: two points for boxes; seven cells drawn twice, 1.5 pixels apart; a field of view
    # photographed twice at another focus, once for training and once for validation.
    report = lint(SHARED / "data" / "bccd")
    assert found(report) == [
        ("Y302", "Annotations/BloodImage_00338.xml: object 13"),
        ("Y302", "Annotations/BloodImage_00343.xml: object 4"),
        ("Y305", "Annotations/BloodImage_00020.xml: object 15"),
        ("Y305", "Annotations/BloodImage_00100.xml: object 3"),
        ("Y305", "Annotations/BloodImage_00104.xml: object 14"),
        ("Y305", "Annotations/BloodImage_00251.xml: object 8"),
        ("Y305", "Annotations/BloodImage_00284.xml: object 2"),
        ("Y305", "Annotations/BloodImage_00331.xml: object 3"),
        ("Y305", "Annotations/BloodImage_00403.xml: object 4"),
        ("Y404", "class Platelets"),
        ("Y404", "class WBC"),
        ("Y502", "JPEGImages/BloodImage_00038.jpg"),
    ]
    assert len(report.errors) == 2
    assert len(report.warnings) == 10


def test_severity_and_json(tmp_path: Path) -> None:
    root = write_yolo(tmp_path)
    write_text(root / "labels" / "train" / "b.txt", "0 .5 .5 0 .5\n0 .5 .5 .5 .5\n0 .5 .5 .5 .5\n")
    report = lint(root, imgsz=320)
    value = json.loads(json.dumps(report.to_dict()))
    assert value["errors"] == 1
    assert value["warnings"] == 1
    assert value["imgsz"] == 320
    assert value["splits"] == {"train": 2, "val": 2}
    assert value["classes"] == [{"class_name": "cat", "boxes": 4}, {"class_name": "dog", "boxes": 2}]
    assert value["findings"][0] == {
        "code": "Y302",
        "name": "degenerate-box",
        "severity": "error",
        "where": "labels/train/b.txt:1",
        "what": "the box has no width or no height: left 0.5, top 0.25, right 0.5, bottom 0.75",
    }
    assert value["content_hash"] == open_dataset(root).content_hash


def test_small_is_measured_at_the_network(tmp_path: Path) -> None:
    # The narrowest box is c's, 8 of 64 pixels: 8 / 64 * imgsz is 3 at 24 and 2.9 at 23.
    root = write_yolo(tmp_path)
    assert found(lint(root, imgsz=24)) == []
    assert found(lint(root, imgsz=23)) == [("Y307", "labels/val/c.txt:1")]


def test_a_pixel_of_overhang_is_none(tmp_path: Path) -> None:
    write_voc(tmp_path)  # boxes are ours, from 0; the image is 64x48
    write_xml(
        tmp_path / "Annotations" / "b.xml",
        "b.jpg",
        (64, 48),
        [("cat", (-1, -1, 65, 49)), ("dog", (2, 2, 66, 9))],
    )
    assert found(lint(tmp_path)) == [("Y304", "Annotations/b.xml: object 2")]


def test_crowds_may_cover_anything(tmp_path: Path) -> None:
    root = write_coco(tmp_path)
    value = coco_json("train")
    crowd = value["annotations"][0] | {"iscrowd": 1, "id": 99}
    value["annotations"].append(crowd)
    write_json(root / "annotations" / "instances_train2017.json", value)
    assert found(lint(root)) == []


def test_a_box_that_fits_only_the_stored_image(tmp_path: Path) -> None:
    # COCO without sizes: stored 320x240, shown 240x320; x up to 300 fits only the stored one.
    root = write_coco(tmp_path)
    write_image(root / "train2017" / "b.jpg", SIZE, 7, exif=8)
    value = coco_json("train")
    value["images"][1] = {"id": 101, "file_name": "b.jpg"}
    value["annotations"].append({"image_id": 101, "category_id": 7, "bbox": [200, 20, 100, 50]})
    write_json(root / "annotations" / "instances_train2017.json", value)
    assert found(lint(root)) == [("Y104", "train2017/b.jpg")]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_with_the_image(tmp_path: Path, orientation: int) -> None:
    # A white patch on black, stored at x 8 to 24, y 16 to 40 of 96x64; the decoder turns the image.
    from PIL import Image

    from yolo_cli.images import read_image

    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[16:40, 8:24] = 255
    tags = Image.Exif()
    tags[274] = orientation
    Image.fromarray(pixels).save(tmp_path / "x.png", exif=tags)
    ys, xs = np.nonzero(read_image(tmp_path / "x.png").rgb[..., 0])
    box = turned(np.array([[8.0, 16, 24, 40]]), ImageHeader(96, 64, orientation))
    assert box.tolist() == [[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]]


def test_faults_of_one_sample(tmp_path: Path) -> None:
    # What `lint` and `--fix` share, here by itself.
    root = write_yolo(tmp_path)
    write_text(root / "labels" / "val" / "d.txt", "0 .5 .5 .5 .5\n0 .5 .5 .5 .49\n1 .5 .5 .5 .5\n")
    [sample] = [s for s in open_dataset(root).samples if s.path.stem == "d"]
    faults = faults_of(sample, inspect_images([sample.path])[sample.path], 416)
    assert [(f.code, f.box) for f in faults] == [("Y305", 1), ("Y306", 2)]
    assert "box 1 (IoU 0.98)" in faults[0].what


def test_progress_is_told_for_every_image(tmp_path: Path) -> None:
    told: list[int] = []

    def watch(inspections, total):
        for look in inspections:
            told.append(total)
            yield look

    assert lint(write_yolo(tmp_path), watch=watch).findings == ()
    assert told == [4, 4, 4, 4]


def test_unusable_images_are_known_by_the_finding_and_not_by_its_words(tmp_path: Path) -> None:
    # A colon in the name: no text may be split at it to find the image.
    root = write_yolo(tmp_path)
    (root / "images" / "train" / "a: b.jpg").write_bytes(b"not an image")
    write_text(root / "labels" / "train" / "a: b.txt", "0 .5 .5 .2 .2\n")
    report = lint(root)
    [finding] = [finding for finding in report.findings if finding.unusable]
    assert (finding.code, finding.image) == ("Y101", "images/train/a: b.jpg")
    assert {s.name for s in report.dataset.samples} - {s.name for s in report.usable.samples} == {
        finding.image
    }


def test_a_box_that_repeats_another_is_told_once(tmp_path: Path) -> None:
    # Box 1 is box 0 moved by a hundredth of a pixel, box 2 equals box 1; box 3 is of the other class.
    xyxy = np.array([[8, 8, 40, 40], [8, 8, 40.01, 40], [8, 8, 40.01, 40], [8, 8, 40, 40]])
    labels = GroundTruth(xyxy, np.array([0, 0, 0, 1]))
    sample = Sample("a.png", tmp_path / "a.png", "train", 1, "", labels, (0, 1, 2, 3))
    told = faults_of(sample, Inspection("", header=ImageHeader(48, 64, 1)), 416)
    assert [(fault.code, fault.box) for fault in told] == [("Y305", 1), ("Y305", 2), ("Y306", 3)]
