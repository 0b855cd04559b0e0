from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_sets import BOXES, NAMES, boxes_by_name, write_image, write_text, write_voc, write_xml
from yolo_cli.datasets import UNSPLIT, open_dataset, read_dataset
from yolo_cli.datasets.voc_xml import read_xml
from yolo_cli.errors import DataError


def test_the_layout_of_voc_itself(tmp_path: Path) -> None:
    dataset = open_dataset(write_voc(tmp_path))
    assert dataset.kind == "voc"
    assert dataset.class_names == NAMES
    assert boxes_by_name(dataset) == BOXES
    assert [(s.name, s.split) for s in dataset.samples] == [
        ("JPEGImages/a.jpg", "train"),
        ("JPEGImages/b.jpg", "train"),
        ("JPEGImages/c.jpg", "val"),
        ("JPEGImages/d.jpg", "val"),
    ]
    assert dataset.samples[0].declared_size == (48, 64)
    assert dataset.findings == ()


def test_pixels_are_counted_from_one_and_include_the_last(tmp_path: Path) -> None:
    # A box over the whole of an 8x6 image is 1, 1, 8, 6 in VOC's count and 0, 0, 8, 6 in ours.
    write_image(tmp_path / "JPEGImages" / "x.png", (8, 6))
    box = "<bndbox><ymax>6</ymax><xmin>1</xmin><ymin>1</ymin><xmax>8</xmax></bndbox>"
    xml = f"<annotation><object><name> cat </name><difficult>1</difficult>{box}</object></annotation>"
    write_text(tmp_path / "Annotations" / "x.xml", xml)
    [sample] = open_dataset(tmp_path).samples
    assert sample.ground_truth.xyxy.tolist() == [[0, 0, 8, 6]]
    assert sample.ground_truth.difficult is not None
    assert sample.ground_truth.difficult.tolist() == [True]
    assert sample.ground_truth.area is not None
    assert sample.ground_truth.area.tolist() == [48]
    assert (sample.split, sample.declared_size) == (UNSPLIT, None)


def test_a_box_of_one_point_is_degenerate_and_gains_no_pixel(tmp_path: Path) -> None:
    write_voc(tmp_path)
    write_xml(
        tmp_path / "Annotations" / "b.xml",
        "b.jpg",
        (64, 48),
        [("cat", (9, 9, 10, 10)), ("dog", (1, 1, 9, 9))],
    )
    dataset = open_dataset(tmp_path)  # the first is written as 10, 10, 10, 10
    assert [(f.code, f.where) for f in dataset.findings] == [("Y302", "Annotations/b.xml: object 1")]
    assert boxes_by_name(dataset)["b"] == [(1, (1, 1, 9, 9))]


def test_trainval_and_lists_of_one_class_are_passed_over(tmp_path: Path) -> None:
    write_voc(tmp_path)
    write_text(tmp_path / "ImageSets/Main/trainval.txt", "a\nb\nc\nd\n")
    write_text(tmp_path / "ImageSets/Main/cat_train.txt", "a  1\nb -1\n")
    assert [s.split for s in open_dataset(tmp_path).samples] == ["train", "train", "val", "val"]


def test_trainval_alone_is_for_training(tmp_path: Path) -> None:
    write_voc(tmp_path)
    (tmp_path / "ImageSets/Main/train.txt").rename(tmp_path / "ImageSets/Main/trainval.txt")
    write_text(tmp_path / "ImageSets/Main/trainval.txt", "a 1\nb 1\nc 1\n")
    assert [(s.path.stem, s.split) for s in open_dataset(tmp_path).samples] == [
        ("a", "train"),
        ("b", "train"),
        ("c", "val"),
        ("d", "val"),
    ]


def test_whichever_image_bears_the_name(tmp_path: Path) -> None:
    for stem, suffix in (("a b", ".PNG"), ("ü", ".webp"), ("c", ".jpeg")):
        write_image(tmp_path / "JPEGImages" / f"{stem}{suffix}", (16, 16))
        write_xml(tmp_path / "Annotations" / f"{stem}.xml", f"{stem}.jpg", (16, 16), [("cat", (1, 1, 9, 9))])
    write_text(tmp_path / "ImageSets/Main/train.txt", "a b\r\nü\r\nc")
    dataset = open_dataset(tmp_path)
    assert [s.path.name for s in dataset.samples] == ["a b.PNG", "c.jpeg", "ü.webp"]
    assert dataset.findings == ()


@pytest.mark.parametrize("folders", [("train", "valid"), ("images/train", "images/val")])
def test_folders_named_after_splits(tmp_path: Path, folders: tuple[str, str]) -> None:
    for seed, folder in enumerate(folders):
        write_image(tmp_path / folder / "x.jpg", (16, 16), seed)
        label = tmp_path / folder.replace("images", "annotations") / "x.xml"
        write_xml(label, "x.jpg", (16, 16), [("cat", (1, 1, 9, 9))])
    assert [s.split for s in open_dataset(tmp_path).samples] == ["train", "val"]


def test_a_folder_around_it_is_looked_into(tmp_path: Path) -> None:
    write_voc(tmp_path / "VOC2012")
    assert open_dataset(tmp_path).root == tmp_path / "VOC2012"
    write_voc(tmp_path / "VOC2007")
    with pytest.raises(DataError, match=r"VOC \(.*VOC2007.*VOC \(.*VOC2012"):
        open_dataset(tmp_path)


