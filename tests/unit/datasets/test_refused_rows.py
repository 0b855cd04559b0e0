"""An image whose label could not be understood is never used as background."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_sets import coco_json, write_coco, write_json, write_text, write_voc, write_yolo
from yolo_cli.datasets import Dataset, fix, lint, open_dataset

POSE = "train: images/train\nval: images/val\nnames: [cat, dog]\nkpt_shape: [{}, {}]\n"


def stems(dataset: Dataset) -> list[str]:
    return [sample.path.stem for sample in dataset.samples]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("0 0.5 0.5 0.4 0.4 0.87", "sixth number"),
        ("0,0.5,0.5,0.4,0.4", "not commas"),
        ("10 10 50 10 50 40 10 40 plane 0", "DOTA"),
        ("cat 0.5 0.5 0.4 0.4", "neither"),
        ("0 0.5 0.5 0.4", "neither"),
        ("0" + " 0.5" * 7, "if it is a box with 1 key point, data.yaml lacks kpt_shape: [1, 3]"),
        ("0" + " 0.5" * 55, "if it is a box with 17 key points, data.yaml lacks kpt_shape: [17, 3]"),
        ("0" + " 0.5" * 9, "nor a polygon:"),  # 10 numbers are 5 + 5
        ("5 0.5 0.5 0.4 0.4", "class 5 is not within 0 to 1"),
    ],
)
def test_one_row_that_is_refused_leaves_its_image_out(tmp_path: Path, row: str, word: str) -> None:
    root = write_yolo(tmp_path / "here")
    write_text(root / "labels" / "train" / "b.txt", f"0 .5 .5 .2 .2\n{row}\n")
    dataset = open_dataset(root)
    assert stems(dataset) == ["a", "c", "d"]
    [finding] = dataset.findings
    assert word in finding.what
    assert (finding.unusable, finding.image, finding.split) == (True, "images/train/b.jpg", "train")
    fix(lint(root), tmp_path / "there")
    assert not list((tmp_path / "there").rglob("b.*"))


def test_a_click_is_no_object_but_an_image_of_clicks_only_is_left_out(tmp_path: Path) -> None:
    root = write_yolo(tmp_path)
    write_text(root / "labels" / "train" / "a.txt", "0 .5 .5 .2 .2\n0 .5 .5 0 .2\n")
    write_text(root / "labels" / "train" / "b.txt", "0 .5 .5 0 0\n")
    dataset = open_dataset(root)
    assert stems(dataset) == ["a", "c", "d"]
    assert [(f.code, f.unusable) for f in dataset.findings] == [
        ("Y212", True),
        ("Y302", False),
        ("Y302", False),
    ]


@pytest.mark.parametrize(
    "change",
    [{"bbox": [1, 2, 3]}, {"category_id": 99}, {"bbox": [5, 5, -2, 4]}, {"attributes": {"rotation": 30.5}}],
)
def test_coco_annotations_that_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    root = write_coco(tmp_path)
    value = coco_json("train")
    value["annotations"].append(value["annotations"][0] | {"id": 9, "image_id": 101} | change)
    write_json(root / "annotations" / "instances_train2017.json", value)
    dataset = open_dataset(root)
    assert stems(dataset) == ["a", "c", "d"]
    assert [f.image for f in dataset.findings] == ["train2017/b.jpg"]


@pytest.mark.parametrize(
    ("box", "code"),
    [
        ("<robndbox><cx>9</cx><cy>9</cy><w>4</w><h>2</h><angle>.7</angle></robndbox>", "Y208"),
        (
            "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox><attributes><attribute>"
            "<name>rotation</name><value>45.0</value></attribute></attributes>",
            "Y208",
        ),
        ("<polygon><x1>1</x1></polygon>", "Y204"),
    ],
)
def test_voc_objects_that_are_refused(tmp_path: Path, box: str, code: str) -> None:
    root = write_voc(tmp_path)
    write_text(
        root / "Annotations" / "b.xml",
        f"<annotation><object><name>cat</name>{box}</object></annotation>",
    )
    dataset = open_dataset(root)
    assert stems(dataset) == ["a", "c", "d"]
    assert [(f.code, f.image) for f in dataset.findings] == [(code, "JPEGImages/b.jpg")]


@pytest.mark.parametrize(
    ("shape", "points"),
    [((4, 2), ".45 .45 .55 .45 .45 .55 .55 .55"), ((4, 3), ".45 .45 2 .55 .45 2 .45 .55 1 .55 .55 0"),
     ((1, 3), ".5 .5 2"), ((1, 2), "0 0"), ((17, 3), " ".join([".5 .5 2"] * 17))],
)  # fmt: skip
def test_key_points_follow_the_box_where_data_yaml_says_so(
    tmp_path: Path, shape: tuple[int, int], points: str
) -> None:
    # Centre .5 .5, size .2 .2 of 64x48: from 25.6, 19.2 to 38.4, 28.8.
    mirrored = tuple(reversed(range(shape[0])))
    root = write_yolo(tmp_path / "here", POSE.format(*shape) + f"flip_idx: {list(mirrored)}\n")
    write_text(root / "labels" / "train" / "b.txt", f"0 .5 .5 .2 .2 {points}\n1 .5 .5 .4 .4\n")
    dataset = open_dataset(root, extras=True)
    assert dataset.findings == ()
    assert (dataset.kpt_shape, dataset.flip_idx) == (shape, mirrored)
    [sample] = [s for s in dataset.samples if s.path.stem == "b"]
    assert sample.ground_truth.xyxy[0].tolist() == pytest.approx([25.6, 19.2, 38.4, 28.8])
    first = tuple(map(float, points.split()[: shape[1]]))
    assert sample.extras[0].keypoints[0][: shape[1]] == first
    assert len(sample.extras[0].keypoints) == shape[0]
    fix(lint(root), tmp_path / "there")
    copy = open_dataset(tmp_path / "there")
    assert (copy.kpt_shape, copy.flip_idx, copy.findings) == (shape, mirrored, ())


def test_a_row_with_other_key_points_than_data_yaml_says_is_refused(tmp_path: Path) -> None:
    root = write_yolo(tmp_path, POSE.format(4, 3))
    write_text(root / "labels" / "train" / "b.txt", "0 .1 .1 .5 .3 .4 .9\n")  # a triangle
    [finding] = open_dataset(root).findings
    assert finding.what.startswith("kpt_shape [4, 3] needs 17 numbers, the row has 7")


def test_rows_of_four_corners_only_are_named(tmp_path: Path) -> None:
    root = write_yolo(tmp_path)
    quad = "0 .1 .2 .5 .1 .6 .5 .2 .6\n"
    for path in (root / "labels").rglob("*.txt"):
        write_text(path, quad)
    dataset = open_dataset(root)
    assert [f.code for f in dataset.findings] == ["Y209"]
    assert "4 rows have four corners" in dataset.findings[0].what
    write_text(root / "labels" / "train" / "b.txt", quad + "0 .1 .1 .5 .1 .5 .9\n")  # outlines, then
    assert open_dataset(root).findings == ()


def test_two_images_with_one_label_are_left_out(tmp_path: Path) -> None:
    root = write_yolo(tmp_path)
    image = root / "images" / "train" / "a.jpg"
    image.with_suffix(".png").write_bytes(image.read_bytes())
    dataset = open_dataset(root)
    assert stems(dataset) == ["b", "c", "d"]
    assert [f.code for f in dataset.findings] == ["Y210", "Y210"]


@pytest.mark.parametrize(("filename", "own"), [("a.jpg", "a.jpg"), ("a.png", "a.png"), ("x.jpg", None)])
def test_of_two_images_of_one_stem_the_xml_names_its_own(
    tmp_path: Path, filename: str, own: str | None
) -> None:
    root = write_voc(tmp_path)
    image = root / "JPEGImages" / "a.jpg"
    image.with_suffix(".png").write_bytes(image.read_bytes())
    label = root / "Annotations" / "a.xml"
    label.write_text(label.read_text().replace("a.jpg", filename))
    dataset = open_dataset(root)
    assert [s.path.name for s in dataset.samples if s.path.stem == "a"] == ([own] if own else [])
    assert {f.code for f in dataset.findings} == ({"Y201"} if own else {"Y210"})


@pytest.mark.parametrize("number", ["20240131", "1" + "0" * 20, "1e300", "-1"])
def test_a_class_number_without_names_is_bounded(tmp_path: Path, number: str) -> None:
    root = write_yolo(tmp_path, "")
    write_text(root / "labels" / "train" / "b.txt", f"{number} .5 .5 .2 .2\n")
    dataset = open_dataset(root)
    assert stems(dataset) == ["a", "c", "d"]
    assert dataset.class_names == ("0", "1")
    assert {f.code for f in dataset.findings} == {"Y401", "Y405"}


def test_many_classes_without_a_box_are_one_finding(tmp_path: Path) -> None:
    root = write_yolo(tmp_path, "")
    write_text(root / "labels" / "train" / "b.txt", "5000 .5 .5 .2 .2\n")
    found = [f for f in lint(root).findings if f.code == "Y403"]
    assert [f.what.split(":")[0] for f in found if "class " not in f.where] == [
        "no image has a box of 4998 classes"
    ]
