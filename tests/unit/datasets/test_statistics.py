"""The figures of a data set, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_sets import write_yolo
from tests.there_and_back import make_images, memory_set
from yolo_cli.datasets import open_dataset
from yolo_cli.datasets.statistics import CELLS, statistics
from yolo_cli.errors import DataError

# a.png is 64 x 48, b.png 37 x 91, c.png 640 x 427, d.png 33 x 33
BOXES = {
    "a": [[0, 8, 12, 40, 36], [0, 0, 0, 16, 24]],
    "b": [[1, 0, 0, 37, 91]],
    "c": [[0, 0, 0, 320, 300]],
    "d": [],
}


@pytest.fixture
def counted(tmp_path):
    return statistics(memory_set(make_images(tmp_path), BOXES, difficult=True))


def test_splits_and_classes(counted):
    values = counted.to_dict()
    assert values["splits"] == [
        {"split": "train", "images": 2, "background": 0, "boxes": 3, "difficult": 3, "crowd": 0},
        {"split": "val", "images": 2, "background": 1, "boxes": 1, "difficult": 1, "crowd": 0},
    ]
    first, second, third = values["classes"]
    # Widths 32, 16 and 320, heights 24, 24 and 300.
    assert first == {
        "class_name": "milk bottle",
        "boxes": 3,
        "images": 2,
        "by_split": {"train": 2, "val": 1},
        "median_width": 32.0,
        "median_height": 24.0,
    }
    assert (second["boxes"], third["boxes"], third["median_width"]) == (1, 0, 0.0)
    assert (counted.images, counted.boxes) == (4, 4)


def test_sizes(counted):
    values = counted.to_dict()
    # Areas 768, 384, 3367 and 96000; 32² is 1024 and 96² is 9216.
    assert values["areas"] == {"small": 2, "medium": 1, "large": 1}
    assert values["boxes_per_image"] == {"0": 1, "1": 2, "2": 1}
    assert {"width": 64, "height": 48, "images": 1} in values["image_sizes"]
    # 768 / 3072 = 1 / 4, whose root is 0.5; 384 / 3072 = 1 / 8; the whole image is 1.
    np.testing.assert_allclose(counted.relative_sides[:3], [0.5, 8**-0.5, 1])
    # The first centre is (24, 24), which is (3/8, 1/2) of 64 x 48: column 6 and row 8 of 16.
    assert counted.centres[8, 6] == 1
    assert counted.centres.sum() == 4


def test_classes_that_occur_together(tmp_path):
    boxes = {"a": [[0, 8, 12, 40, 36], [1, 0, 0, 16, 24], [1, 0, 0, 9, 9]], "b": [[1, 0, 0, 30, 30]]}
    counted = statistics(memory_set(make_images(tmp_path), boxes))
    assert counted.together.tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 0]]


def test_a_hundred_thousand_classes_have_no_table_of_pairs(tmp_path):
    """It would take 75 GB."""
    few = memory_set(make_images(tmp_path), BOXES)
    names = (*few.class_names, *map(str, range(100_000)))
    counted = statistics(replace(few, class_names=names))
    assert counted.together.shape == (0, 0)
    assert counted.classes[: len(few.class_names)] == statistics(few).classes
    assert not any(one.boxes for one in counted.classes[len(few.class_names) :])


def test_an_image_that_cannot_be_read_is_named_and_does_not_count(tmp_path):
    dataset = memory_set(make_images(tmp_path), BOXES)
    (tmp_path / "a.png").write_bytes(b"no image")
    counted = statistics(dataset)
    assert counted.images == 3
    assert len(counted.unreadable) == 1
    for stem in "bcd":
        (tmp_path / f"{stem}.png").unlink()
    with pytest.raises(DataError, match="no image can be read; first: "):
        statistics(dataset)


def test_an_image_whose_label_was_refused_is_named(tmp_path):
    folder = write_yolo(tmp_path / "yolo")
    label = next((folder / "labels").rglob("*.txt"))
    label.write_text("0 nan .5 .2 .2\n0 .5 .5\n")
    counted = statistics(open_dataset(folder))
    assert counted.images == 3
    assert [line.split(":")[0] for line in counted.unreadable] == [label.relative_to(folder).as_posix()]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), max_size=4), min_size=4, max_size=4))
def test_sums_agree(tmp_path_factory, classes):
    folder = make_images(tmp_path_factory.mktemp("images"))
    boxes = {stem: [[i, 1, 1, 30, 30] for i in ids] for stem, ids in zip("abcd", classes, strict=True)}
    counted = statistics(memory_set(folder, boxes))
    total = sum(map(len, classes))
    assert counted.boxes == total == sum(one.boxes for one in counted.classes) == counted.centres.sum()
    assert sum(images * boxes for boxes, images in counted.boxes_per_image.items()) == total
    assert (counted.together == counted.together.T).all()
    assert counted.centres.shape == (CELLS, CELLS)
    for i, one in enumerate(counted.classes):
        assert one.images == counted.together[i, i] == sum(i in ids for ids in classes)
        assert sum(one.by_split.values()) == one.boxes


def test_a_data_set_from_files(tmp_path):
    counted = statistics(open_dataset(write_yolo(tmp_path / "yolo")))
    assert repr(counted) == f"<DatasetStats {tmp_path / 'yolo'}: 4 images, 4 boxes, 2 classes>"


def test_plain_data_has_three_percentiles_of_the_sides(tmp_path):
    boxes = {"a": [[0, 0, 0, side, side] for side in range(4, 48, 4)], "b": [[0, 0, 0, 48, 48]]}
    counted = statistics(memory_set(make_images(tmp_path), boxes))
    sides = counted.relative_sides
    expected = [float(np.quantile(sides, part)) for part in (0.05, 0.5, 0.95)]
    plain = counted.to_dict()
    np.testing.assert_allclose(
        [plain["relative_sides"][key] for key in ("p5", "p50", "p95")], expected, atol=1e-4
    )
