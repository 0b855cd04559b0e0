"""Names of files in a new data set."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.there_and_back import make_images, memory_set
from yolo_cli.datasets import Dataset, open_dataset
from yolo_cli.datasets.converting import Output, convert
from yolo_cli.datasets.writing import Entry, entry_of, named


def entries(folder: Path, *names: str, split: str = "train") -> list[Entry]:
    make_images(folder)
    sample = memory_set(folder, {"a": []}).samples[0]
    entry = entry_of(sample)
    return [
        replace(
            entry,
            sample=replace(entry.sample, name=name, path=Path(name), split=split, image_id=Path(name).stem),
        )
        for name in names
    ]


def names(found: list[Entry], place=lambda split: split) -> list[str]:
    return [Path(entry.file).name for entry in named(found, place)]


def test_a_name_is_kept(tmp_path: Path) -> None:
    assert names(entries(tmp_path, "images/train/dog 1.jpg", "train2017/cat.PNG")) == ["dog 1.jpg", "cat.PNG"]


def test_equal_names_get_their_folders_and_then_numbers(tmp_path: Path) -> None:
    found = entries(tmp_path, "images/cam1/001.jpg", "images/cam2/001.jpg", "images/002.jpg", "train/002.png")
    assert names(found) == ["cam1_001.jpg", "cam2_001.jpg", "002.jpg", "002_2.png"]


def test_names_that_differ_only_in_case_are_kept_apart(tmp_path: Path) -> None:
    assert names(entries(tmp_path, "A.jpg", "a.jpg")) == ["A.jpg", "a_2.jpg"]


def test_a_name_may_be_in_two_splits_unless_they_share_a_folder(tmp_path: Path) -> None:
    found = entries(tmp_path, "a.jpg") + entries(tmp_path, "a.jpg", split="val")
    assert names(found) == ["a.jpg", "a.jpg"]
    assert names(found, lambda _: "JPEGImages") == ["a.jpg", "a_2.jpg"]


def test_ids_are_numbers_that_images_are_called_else_the_next(tmp_path: Path) -> None:
    found = named(entries(tmp_path, "000139.jpg", "x/000139.jpg", "dog.jpg"), lambda split: split)
    assert [entry.image_id for entry in found] == [139, 2, 3]


def test_names_that_are_comments_in_lists_or_hidden_files_get_another_first_character(tmp_path: Path) -> None:
    assert names(entries(tmp_path, "#c.jpg", ".d.jpg", "e#.f.jpg")) == ["_c.jpg", "_d.jpg", "e#.f.jpg"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("form", ["yolo", "coco", "voc"])
def test_odd_bytes_and_long_names(tmp_path: Path, form: str) -> None:
    make_images(tmp_path / "in")
    sample = memory_set(tmp_path / "in", {"a": [[0, 1, 2, 30, 40]]}).samples[0]
    odd = (b"caf\xe9 1.png", b"new\nline.png", "ü".encode() * 124 + b".png", b"tab\tand \x01.png")
    samples = []
    for name in map(os.fsdecode, odd):
        path = tmp_path / "in" / name
        path.write_bytes(sample.path.read_bytes())
        samples.append(replace(sample, name=name, path=path))
    dataset = Dataset(tmp_path / "in", "yolo", ("a", "b", "c"), tuple(samples))
    convert([dataset], Output(form, tmp_path / "out"))
    read = open_dataset(tmp_path / "out")
    assert [len(one.labels) for one in read.samples] == [1, 1, 1, 1]
    assert {one.path.name for one in read.samples} == {
        "caf_ 1.png",
        "new_line.png",
        "tab_and _.png",
        "ü" * 90 + ".png",
    }
