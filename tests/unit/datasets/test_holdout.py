from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_sets import write_coco, write_image, write_voc, write_yolo
from yolo_cli.datasets import UNSPLIT, Dataset, Sample, hold_out, open_dataset
from yolo_cli.detections import GroundTruth
from yolo_cli.errors import DataError, UsageError


def made(classes: list[list[int]], split: str = UNSPLIT, count: int = 3) -> Dataset:
    """A data set of images that show these classes."""
    samples = []
    for index, ids in enumerate(classes):
        boxes = np.tile([0.0, 0, 1, 1], (len(ids), 1))
        labels = GroundTruth(boxes.reshape(-1, 4), np.array(ids, np.int64))
        samples.append(Sample(f"{index:04}.jpg", Path("x"), split, index, "", labels, tuple(range(len(ids)))))
    return Dataset(Path(), "yolo", tuple("abc"[:count]), tuple(samples))


def held(dataset: Dataset) -> set[str]:
    return {sample.name for sample in dataset.samples if sample.split == "val"}


def test_every_class_gives_its_share() -> None:
    # 50 images of a, 10 of b, 5 of c, 10 of nothing; a fifth of each is 10, 2, 1, 2.
    parted = hold_out(made([[0]] * 50 + [[1]] * 10 + [[2]] * 5 + [[]] * 10), 0.2)
    assert parted.splits == ("train", "val")
    assert parted.in_split("val").class_counts().tolist() == [10, 2, 1]
    assert sum(len(s.labels) == 0 for s in parted.in_split("val").samples) == 2


def test_the_rarest_class_comes_first() -> None:
    # Chance would put no image of b among 8 of 40 in one case of seven (C(38,8)/C(40,8) = 0.64 for none).
    classes = [[0]] * 36 + [[0, 1]] * 4
    for seed in range(10):
        assert hold_out(made(classes), 0.25, seed).in_split("val").class_counts()[1] == 1


def test_a_single_image_of_a_class_is_learnt_from() -> None:
    parted = hold_out(made([[0]] * 20 + [[1]]), 0.2)
    assert "0020.jpg" not in held(parted)


def test_the_seed_decides_and_nothing_else() -> None:
    dataset = made([[0], [1], [], [0, 1]] * 10)
    assert held(hold_out(dataset, seed=3)) == held(hold_out(dataset, seed=3))
    assert held(hold_out(dataset, seed=3)) != held(hold_out(dataset, seed=4))


@given(
    st.lists(st.lists(st.integers(0, 2), max_size=4), min_size=2, max_size=40),
    st.floats(0.05, 0.95),
    st.integers(0, 9),
)
def test_laws(classes: list[list[int]], fraction: float, seed: int) -> None:
    dataset = made(classes)
    parted = hold_out(dataset, fraction, seed)
    assert sorted(s.name for s in parted.samples) == sorted(s.name for s in dataset.samples)
    assert set(parted.splits) == {"train", "val"}
    assert hold_out(parted, 0.5, seed + 1) is parted  # nothing to do


def three_times(folder: Path, images: int, *, again: bool) -> Dataset:
    """Each image three times: its bytes, or coded ``again`` in other qualities."""
    samples = []
    for number in range(images):
        pixels = cv2.imread(str(write_image(folder / "images" / f"{number}.png", (96, 96), number)))
        for copy in range(3):
            path = folder / "images" / f"{number}_{copy}.jpg"
            quality = [cv2.IMWRITE_JPEG_QUALITY, 97 - copy if again else 95]
            path.write_bytes(cv2.imencode(".jpg", pixels, quality)[1].tobytes())
            samples.append(Sample(path.name, path, UNSPLIT, path.stem, ""))
    return Dataset(folder, "yolo", ("a",), tuple(samples))


@pytest.mark.parametrize("again", [False, True])
def test_copies_of_an_image_are_on_one_side(tmp_path: Path, again: bool) -> None:
    dataset = three_times(tmp_path, 6, again=again)
    for seed in range(4):
        out = {name.split("_")[0] for name in held(hold_out(dataset, seed=seed))}
        kept = {sample.image_id.split("_")[0] for sample in hold_out(dataset, seed=seed).samples
                if sample.split == "train"}  # fmt: skip
        assert out
        assert not out & kept


def test_copies_of_a_single_image_are_divided_all_the_same(tmp_path: Path) -> None:
    dataset = three_times(tmp_path, 1, again=False)
    assert len(held(hold_out(dataset))) == 1


def test_test_images_are_left_alone() -> None:
    both = made([[0]] * 10).samples + made([[1]] * 10, split="test").samples
    parted = hold_out(Dataset(Path(), "yolo", ("a", "b"), both), 0.3)
    assert [len(parted.in_split(split)) for split in ("train", "val", "test")] == [7, 3, 10]


@pytest.mark.parametrize("write", [write_yolo, write_voc, write_coco])
def test_a_data_set_with_val_is_not_touched(tmp_path: Path, write: object) -> None:
    dataset = open_dataset(write(tmp_path))  # type: ignore[operator]
    assert hold_out(dataset) is dataset


def test_categories_follow_the_split(tmp_path: Path) -> None:
    write_coco(tmp_path)
    parted = hold_out(open_dataset(tmp_path).in_split("train"), 0.5)
    assert parted.in_split("val").category_ids == (3, 7)


def test_nothing_to_learn_from_is_a_fault() -> None:
    for few in (made([[0]]), made([[0]] * 5, split="val"), made([])):
        with pytest.raises(DataError, match="training images"):
            hold_out(few)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, float("nan")])
def test_the_fraction_must_be_between_0_and_1(fraction: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        hold_out(made([[0]] * 5), fraction)


def test_neither_side_is_empty_however_small_its_part() -> None:
    # A hundredth of three is none, and 0.99 of them all: at least one is held out, and one is learnt from.
    for seed in range(5):
        assert len(held(hold_out(made([[0]] * 3), 0.01, seed))) == 1
        assert len(held(hold_out(made([[0]] * 3), 0.99, seed))) == 2
