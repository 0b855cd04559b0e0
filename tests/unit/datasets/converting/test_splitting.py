"""Splits: seeded, stratified, with groups and near-duplicates on one side."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_sets import write_image
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.datasets.converting.splitting import split_dataset, split_fractions
from yolo_cli.datasets.stratification import stratify
from yolo_cli.detections import GroundTruth
from yolo_cli.errors import DataError

HALVES = {"train": 0.5, "val": 0.5}


def numbered(folder: Path, count: int, classes: int = 2) -> Dataset:
    """Images of one box each, of the classes in turn; every fifth is without."""
    samples = []
    for i in range(count):
        path = write_image(folder / f"cam{i % 4}" / f"{i:03}.png", (40, 40), seed=i)
        box = [] if i % 5 == 4 else [[4.0, 4.0, 30.0, 30.0]]
        labels = GroundTruth(np.reshape(box, (-1, 4)), np.array([i % classes] * len(box), np.int64))
        rows = tuple(range(len(box)))
        samples.append(Sample(f"cam{i % 4}/{i:03}.png", path, "all", path.stem, "", labels, rows))
    return Dataset(folder, "yolo", tuple("xyz"[:classes]), tuple(samples))


def sides(dataset: Dataset) -> dict[str, str]:
    return {sample.name: sample.split for sample in dataset.samples}


def test_every_split_has_its_part_of_classes_and_background(tmp_path: Path) -> None:
    done = split_dataset(numbered(tmp_path, 40), {"train": 0.5, "val": 0.25, "test": 0.25}).dataset
    # 40 images: 16 of x, 16 of y, 8 without boxes.
    count = Counter((s.split, int(s.labels.class_id[0]) if len(s.labels) else None) for s in done.samples)
    for kind, total in ((0, 16), (1, 16), (None, 8)):
        assert [count[split, kind] for split in ("train", "val", "test")] == [total / 2, total / 4, total / 4]


def test_the_same_seed_gives_the_same_splits(tmp_path: Path) -> None:
    dataset = numbered(tmp_path, 20)
    first = sides(split_dataset(dataset, HALVES, seed=3).dataset)
    assert first == sides(split_dataset(dataset, HALVES, seed=3).dataset)
    assert first != sides(split_dataset(dataset, HALVES, seed=4).dataset)


def test_a_group_stays_on_one_side(tmp_path: Path) -> None:
    done = split_dataset(numbered(tmp_path, 40), HALVES, pattern=r"(cam\d+)/")
    assert (done.groups, done.together) == (4, 40)
    found = {(name.split("/")[0], split) for name, split in sides(done.dataset).items()}
    assert len(found) == 4
    assert Counter(split for _, split in found) == {"train": 2, "val": 2}


def test_near_duplicates_stay_on_one_side_whatever_the_seed(tmp_path: Path) -> None:
    dataset = numbered(tmp_path, 12)
    first = dataset.samples[0]
    copy = tmp_path / "copy.jpg"  # the same image, coded again
    write_image(copy, (40, 40), seed=0)
    dataset = replace(dataset, samples=(*dataset.samples, replace(first, name="copy.jpg", path=copy)))
    for seed in range(6):
        done = split_dataset(dataset, HALVES, seed=seed)
        assert (done.groups, done.together) == (12, 2)
        assert sides(done.dataset)["copy.jpg"] == sides(done.dataset)[first.name]


def test_fewer_groups_than_splits(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 1 groups of images for 2 splits"):
        split_dataset(numbered(tmp_path, 8), HALVES, pattern="cam")


def test_fractions_as_text_and_as_a_mapping() -> None:
    assert split_fractions("train=.8, val=.1 ,test=.1") == {"train": 0.8, "val": 0.1, "test": 0.1}
    assert split_fractions({"train": 0.7, "val": 0.3}) == {"train": 0.7, "val": 0.3}


@given(st.lists(st.integers(1, 5), min_size=4, max_size=40), st.integers(0, 5))
def test_sizes_come_within_the_largest_group_of_the_fraction(sizes: list[int], seed: int) -> None:
    group = np.repeat(np.arange(len(sizes)), sizes)
    side = stratify([[0]] * len(group), group, (0.75, 0.25), np.random.default_rng(seed))
    held = int((side == 1).sum())
    assert all(len(set(side[group == one].tolist())) == 1 for one in range(len(sizes)))
    assert abs(held - sum(sizes) / 4) <= max(sizes)


def slow_stratify(shown, group, fractions, rng):
    """With tables of all groups and classes: `stratify` for few of both."""
    sizes = np.bincount(group)
    table = np.zeros((len(sizes), 1 + max(map(max, shown))), np.int64)  # (groups, classes)
    for ids, which in zip(shown, group, strict=True):
        table[which, ids] += 1
    wanted = np.array(fractions)[:, None] * table.sum(axis=0)  # (sides, classes)
    missing = np.array(fractions) * sizes.sum()
    sides = np.full(len(sizes), -1)
    while (left := sides < 0).any():
        images = table[left].sum(axis=0)
        rarest = int(np.argmin(np.where(images > 0, images, images.sum() + 1)))
        order = rng.permutation(np.flatnonzero(left & (table[:, rarest] > 0)))
        for index in order[np.argsort(-sizes[order], kind="stable")]:
            side = sides[index] = int(np.lexsort((-missing, -wanted[:, rarest]))[0])
            wanted[side] -= table[index]
            missing[side] -= sizes[index]
    return sides[group]


@given(
    st.lists(
        st.tuples(st.sets(st.integers(0, 6), min_size=1, max_size=4), st.integers(0, 9)),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from([(0.8, 0.2), (0.5, 0.3, 0.2), (1 / 3,) * 3]),
    st.integers(0, 5),
)
def test_images_are_divided_as_by_the_slow_way(images, fractions, seed) -> None:
    shown = [sorted(ids) for ids, _ in images]
    group = np.unique([which for _, which in images], return_inverse=True)[1]
    sides = stratify(shown, group, fractions, np.random.default_rng(seed))
    assert sides.tolist() == slow_stratify(shown, group, fractions, np.random.default_rng(seed)).tolist()


def test_time_grows_with_the_images_and_not_with_their_classes() -> None:
    """4,000 images of 20 of 100,000 classes: 0.3 s, with tables of all of them half an hour."""
    shown = np.random.default_rng(0).integers(0, 100_000, (4_000, 20)).tolist()
    start = time.process_time()
    sides = stratify(shown, np.arange(4_000), (0.8, 0.2), np.random.default_rng(0))
    assert time.process_time() - start < 5
    assert set(sides.tolist()) == {0, 1}


def test_the_seed_is_zero_unless_given(tmp_path: Path) -> None:
    dataset = numbered(tmp_path, 20)
    assert sides(split_dataset(dataset, HALVES).dataset) == sides(
        split_dataset(dataset, HALVES, seed=0).dataset
    )
    assert sides(split_dataset(dataset, HALVES, seed=1).dataset) != sides(
        split_dataset(dataset, HALVES).dataset
    )
