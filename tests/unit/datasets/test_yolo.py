from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.made_sets import BOXES, NAMES, boxes_by_name, write_image, write_text, write_yolo
from yolo_cli.datasets import UNSPLIT, open_dataset
from yolo_cli.datasets.yolo import parse_row
from yolo_cli.errors import DataError

FORMS = {
    "list": "train: images/train\nval: images/val\nnames: [cat, dog]\n",
    "dict": "train: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n",
    "dict out of order": "train: images/train\nval: images/val\nnames: {1: dog, 0: cat}\n",
    "path": "path: .\ntrain: images/train\nval: images/val\nnames: [cat, dog]\nnc: 2\n",
    "lost path": "path: /gone/pets\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n",
    "valid": "train: images/train\nvalid: images/val\ntest:\nnames: [cat, dog]\n",
    "lists of folders": "train: [images/train]\nval:\n  - images/val\nnames: [cat, dog]\n",
    "one folder up, as exports say": "train: ../images/train\nval: ../images/val\nnames: [cat, dog]\n",
    "backslashes": "train: images\\train\nval: images\\val\nnames: [cat, dog]\n",
    "quotes, BOM, CRLF": "\ufeff#\r\ntrain: 'images/train'\r\nval: images/val\r\nnames: [cat, dog]",
}


@pytest.mark.parametrize("yaml", FORMS.values(), ids=FORMS)
def test_every_form_of_data_yaml_means_the_same(tmp_path: Path, yaml: str) -> None:
    dataset = open_dataset(write_yolo(tmp_path, yaml))
    assert dataset.kind == "yolo"
    assert dataset.class_names == NAMES
    assert [(s.name, s.split) for s in dataset.samples] == [
        ("images/train/a.jpg", "train"),
        ("images/train/b.jpg", "train"),
        ("images/val/c.jpg", "val"),
        ("images/val/d.jpg", "val"),
    ]
    assert boxes_by_name(dataset) == BOXES
    assert dataset.findings == ()


def test_list_files_are_relative_to_themselves(tmp_path: Path) -> None:
    write_yolo(tmp_path, "train: lists/train.txt\nval: lists/val.txt\nnames: [cat, dog]\n")
    write_text(tmp_path / "lists" / "train.txt", "# ours\n../images/train/a.jpg\n\n../images/train/b.jpg\n")
    write_text(tmp_path / "lists" / "val.txt", "images/val/c.jpg\r\nimages\\val\\d.jpg\r\n")  # from the root
    assert boxes_by_name(open_dataset(tmp_path)) == BOXES


def test_darknet_data_file(tmp_path: Path) -> None:
    write_yolo(tmp_path, "")
    write_text(tmp_path / "data" / "pets.names", "cat\ndog\n\n")
    write_text(tmp_path / "data" / "train.txt", "images/train/a.jpg\nimages/train/b.jpg\n")
    write_text(tmp_path / "data" / "val.txt", "images/val/c.jpg\nimages/val/d.jpg\n")
    pairs = (
        "classes = 2\ntrain = data/train.txt\nvalid = data/val.txt\nnames = data/pets.names\nbackup = b/\n"
    )
    write_text(tmp_path / "data" / "pets.data", pairs)
    dataset = open_dataset(tmp_path / "data" / "pets.data")
    assert dataset.class_names == NAMES
    assert boxes_by_name(dataset) == BOXES
    assert dataset.findings == ()


def test_bare_folders_speak_for_themselves(tmp_path: Path) -> None:
    dataset = open_dataset(write_yolo(tmp_path, ""))
    assert dataset.splits == ("train", "val")
    assert boxes_by_name(dataset) == BOXES
    assert dataset.class_names == ("0", "1")  # the numbers that occur
    assert [f.code for f in dataset.findings] == ["Y405"]


