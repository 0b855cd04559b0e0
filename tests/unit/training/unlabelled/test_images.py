"""Which images of a folder without labels are learnt from."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import pytest

from tests.made_sets import write_image, write_text
from yolo_cli.datasets import Dataset, open_dataset
from yolo_cli.errors import DataError
from yolo_cli.training.unlabelled.images import find_unlabelled

SIZE = (320, 240)


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """Two images to train on, two to validate on."""
    for number, split in enumerate(("train", "train", "val", "val")):
        write_image(tmp_path / "data" / "images" / split / f"{number}.jpg", SIZE, number)
        write_text(tmp_path / "data" / "labels" / split / f"{number}.txt", "0 .5 .5 .5 .5\n")
    write_text(tmp_path / "data" / "data.yaml", "train: images/train\nval: images/val\nnames: [cat]\n")
    return open_dataset(tmp_path / "data")


def found(folder: Path, data: Dataset) -> tuple[list[str], list[str]]:
    """Names of the images, and what was said."""
    said: list[str] = []
    samples = find_unlabelled(str(folder), data, said.append)
    assert all(each.split == "train" and not len(each.labels) and each.path.is_file() for each in samples)
    assert all(each.name == str(each.path) for each in samples)
    return [each.path.relative_to(folder).as_posix() for each in samples], said


def test_images_below_the_folder_are_found(tmp_path: Path, data: Dataset) -> None:
    for number, name in enumerate(("10.jpg", "9.jpg", "deep/er/1.jpg"), start=7):
        write_image(tmp_path / "more" / name, SIZE, number)
    write_text(tmp_path / "more" / "notes.md", "not an image")
    names, said = found(tmp_path / "more", data)
    assert sorted(names) == ["10.jpg", "9.jpg", "deep/er/1.jpg"]
    assert said == []


def test_what_cannot_be_read_is_one_line(tmp_path: Path, data: Dataset) -> None:
    write_image(tmp_path / "more" / "good.jpg", SIZE, 7)
    for name in ("a.jpg", "b.png"):
        write_text(tmp_path / "more" / name, "")
    names, [line] = found(tmp_path / "more", data)
    assert names == ["good.jpg"]
    assert line.startswith(f"left out 2 unlabelled images: {tmp_path / 'more' / 'a.jpg'}: ")
    assert line.endswith("(and 1 more)")


@pytest.mark.parametrize("of", ["images/train/0.jpg", "images/val/3.jpg"])
def test_images_of_the_data_set_are_left_out(of: str, tmp_path: Path, data: Dataset) -> None:
    write_image(tmp_path / "more" / "good.jpg", SIZE, 7)
    shutil.copy(tmp_path / "data" / of, tmp_path / "more" / "copy.jpg")
    names, [line] = found(tmp_path / "more", data)
    assert names == ["good.jpg"]
    assert line == f"left out 1 unlabelled image: {tmp_path / 'more' / 'copy.jpg'} is {of}"


def test_an_image_twice_is_learnt_from_once(tmp_path: Path, data: Dataset) -> None:
    write_image(tmp_path / "more" / "a.jpg", SIZE, 7)
    shutil.copy(tmp_path / "more" / "a.jpg", tmp_path / "more" / "b.jpg")
    names, [line] = found(tmp_path / "more", data)
    assert names == ["a.jpg"]
    assert line.endswith("b.jpg is " + str(tmp_path / "more" / "a.jpg"))


@pytest.mark.parametrize(("of", "kept"), [("train/1.jpg", True), ("val/2.jpg", False)])
def test_only_what_looks_like_an_image_to_evaluate_on_is_left_out(
    of: str, kept: bool, tmp_path: Path, data: Dataset
) -> None:
    """The same image, compressed harder."""
    write_image(tmp_path / "more" / "good.jpg", SIZE, 7)
    pixels = cv2.imread(str(tmp_path / "data" / "images" / of))
    cv2.imwrite(str(tmp_path / "more" / "near.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])
    names, said = found(tmp_path / "more", data)
    assert ("near.jpg" in names) == kept
    assert kept or "that look like one to evaluate on" in said[0]


def test_nothing_to_learn_from(tmp_path: Path, data: Dataset) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such file or folder"):
        found(tmp_path / "nowhere", data)
    (tmp_path / "more").mkdir()
    shutil.copy(tmp_path / "data" / "images" / "val" / "2.jpg", tmp_path / "more")
    with pytest.raises(DataError, match="more: none of its 1 image can be learnt from"):
        found(tmp_path / "more", data)


def test_a_list_may_name_equal_files_of_several_folders(tmp_path: Path, data: Dataset) -> None:
    """As of several cameras; and a folder of links that go nowhere is one line."""
    for number, camera in enumerate(("one", "two"), start=7):
        write_image(tmp_path / camera / "0.jpg", SIZE, number)
    write_text(tmp_path / "list.txt", "one/0.jpg\ntwo/0.jpg\nthree/0.jpg\n")
    said: list[str] = []
    samples = find_unlabelled(str(tmp_path / "list.txt"), data, said.append)
    assert [each.name for each in samples] == [str(tmp_path / camera / "0.jpg") for camera in ("one", "two")]
    assert len(said) == 1
    assert "three/0.jpg" in said[0]
