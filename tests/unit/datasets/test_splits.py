"""Which names are splits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_sets import NAMES, write_image, write_text, write_xml
from yolo_cli.datasets import open_dataset
from yolo_cli.datasets.splits import split_called, splits_among, splits_of


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train", "val"], "train val"),
        (["training", "validation", "testing"], "train val test"),
        (["train2017", "val2017", "unlabeled2017"], "train val -"),
        (["train"], "train"),
        (["trainset", "testset"], "train test"),
        (["train_set", "test_set"], "train test"),
        (["TrainImages", "ValImages"], "train val"),
        (["pets_train", "pets_val"], "train val"),
        (["train-fridge", "test-fridge", "notes"], "train test -"),
        (["test_tube", "beaker"], "- -"),
        (["test_tube"], "-"),
        (["test_strip", "train_ticket"], "- -"),
        (["train", "bus", "car"], "- - -"),
        (["test_strip", "val_gardena", "train_toy"], "- - -"),
        (["trainval", "test"], "- -"),
        (["trainval"], "-"),
        (["val", "valid"], "val val"),
    ],
)
def test_siblings_decide(names: list[str], splits: str) -> None:
    found = splits_among(names)
    assert [found.get(name, "-") for name in names] == splits.split()


def test_the_first_folder_on_the_way_that_is_a_split_decides() -> None:
    folders = [(cls, split) for cls in ("test_tube", "beaker") for split in ("train", "val")]
    assert list(splits_of(folders).values()) == ["train", "val", "train", "val"]


@pytest.mark.parametrize("word", ["test_tube", "latest", "vale", "retrain", "contest", "trainee", ""])
def test_a_name_with_other_words_is_no_split_by_itself(word: str) -> None:
    assert split_called(word) is None


@pytest.mark.parametrize("folders", [("test_tube", "beaker"), ("train", "bus"), ("val_gardena", "other")])
@pytest.mark.parametrize("form", ["yolo", "voc"])
def test_class_folders_are_no_splits(tmp_path: Path, form: str, folders: tuple[str, str]) -> None:
    for seed, folder in enumerate(folders):
        write_image(tmp_path / "images" / folder / f"{folder}.png", (64, 48), seed)
        if form == "yolo":
            write_text(tmp_path / "labels" / folder / f"{folder}.txt", f"{seed} .5 .5 .5 .5\n")
        else:
            label = tmp_path / "annotations" / folder / f"{folder}.xml"
            write_xml(label, f"{folder}.png", (64, 48), [(NAMES[seed], (8, 8, 20, 20))])
    dataset = open_dataset(tmp_path)
    assert (dataset.kind, dataset.splits, len(dataset)) == (form, ("all",), 2)
