from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.made_sets import (
    BOXES,
    boxes_by_name,
    coco_json,
    write_coco,
    write_json,
    write_text,
    write_voc,
    write_yolo,
)
from yolo_cli.datasets import open_dataset, read_dataset
from yolo_cli.errors import DataError, UsageError


def test_the_three_forms_of_one_data_set_agree(tmp_path: Path) -> None:
    for write in (write_yolo, write_voc):
        assert boxes_by_name(open_dataset(write(tmp_path / write.__name__))) == BOXES
    coco = open_dataset(write_coco(tmp_path / "coco"))
    by_name = {
        stem: [(("cat", "dog").index(coco.class_names[class_id]), box) for class_id, box in boxes]
        for stem, boxes in boxes_by_name(coco).items()
    }
    assert by_name == BOXES


def test_two_readings_are_refused_and_both_named(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    write_json(tmp_path / "instances_train.json", coco_json("train"))
    with pytest.raises(DataError, match=r"YOLO \(.*data\.yaml\) or COCO \(.*instances_train\.json\)"):
        open_dataset(tmp_path)
    assert open_dataset(tmp_path / "data.yaml").kind == "yolo"
    assert read_dataset(tmp_path / "instances_train.json").kind == "coco"


def test_yolo_beside_voc_is_refused_and_parts_can_be_named(tmp_path: Path) -> None:
    write_voc(tmp_path)
    write_yolo(tmp_path, "")
    with pytest.raises(DataError, match=r"YOLO \(.*labels\) or VOC \(.*Annotations\)"):
        open_dataset(tmp_path)
    assert open_dataset(tmp_path / "labels").kind == "yolo"
    assert open_dataset(tmp_path / "Annotations").kind == "voc"


def test_two_descriptions_are_refused(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    write_text(tmp_path / "other.yaml", "train: images/train\nnames: [cat, dog]\n")
    write_text(tmp_path / "args.yaml", "epochs: 3\nlr0: 0.1\n")  # no description
    with pytest.raises(DataError, match=r"data\.yaml\) or YOLO \(.*other\.yaml"):
        open_dataset(tmp_path)


def test_a_split_can_be_chosen(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    assert [s.path.stem for s in open_dataset(tmp_path).in_split("val").samples] == ["c", "d"]
    with pytest.raises(UsageError, match="no split 'test', only train, val"):
        open_dataset(tmp_path).in_split("test")


@pytest.mark.parametrize("name", ["gone", "notes.txt", "empty"])
def test_what_is_no_data_set_is_refused(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / "notes.txt", "hello")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=name):
        open_dataset(tmp_path / name)


def test_nothing_usable_says_what_is_wrong_first(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    for path in (tmp_path / "labels").rglob("*.txt"):
        path.unlink()
    with pytest.raises(DataError, match=r"no image that can be used \(6 faults; first: images/train/a.jpg"):
        open_dataset(tmp_path / "data.yaml")
    assert len(read_dataset(tmp_path / "data.yaml")) == 0


@pytest.mark.parametrize("write", [write_yolo, write_coco, write_voc])
def test_data_is_never_written_to(tmp_path: Path, write: object) -> None:
    root = write(tmp_path)  # type: ignore[operator]
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*")}
    dataset = open_dataset(root)
    _ = dataset.content_hash, dataset.box_sizes(416), [s.read() for s in dataset.samples]
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*")} == before


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="needs symbolic links")
def test_links_to_images_keep_their_labels(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    image = tmp_path / "images" / "train" / "a.jpg"
    image.rename(tmp_path / "elsewhere.jpg")
    image.symlink_to(tmp_path / "elsewhere.jpg")
    assert boxes_by_name(open_dataset(tmp_path)) == BOXES


def test_a_relative_path_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_yolo(tmp_path / "pets")
    monkeypatch.chdir(tmp_path)
    assert boxes_by_name(open_dataset("pets")) == BOXES
    monkeypatch.chdir(tmp_path / "pets")
    assert boxes_by_name(open_dataset(".")) == BOXES


def test_the_folder_of_annotation_files_finds_its_images(tmp_path: Path) -> None:
    write_coco(tmp_path)
    assert len(open_dataset(tmp_path / "annotations")) == 4


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_yolo(tmp_path)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match=r"cannot be read: Permission denied"):
        open_dataset(tmp_path)
