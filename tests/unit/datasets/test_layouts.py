"""Layouts of common exporters in the three forms, leftovers of systems, and links."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.made_sets import (
    BOXES,
    NAMES,
    boxes_by_name,
    coco_json,
    write_coco,
    write_json,
    write_text,
    write_voc,
    write_yolo,
)
from yolo_cli.datasets import lint, open_dataset
from yolo_cli.errors import DataError
from yolo_cli.files import find_files, locate

links = pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
LISTS = {"train": ["a", "b"], "val": ["c", "d"]}


def bare(root: Path) -> Path:
    """The YOLO set without a description."""
    return write_yolo(root, "")


@pytest.mark.parametrize("prefix", ["data/", "", "./", "../", "/content/drive/data/", "build/x64/data/"])
@pytest.mark.parametrize("slash", ["/", "\\"])
def test_cvats_yolo_and_other_prefixes_of_paths(tmp_path: Path, prefix: str, slash: str) -> None:
    # CVAT's YOLO 1.1: obj.data, obj.names, train.txt and obj_train_data, with data/ before each path.
    root = bare(tmp_path)
    for split, stems in LISTS.items():
        (root / f"obj_{split}_data").mkdir()
        for path in [*(root / "images" / split).iterdir(), *(root / "labels" / split).iterdir()]:
            shutil.move(path, root / f"obj_{split}_data")
        lines = [f"{prefix}obj_{split}_data/{stem}.jpg".replace("/", slash) for stem in stems]
        write_text(root / f"{split}.txt", "\n".join(lines))
    shutil.rmtree(root / "labels")
    shutil.rmtree(root / "images")
    write_text(root / "obj.names", "cat\ndog\n")
    head = "" if prefix.startswith("/") else "data/"
    keys = "classes = 2\ntrain = {0}train.txt\nvalid = {0}val.txt\nnames = {0}obj.names\nbackup = b/\n"
    write_text(root / "obj.data", keys.format(head))
    for place in (root, root / "obj.data"):
        dataset = open_dataset(place)
        assert (dataset.class_names, dataset.splits) == (NAMES, ("train", "val"))
        assert boxes_by_name(dataset) == BOXES
        assert dataset.findings == ()


def test_cvats_ultralytics_export(tmp_path: Path) -> None:
    root = write_yolo(tmp_path, "path: .\ntrain: train.txt\nval: val.txt\nnames:\n  0: cat\n  1: dog\n")
    for split, stems in LISTS.items():
        lines = [f"data/images/{split}/{stem}.jpg" for stem in stems]
        write_text(root / f"{split}.txt", "\n".join(lines))
    assert boxes_by_name(open_dataset(root)) == BOXES


@pytest.mark.parametrize("folder", ["JPEGImages", "raw", "Images"])
def test_darknets_own_folders_of_images(tmp_path: Path, folder: str) -> None:
    root = bare(tmp_path)
    (root / "images").rename(root / folder)
    if folder == "Images":
        (root / "labels").rename(root / "Labels")
    for split, stems in LISTS.items():
        write_text(root / f"{split}.txt", "".join(f"{folder}/{split}/{stem}.jpg\n" for stem in stems))
    assert boxes_by_name(open_dataset(root)) == BOXES
    for split in LISTS:
        (root / f"{split}.txt").unlink()
    if folder != "raw":
        assert boxes_by_name(open_dataset(root)) == BOXES


@pytest.mark.parametrize("notes", [{"categories": [{"id": 0, "name": "cat"}]},
                                   {"categories": ["c"], "images": []},
                                   {"images": ["a.jpg"], "annotations": ["a.txt"]}])  # fmt: skip
def test_a_json_beside_labels_is_coco_only_in_cocos_shape(tmp_path: Path, notes: object) -> None:
    root = bare(tmp_path)
    write_text(root / "classes.txt", "cat\ndog\n")
    write_json(root / "notes.json", notes)  # as Label Studio's YOLO export has it
    assert open_dataset(root).kind == "yolo"
    assert boxes_by_name(open_dataset(root)) == BOXES


@pytest.mark.parametrize("line", [
    "{}", "{}.jpg", "JPEGImages/{}.jpg", "JPEGImages/{0}.jpg Annotations/{0}.xml", "./JPEGImages/{}.jpg",
    "{} 1", "{} -1", "JPEGImages\\{}.jpg", "'{}'", "VOC2007/JPEGImages/{}.jpg",
])  # fmt: skip
@pytest.mark.parametrize("place", ["ImageSets/Main", "."])
def test_lines_of_vocs_lists(tmp_path: Path, line: str, place: str) -> None:
    root = write_voc(tmp_path)
    shutil.rmtree(root / "ImageSets")
    for split, stems in LISTS.items():
        write_text(root / place / f"{split}.txt", "# ours\n" + "\n".join(map(line.format, stems)))
    dataset = open_dataset(root)
    assert boxes_by_name(dataset) == BOXES
    assert (dataset.splits, dataset.findings) == (("train", "val"), ())


def test_a_stem_with_a_blank_and_a_stem_with_a_dot(tmp_path: Path) -> None:
    root = write_voc(tmp_path)
    for old, new in (("a", "a b"), ("b", "b.v1")):
        (root / "JPEGImages" / f"{old}.jpg").rename(root / "JPEGImages" / f"{new}.jpg")
        (root / "Annotations" / f"{old}.xml").rename(root / "Annotations" / f"{new}.xml")
    write_text(root / "ImageSets/Main/train.txt", "a b\nb.v1\n")
    assert [s.path.stem for s in open_dataset(root).in_split("train").samples] == ["a b", "b.v1"]


def test_cvats_labelmap_names_the_classes(tmp_path: Path) -> None:
    root = write_voc(tmp_path)
    text = "# label:color_rgb:parts:actions\nbackground:0,0,0::\ndog:1,2,3::\ncat:4,5,6::\n"
    write_text(root / "labelmap.txt", text)
    assert open_dataset(root).class_names == ("dog", "cat")


@pytest.mark.parametrize("write", [write_yolo, bare, write_coco, write_voc])
def test_what_systems_leave_behind_is_passed_over(tmp_path: Path, write: object) -> None:
    root = write(tmp_path / "set")  # type: ignore[operator]
    before = boxes_by_name(open_dataset(root))
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        for path in [path for path in folder.iterdir() if path.is_file()]:
            write_text(path.with_name("._" + path.name), "\0\5\x16\7")
            write_text(folder / ".ipynb_checkpoints" / path.name, path.read_text(errors="replace"))
            write_text(folder / "@eaDir" / path.name / "SYNOPHOTO_THUMB_M.jpg", "x")
        for name in ("Thumbs.db", ".DS_Store", "desktop.ini"):
            write_text(folder / name, "x")
    shutil.copytree(root, tmp_path / "__MACOSX" / "set")
    for place in (root, tmp_path):
        found = lint(place)
        assert boxes_by_name(found.dataset) == before
        assert found.errors == ()


@links
def test_linked_folders_of_images(tmp_path: Path) -> None:
    root = bare(tmp_path / "set")
    write_text(root / "classes.txt", "cat\ndog\n")
    (root / "images").rename(tmp_path / "store")
    (root / "images").mkdir()
    for split in LISTS:
        (root / "images" / split).symlink_to(tmp_path / "store" / split)
    dataset = open_dataset(root)
    assert (dataset.class_names, dataset.splits, dataset.findings) == (NAMES, ("train", "val"), ())
    assert boxes_by_name(dataset) == BOXES


@links
def test_links_in_a_circle_end(tmp_path: Path) -> None:
    # Ten folders, each with links to all ten: as a tree of links these would be 10! ways.
    for name in "abcdefghij":
        write_text(tmp_path / name / f"{name}.jpg", "x")
        for other in "abcdefghij":
            (tmp_path / name / f"to_{other}").symlink_to(tmp_path / other)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    found = list(find_files(tmp_path, (".jpg",)))
    assert {Path(path).name for path in found} == {f"{name}.jpg" for name in "abcdefghij"}
    assert len(found) <= 10 * 11 * 11


@links
def test_two_links_to_one_folder_are_both_followed(tmp_path: Path) -> None:
    write_text(tmp_path / "store" / "x.jpg", "x")
    for name in ("p", "q"):
        (tmp_path / "all").mkdir(exist_ok=True)
        (tmp_path / "all" / name).symlink_to(tmp_path / "store")
    assert len(list(find_files(tmp_path / "all", (".jpg",)))) == 2


def test_a_path_in_a_list_is_not_found_by_its_bare_name(tmp_path: Path) -> None:
    write_text(tmp_path / "a.jpg", "x")
    assert locate("val/a.jpg", tmp_path) == tmp_path / "val" / "a.jpg"
    assert locate("data/a.jpg", tmp_path) == tmp_path / "a.jpg"


@pytest.mark.parametrize(
    ("names", "word"),
    [
        ("cat", "must be a list"),
        ("cat, dog", "must be a list"),
        ("\n  0:cat\n  1:dog", "there must be a blank"),
        ("7", "must be"),
    ],
)
def test_names_that_are_no_list(tmp_path: Path, names: str, word: str) -> None:
    with pytest.raises(DataError, match=word) as caught:
        open_dataset(write_yolo(tmp_path, f"train: images/train\nval: images/val\nnames: {names}\n"))
    assert "data.yaml" in str(caught.value)


def test_a_file_of_names_is_still_read(tmp_path: Path) -> None:
    root = write_yolo(tmp_path, "train: images/train\nval: images/val\nnames: pets.names\n")
    write_text(root / "pets.names", "cat\ndog\n")
    assert open_dataset(root).class_names == NAMES


@pytest.mark.parametrize(
    "prefix", ["images/", "../../images/", "/data/upload/3/", "https://x.org/img/", "train2017/"]
)
def test_file_names_of_coco_as_exporters_write_them(tmp_path: Path, prefix: str) -> None:
    root, value = write_coco(tmp_path), coco_json("train")
    before = boxes_by_name(open_dataset(root))
    for image in value["images"]:
        image["file_name"] = prefix + image["file_name"]
    write_json(root / "annotations" / "instances_train2017.json", value)
    assert boxes_by_name(open_dataset(root)) == before


def test_two_files_of_one_name_are_not_found_without_their_folders(tmp_path: Path) -> None:
    value = coco_json("train")
    for image, name in zip(value["images"], ("x/a.jpg", "y/a.jpg"), strict=True):
        image["file_name"] = name
    root = write_coco(tmp_path)
    write_json(root / "annotations" / "instances_train2017.json", value)
    assert [f.code for f in open_dataset(root).findings] == ["Y102", "Y102", "Y504"]
