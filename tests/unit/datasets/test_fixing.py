from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.made_sets import (
    BOXES,
    boxes_by_name,
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
from tests.unit.datasets.test_lint import plant_voc, plant_yolo
from yolo_cli.datasets import RULES, Dataset, fix, lint, open_dataset
from yolo_cli.errors import DataError, UsageError


def content(dataset: Dataset) -> dict[tuple[str, str], list[tuple[str, list[float]]]]:
    """Class names and edges of every image, by split and stem."""
    return {
        (s.split, s.path.stem): [
            (dataset.class_names[i], np.round(xyxy, 3).tolist())
            for i, xyxy in zip(s.ground_truth.class_id, s.ground_truth.xyxy, strict=True)
        ]
        for s in dataset.samples
    }


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("write", [write_yolo, write_coco, write_voc])
def test_a_clean_set_is_copied_as_it_is(tmp_path: Path, write: object) -> None:
    root = write(tmp_path / "here")  # type: ignore[operator]
    assert fix(lint(root), tmp_path / "there") == ()
    copy = open_dataset(tmp_path / "there")
    original = open_dataset(root)
    assert copy.kind == original.kind
    assert copy.class_names == original.class_names
    assert content(copy) == content(original)
    assert lint(copy).findings == ()
    for split in original.splits:
        assert copy.in_split(split).category_ids == original.in_split(split).category_ids


@pytest.mark.parametrize("plant", [plant_yolo, plant_voc])
def test_every_error_is_fixed_in_the_copy_and_none_in_the_original(tmp_path: Path, plant: object) -> None:
    root = tmp_path / "here"
    plant(root)  # type: ignore[operator]
    before = files(root)
    report = lint(root)
    actions = fix(report, tmp_path / "there")
    assert files(root) == before
    again = lint(tmp_path / "there")
    kept = {code for code, rule in RULES.items() if rule.fixing.startswith("kept")}
    assert {f.code for f in again.findings} <= kept
    assert {f.code for f in again.errors} <= {"Y406"}  # two classes with one name: only a person can choose
    assert len(actions) == sum(f.code not in kept for f in report.findings)
    assert actions[0].startswith(f"{report.findings[0].code} {report.findings[0].where}: ")


def test_what_is_left_of_the_planted_rows(tmp_path: Path) -> None:
    plant_yolo(tmp_path / "here")
    fix(lint(tmp_path / "here"), tmp_path / "there")
    labels = tmp_path / "there" / "labels" / "train"
    assert (labels / "rows.txt").read_text() == "0 .5 .5 .3 .3\n1 .5 .5 .3 .3\n2 .2 .2 .005 .05\n"
    # From .7 to 1.1 becomes .7 to 1: centre .85, width .3.
    assert (labels / "stick.txt").read_text() == "0 0.850000 0.500000 0.300000 0.400000\n"
    gone = {"unread", "nolabel", "badlabel", "leak", "refused", "click", "shared"}
    assert not gone & {path.stem for path in (tmp_path / "there").rglob("*")}
    assert {path.stem for path in labels.glob("*.txt")} & {"twice", "copy"} in ({"twice"}, {"copy"})


def test_polygons_stay_polygons(tmp_path: Path) -> None:
    root = write_yolo(tmp_path / "here")
    polygon = "0 0.1 0.1 0.5 0.2 0.3 0.9"
    write_text(root / "labels" / "train" / "b.txt", f"{polygon}\n0 .5 .5 0 0\n")
    fix(lint(root), tmp_path / "there")
    assert (tmp_path / "there" / "labels" / "train" / "b.txt").read_text() == polygon + "\n"


def test_an_unsplit_set_stays_unsplit_and_named(tmp_path: Path) -> None:
    for seed, stem in enumerate(("x", "y")):
        write_image(tmp_path / "here" / f"{stem}.png", (64, 64), seed)
        write_text(tmp_path / "here" / f"{stem}.txt", "1 .5 .5 .5 .5\n")
    write_text(tmp_path / "here" / "classes.txt", "cat\ndog\n")
    fix(lint(tmp_path / "here"), tmp_path / "there")
    copy = open_dataset(tmp_path / "there")
    assert (copy.splits, copy.class_names) == (("all",), ("cat", "dog"))
    assert content(copy) == content(open_dataset(tmp_path / "here"))


def test_files_of_one_name_in_two_folders(tmp_path: Path) -> None:
    root = tmp_path / "here"
    for seed, folder in enumerate(("p", "q", "r")):
        write_image(root / "images" / "train" / folder / "x.png", (64, 64), seed)
        write_text(root / "labels" / "train" / folder / "x.txt", f"{seed} .5 .5 .5 .5\n")
    write_text(root / "data.yaml", "train: images/train\nnames: [a, b, c]\n")
    fix(lint(root), tmp_path / "there")
    copy = open_dataset(tmp_path / "there")
    assert {s.path.stem: s.ground_truth.class_id.tolist() for s in copy.samples} == {
        "x": [0],
        "x_2": [1],
        "x_3": [2],
    }


def test_turned_boxes_are_where_they_were_drawn(tmp_path: Path) -> None:
    # Stored 320x240, shown after a quarter turn to the right (EXIF 6) as 240x320: a stored point (x, y) is
    # shown at (240 - y, x). The planted box 10, 10, 40, 40 thus becomes 200, 10, 230, 40.
    plant_voc(tmp_path / "here")
    fix(lint(tmp_path / "here"), tmp_path / "there")
    copy = open_dataset(tmp_path / "there")
    assert boxes_by_name(copy)["turned"] == [(0, (200, 10, 230, 40))]
    assert {s.path.stem: s.declared_size for s in copy.samples}["turned"] == (320, 240)
    assert boxes_by_name(copy)["nosize"] == [(0, (10, 10, 40, 40))]
    assert "resized" not in boxes_by_name(copy)


def test_coco_keeps_ids_and_everything_beside_the_box(tmp_path: Path) -> None:
    root = write_coco(tmp_path / "here")
    value = coco_json("train") | {"licenses": [{"id": 1}]}
    value["annotations"][0] |= {"segmentation": [[8, 12, 40, 12, 40, 36]], "score": 0.5}
    value["annotations"][1] |= {"bbox": [-8, 0, 24, 24], "segmentation": [[0, 0, 1, 1, 2, 0]]}  # sticks out
    value["annotations"].append(value["annotations"][0] | {"id": 9, "bbox": [1, 1, 0, 5]})
    write_json(root / "annotations" / "instances_train2017.json", value)
    actions = fix(lint(root), tmp_path / "there")
    assert [line[:4] for line in actions] == ["Y302", "Y304"]
    copy = json.loads((tmp_path / "there" / "annotations" / "instances_train.json").read_text())
    assert copy["licenses"] == [{"id": 1}]
    assert copy["annotations"][0] == value["annotations"][0]
    sticks_out = {k: v for k, v in value["annotations"][1].items() if k != "segmentation"}
    assert copy["annotations"][1] == sticks_out | {"bbox": [0, 0, 16, 24], "area": 384}
    assert len(copy["annotations"]) == 2
    assert [image["id"] for image in copy["images"]] == [100, 101]


def test_coco_categories_of_one_split_only_come_to_all(tmp_path: Path) -> None:
    root = write_coco(tmp_path / "here")
    value = coco_json("val")
    value["categories"].append({"id": 9, "name": "cow"})
    write_json(root / "annotations" / "instances_val2017.json", value)
    fix(lint(root), tmp_path / "there")
    copy = open_dataset(tmp_path / "there")
    assert copy.class_names == ("dog", "cat", "cow")
    assert copy.in_split("train").category_ids == (3, 7, 8)
    assert "Y402" not in {f.code for f in lint(copy).findings}


def test_allowed_unlabelled_images_are_written_as_negatives(tmp_path: Path) -> None:
    for write in (write_yolo, write_voc):
        root = write(tmp_path / write.__name__)
        for path in [*root.glob("labels/train/a.txt"), *root.glob("Annotations/a.xml")]:
            path.unlink()
        out = tmp_path / f"{write.__name__} fixed"
        fix(lint(root, allow_unlabelled=True), out)
        assert boxes_by_name(open_dataset(out)) == BOXES | {"a": []}


def test_a_voc_object_keeps_its_other_elements(tmp_path: Path) -> None:
    root = write_voc(tmp_path / "here")
    extra = "<segmented>1</segmented>"
    write_xml(
        root / "Annotations" / "b.xml",
        "b.jpg",
        (64, 48),
        [("cat", (9, 9, 10, 20)), ("cat", (9, 9, 70, 20))],  # the first is a click: x from 10 to 10
        extra,
    )
    path = root / "Annotations" / "b.xml"
    path.write_text(path.read_text().replace("<name>cat", "<pose>Left</pose><name>cat"))
    fix(lint(root), tmp_path / "there")
    text = (tmp_path / "there" / "Annotations" / "b.xml").read_text()
    assert (text.count("<object>"), text.count("<pose>Left"), text.count("<segmented>1")) == (1, 1, 1)
    assert boxes_by_name(open_dataset(tmp_path / "there"))["b"] == [(0, (9, 9, 64, 20))]


@pytest.mark.parametrize("where", ["there", "here", "here/fixed", "file"])
def test_nothing_is_overwritten(tmp_path: Path, where: str) -> None:
    root = write_yolo(tmp_path / "here")
    write_text(tmp_path / "there" / "precious.txt", "mine")
    write_text(tmp_path / "file", "mine")
    before = files(tmp_path)
    with pytest.raises(UsageError, match=r"another folder|outside"):
        fix(lint(root), tmp_path / where)
    assert files(tmp_path) == before


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    fix(lint(write_yolo(tmp_path / "here")), tmp_path / "there")
    assert len(open_dataset(tmp_path / "there")) == 4


def test_nothing_left_is_a_fault_and_leaves_nothing(tmp_path: Path) -> None:
    root = write_yolo(tmp_path / "here")
    for path in (root / "labels").rglob("*.txt"):
        path.unlink()
    with pytest.raises(DataError, match="nothing would be left"):
        fix(lint(root / "data.yaml"), tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = lint(write_yolo(tmp_path / "here"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(DataError, match="No space left"):
        fix(report, tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


@needs_shared("data", "bccd")
def test_bccd_fixed(tmp_path: Path) -> None:
    report = lint(SHARED / "data" / "bccd")
    actions = fix(report, tmp_path / "fixed")
    assert len(actions) == 2 + 7
    again = lint(tmp_path / "fixed")
    assert {f.code for f in again.findings} == {"Y404", "Y502"}
    assert len(again.dataset) == 364
    assert again.dataset.class_counts().sum() == 4888 - 2 - 7


def test_a_copy_of_another_form_keeps_boxes_and_key_points(tmp_path: Path) -> None:
    box = {"label": "cat", "points": [[10, 5], [30, 20]], "shape_type": "rectangle", "group_id": 1}
    nose = {"label": "nose", "points": [[12, 9]], "shape_type": "point", "group_id": 1}
    for name, shapes in (("a", [box]), ("b", [box, nose])):
        write_image(tmp_path / "old" / f"{name}.png", (100, 50), ord(name))
        value = {"version": "5.5.0", "imagePath": f"{name}.png", "imageHeight": 50, "imageWidth": 100}
        write_json(tmp_path / "old" / f"{name}.json", value | {"shapes": shapes})
        data = open_dataset(tmp_path / "old")
        assert data.kind == "labelme"
        fix(lint(data), tmp_path / name)
        copy = open_dataset(tmp_path / name)
        assert content(copy) == content(data)
    points = [sample.ground_truth.keypoints for sample in copy.samples]
    assert points[0] is None or not np.asarray(points[0]).any()  # image a has none
    np.testing.assert_allclose(np.asarray(points[1])[0, :, :2], [[12, 9]])
