"""Every pair of forms, there and back, keeps images, splits, classes and boxes."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.there_and_back import SIZES, make_images, memory_set, same_boxes
from yolo_cli.datasets import Dataset, open_dataset
from yolo_cli.datasets.converting import Output, convert
from yolo_cli.datasets.writing import FORMS


@st.composite
def rows(draw: st.DrawFn, size: tuple[int, int]) -> list[float]:
    """A box with any float edges, wider and higher than a pixel, so that VOC can hold it."""
    edges = []
    for length in size:
        low = draw(st.floats(0, length - 1.5))
        edges.append((low, draw(st.floats(low + 1.25, length))))
    (x1, x2), (y1, y2) = edges
    return [draw(st.integers(0, 2)), x1, y1, x2, y2]


SETS = st.fixed_dictionaries({stem: st.lists(rows(size), max_size=3) for stem, size in SIZES.items()})


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("images"))


def rewritten(dataset: Dataset, form: str, folder: Path) -> Dataset:
    """The data set as it is read after it was written."""
    done = convert([dataset], Output(form, folder))
    assert (done.lost, done.left_out) == ((), ())
    return open_dataset(folder, extras=True)


@pytest.mark.parametrize(("first", "second"), [*product(FORMS, FORMS)])
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(boxes=SETS, split=st.booleans())
def test_there_and_back(
    images: Path, tmp_path: Path, first: str, second: str, boxes: dict, split: bool
) -> None:
    splits = ("train", "train", "val", "test") if split else ("all",) * 4
    original = memory_set(images, boxes, splits)
    once = rewritten(original, first, tmp_path / "once")
    there = rewritten(once, second, tmp_path / "there")
    back = rewritten(there, first, tmp_path / "back")
    for dataset in (once, there, back):
        same_boxes(original, dataset)
    for folder in ("once", "there", "back"):
        shutil.rmtree(tmp_path / folder)