def test_split_folders_with_images_and_labels_inside(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        write_image(tmp_path / split / "images" / "x.png", (8, 8), len(split))
        write_text(tmp_path / split / "labels" / "x.txt", "0 .5 .5 .5 .5\n")
    dataset = open_dataset(tmp_path)
    assert [(s.name, s.split) for s in dataset.samples] == [
        ("train/images/x.png", "train"),
        ("valid/images/x.png", "val"),
    ]


def test_labels_beside_images_and_a_names_file(tmp_path: Path) -> None:
    write_image(tmp_path / "x y ü.png", (8, 8))
    write_text(tmp_path / "x y ü.txt", "1 .5 .5 .5 .5\n")
    write_text(tmp_path / "classes.txt", "cat\ndog\n")
    write_text(tmp_path / "README.txt", "Pets.\n")  # neither a label nor an orphan
    dataset = open_dataset(tmp_path)
    assert dataset.class_names == NAMES
    assert [(s.name, s.split, s.image_id) for s in dataset.samples] == [("x y ü.png", UNSPLIT, "x y ü")]
    assert dataset.findings == ()


def test_yaml_words_for_ground_truth_stay_class_names(tmp_path: Path) -> None:
    yaml = "train: images/train\nval: images/val\nnames: [no, 1:30]\n"
    assert open_dataset(write_yolo(tmp_path, yaml)).class_names == ("no", "1:30")


def test_a_fraction_is_of_the_upright_image(tmp_path: Path) -> None:
    # Stored 64x48, shown 48x64 (EXIF 6: a quarter turn). Centre (.5, .25), size (.5, .25):
    # x from .25*48 = 12 to .75*48 = 36, y from .125*64 = 8 to .375*64 = 24.
    write_image(tmp_path / "images" / "x.jpg", (64, 48), exif=6)
    write_text(tmp_path / "labels" / "x.txt", "0 0.5 0.25 0.5 0.25\n")
    [sample] = open_dataset(tmp_path).samples
    assert sample.size == (64, 48)
    np.testing.assert_array_equal(sample.ground_truth.xyxy, [[12, 8, 36, 24]])
    np.testing.assert_array_equal(sample.ground_truth.area, [24 * 16])
    image = sample.read()
    assert (image.width, image.height, image.name) == (48, 64, "images/x.jpg")


def test_a_polygon_becomes_the_box_around_it() -> None:
    row = parse_row("3 0.5 0.125 0.75 0.5 0.25 0.875 0.375 0.25", 9)
    assert row is not None
    assert (row.class_id, row.xyxy, row.row) == (3, (0.25, 0.125, 0.75, 0.875), 9)


ODD_ROWS = (
    "0",
    "0 .5 .5 .5",
    "0 .5 .5 .5 .5 .9",
    "cat .5 .5 .5 .5",
    "0.5 .5 .5 .5 .5",
    "nan .5 .5 .5 .5",
    "0 .1 .1 .9 .1 .9 .9 .1",
    "0,.5,.5,.5,.5",
    "0 ,5 .5 .5 .5",
    "0 1_0 .5 .5 .5",
)


@pytest.mark.parametrize("text", ODD_ROWS)
def test_rows_that_are_neither_box_nor_polygon(text: str) -> None:
    assert parse_row(text, 1) is None


def test_what_is_wrong_is_left_out_and_named_by_line(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    rows = (
        "0 .5 .5 .25 .25\n\n"  # line 1 is sound, line 2 is blank
        "0 .5 .5\n"  # 3: malformed
        "0 nan .5 .25 .25\n"  # 4: not a number
        "2 .5 .5 .25 .25\n"  # 5: there are only classes 0 and 1
        "-1 .5 .5 .25 .25\n"  # 6: nor is there a -1
        "0 .5 .5 0 .25\n"  # 7: no width
        "0 .5 .5 -.25 .25\n"  # 8: negative width
        "0 1.5 .5 .25 .25\n"  # 9: left edge at 1.375, outside
        "1 .1 .1 .2 nan .3 .3\n"  # 10: a polygon with a hole in it
        "0 -.1 .5 .2 .2\n"  # 11: from -.2 to 0: it only touches the image
        "0 .5 1.1 .2 .2\n"  # 12: from 1 down
    )
    write_text(tmp_path / "labels" / "train" / "b.txt", rows)
    dataset = open_dataset(tmp_path)
    assert [(f.code, f.where) for f in dataset.findings] == [
        ("Y204", "labels/train/b.txt:3"),
        ("Y301", "labels/train/b.txt:10"),
        ("Y301", "labels/train/b.txt:4"),
        ("Y302", "labels/train/b.txt:7"),
        ("Y303", "labels/train/b.txt:11"),
        ("Y303", "labels/train/b.txt:12"),
        ("Y303", "labels/train/b.txt:9"),
        ("Y308", "labels/train/b.txt:8"),
        ("Y401", "labels/train/b.txt:5"),
        ("Y401", "labels/train/b.txt:6"),
    ]
    assert [s.path.stem for s in dataset.samples] == ["a", "c", "d"]  # b shows more than its sound row


def test_missing_label_missing_image_and_orphan(tmp_path: Path) -> None:
    write_yolo(tmp_path, "train: train.txt\nval: images/val\nnames: [cat, dog]\n")
    write_text(tmp_path / "train.txt", "images/train/a.jpg\nimages/train/b.jpg\nimages/train/gone.jpg\n")
    (tmp_path / "labels" / "train" / "b.txt").unlink()
    write_text(tmp_path / "labels" / "val" / "lone.txt", "")
    found = open_dataset(tmp_path)
    assert [(f.code, f.where) for f in found.findings] == [
        ("Y102", "images/train/gone.jpg"),
        ("Y201", "images/train/b.jpg"),
        ("Y202", "labels/val/lone.txt"),
    ]
    assert "labels/train/b.txt" in found.findings[1].what
    assert [s.path.stem for s in found.samples] == ["a", "c", "d"]
    with_negatives = open_dataset(tmp_path, allow_unlabelled=True)
    assert [s.path.stem for s in with_negatives.samples] == ["a", "b", "c", "d"]
    assert [f.code for f in with_negatives.findings] == ["Y102", "Y202"]


def test_a_label_of_an_unlisted_image_is_no_orphan(tmp_path: Path) -> None:
    write_yolo(tmp_path, "train: train.txt\nval: images/val\nnames: [cat, dog]\n")
    write_text(tmp_path / "train.txt", "images/train/a.jpg\n")
    dataset = open_dataset(tmp_path)
    assert (len(dataset), dataset.findings) == (3, ())


def test_an_image_listed_twice_counts_once(tmp_path: Path) -> None:
    write_yolo(tmp_path, "train: [images/train, images/train/a.jpg]\nval: images/val\nnames: [cat, dog]\n")
    dataset = open_dataset(tmp_path)
    assert (len(dataset), [f.code for f in dataset.findings]) == (4, ["Y205"])


@pytest.mark.parametrize(
    ("yaml", "code"),
    [
        ("train: images/train\nval: images/val\nnames: [cat, dog]\nnc: 3\n", "Y402"),
        ("train: images/train\nval: images/val\nnames: [cat, Cat ]\n", "Y406"),
        ("train: images/train\nval: images/val\nnames: [cat, cat]\n", "Y406"),
        ("train: images/train\nval: images/val\ntest: images/test\nnames: [cat, dog]\n", "Y504"),
    ],
)
def test_descriptions_that_disagree(tmp_path: Path, yaml: str, code: str) -> None:
    assert [f.code for f in open_dataset(write_yolo(tmp_path, yaml)).findings] == [code]


def test_names_beside_that_disagree(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    write_text(tmp_path / "labels" / "classes.txt", "dog\ncat\n")
    [finding] = open_dataset(tmp_path).findings
    assert (finding.code, finding.where) == ("Y402", "labels/classes.txt")


@pytest.mark.parametrize(
    "yaml",
    [
        "train: images/train\nval: images/val\nnames: {0: cat, 2: dog}\n",
        "train: images/train\nval: images/val\nnames: [[cat], dog]\n",
        "train: {a: b}\nnames: [cat, dog]\n",
        "names: [cat, dog\ntrain: x\n",
        "just text\n",
    ],
)
def test_broken_descriptions_are_refused_in_one_line(tmp_path: Path, yaml: str) -> None:
    write_yolo(tmp_path, yaml)
    with pytest.raises(DataError, match=r"data\.yaml") as caught:
        open_dataset(tmp_path / "data.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["images", "Images", "IMAGES"])
def test_labels_are_found_beside_images(tmp_path: Path, word: str) -> None:
    write_image(tmp_path / word / "x.png", (8, 8))
    labels = {"images": "labels", "Images": "Labels", "IMAGES": "LABELS"}[word]
    write_text(tmp_path / labels / "x.txt", "0 .5 .5 .5 .5\n")
    assert [s.label for s in open_dataset(tmp_path).samples] == [f"{labels}/x.txt"]


def test_a_folder_that_happens_to_be_called_images(tmp_path: Path) -> None:
    root = tmp_path / "images"
    write_image(root / "x.png", (8, 8))
    write_text(root / "x.txt", "0 .5 .5 .5 .5\n")
    write_text(root / "lone.txt", "0 .5 .5 .5 .5\n")
    write_text(root / "classes.txt", "cat\n")
    dataset = open_dataset(root)
    assert [s.label for s in dataset.samples] == ["x.txt"]
    assert [(f.code, f.where) for f in dataset.findings] == [("Y202", "lone.txt")]


def test_names_that_yaml_takes_for_dates_that_there_are_none_of(tmp_path: Path) -> None:
    root = write_yolo(tmp_path, yaml="")
    write_text(root / "pets.yaml", "train: images/train\nval: images/val\nnames: [2020-13-45, dog]\n")
    assert open_dataset(root).class_names == ("2020-13-45", "dog")