def test_a_list_of_classes_gives_order_and_limits(tmp_path: Path) -> None:
    write_voc(tmp_path)
    write_text(tmp_path / "labels.txt", "dog\n")
    dataset = open_dataset(tmp_path)
    assert dataset.class_names == ("dog",)
    assert [(f.code, f.where) for f in dataset.findings] == [
        ("Y401", "Annotations/a.xml: object 1"),
        ("Y401", "Annotations/d.xml: object 1"),
    ]


def test_what_is_wrong_is_left_out_and_named(tmp_path: Path) -> None:
    write_voc(tmp_path)
    (tmp_path / "Annotations" / "a.xml").unlink()  # missing label
    (tmp_path / "JPEGImages" / "c.jpg").unlink()  # listed, not there
    write_text(tmp_path / "Annotations" / "d.xml", "<annotation><size>")  # cut short
    write_xml(tmp_path / "Annotations" / "lone.xml", "lone.jpg", (8, 8), [])  # orphan
    write_xml(
        tmp_path / "Annotations" / "b.xml", "other.jpg", (64, 48),
        [("cat", (9, 9, 20, 20))],
        extra="<object><name/></object><object><name>cat</name><bndbox><xmin>1</xmin></bndbox></object>"
        "<object><name>cat</name><bndbox><xmin>x</xmin><ymin>1</ymin>"
        "<xmax>2</xmax><ymax>2</ymax></bndbox></object>",
    )  # fmt: skip
    dataset = read_dataset(tmp_path)
    assert [(f.code, f.where) for f in dataset.findings] == [
        ("Y102", "c"),
        ("Y201", "JPEGImages/a.jpg"),
        ("Y202", "Annotations/lone.xml"),
        ("Y203", "Annotations/d.xml"),
        ("Y204", "Annotations/b.xml: object 2"),
        ("Y204", "Annotations/b.xml: object 3"),
        ("Y204", "Annotations/b.xml: object 4"),
        ("Y504", "ImageSets/Main/train.txt"),
        ("Y504", "ImageSets/Main/val.txt"),
    ]
    assert len(dataset) == 0
    unlabelled = open_dataset(tmp_path, allow_unlabelled=True)
    assert [s.path.stem for s in unlabelled.samples] == ["a"]
    assert "Y201" not in {f.code for f in unlabelled.findings}


def test_an_image_that_filename_names_is_no_substitute(tmp_path: Path) -> None:
    write_voc(tmp_path)
    (tmp_path / "JPEGImages" / "a.jpg").rename(tmp_path / "JPEGImages" / "renamed.jpg")
    assert [f.code for f in open_dataset(tmp_path).findings] == ["Y102"]


def test_a_list_of_which_nothing_can_be_used_is_named(tmp_path: Path) -> None:
    write_voc(tmp_path)
    write_text(tmp_path / "ImageSets/Main/val.txt", "\n")
    write_text(tmp_path / "ImageSets/Main/test.txt", "gone\n")
    dataset = open_dataset(tmp_path)
    assert dataset.splits == ("train",)
    assert [(f.code, f.where) for f in dataset.findings] == [
        ("Y102", "gone"),
        ("Y504", "ImageSets/Main/test.txt"),
        ("Y504", "ImageSets/Main/val.txt"),
    ]


BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<annotation><object><name>&b;</name></object></annotation>"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "entities"),
        ("", "is not XML"),
        ("<annotation>", ":1: is not XML"),
        ("<annotation>\n\n<object></annotation>", ":3: is not XML"),
        ("<html/>", "no <annotation> at its root"),
        ("<?xml version='1.0' encoding='nonsense'?><annotation/>", "is not XML"),
    ],
)
def test_broken_xml_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.xml"
    path.write_text(text)
    with pytest.raises(DataError, match=words) as caught:
        read_xml(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_lists_of_imagesets_main_come_before_others(tmp_path: Path) -> None:
    root = write_voc(tmp_path)
    for place in ("ImageSets", "."):
        write_text(root / place / "train.txt", "a\n")
        write_text(root / place / "val.txt", "b\nc\nd\n")
    assert [s.split for s in open_dataset(root).samples] == ["train", "train", "val", "val"]


def test_an_xml_says_its_encoding(tmp_path: Path) -> None:
    root = write_voc(tmp_path)
    path = root / "Annotations" / "a.xml"
    text = '<?xml version="1.0" encoding="cp1252"?>\n' + path.read_text().replace("dog", "Möwe")
    path.write_bytes(text.encode("cp1252"))
    assert "Möwe" in open_dataset(root).class_names


@pytest.mark.parametrize(("degrees", "whole"), [("360.0", True), ("0", True), ("359", False), ("361", False)])
def test_a_whole_turn_is_no_rotation(tmp_path: Path, degrees: str, whole: bool) -> None:
    root = write_voc(tmp_path)
    path = root / "Annotations" / "a.xml"
    turned = f"<attributes><attribute><name>rotation</name><value>{degrees}</value></attribute></attributes>"
    path.write_text(path.read_text().replace("</object>", f"{turned}</object>"))
    codes = {finding.code for finding in read_dataset(root).findings}
    assert ("Y208" not in codes) == whole
