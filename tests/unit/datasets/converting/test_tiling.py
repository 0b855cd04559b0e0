"""Tiles: they cover the image, and their boxes are the image's, moved and clipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.there_and_back import make_images, memory_set
from yolo_cli.datasets import open_dataset
from yolo_cli.datasets.converting import Output, Shaping, convert
from yolo_cli.datasets.converting.tiling import tiles_of
from yolo_cli.datasets.extras import Extra
from yolo_cli.datasets.writing import entry_of
from yolo_cli.images import read_image


def test_boxes_are_moved_clipped_and_dropped(tmp_path: Path) -> None:
    make_images(tmp_path)
    # c.png is 640 x 427: with tiles of 400, x from 0 and 240, y from 0 and 27.
    rows = [[0, 100, 50, 200, 150], [1, 390, 100, 500, 200], [2, 600, 400, 640, 427]]
    first, second, *_ = tiles_of(entry_of(memory_set(tmp_path, {"c": rows}).samples[0]), 400)
    assert (first.window, second.window) == ((0, 0, 400, 400), (240, 0, 640, 400))
    # 10 of the second box's 110 pixels are in the first tile: 9 %, below a tenth.
    assert first.boxes.xyxy.tolist() == [[100, 50, 200, 150]]
    # The third box begins where the second tile ends.
    assert second.boxes.xyxy.tolist() == [[150, 100, 260, 200]]
    assert second.boxes.area.tolist() == [11000]


def test_outlines_and_points_of_a_tile(tmp_path: Path) -> None:
    make_images(tmp_path)
    ring = (300.0, 50.0, 420.0, 50.0, 420.0, 90.0)
    extra = Extra(polygons=(ring,), keypoints=((310.0, 60.0, 2.0), (410.0, 60.0, 2.0)))
    entry = entry_of(memory_set(tmp_path, {"c": [[0, 300, 50, 420, 90]]}, extra=extra).samples[0])
    cut, whole, *_ = tiles_of(entry, 400)
    assert (cut.extras[0].polygons, cut.extras[0].keypoints) == ((), ((310, 60, 2), (0, 0, 0)))
    assert whole.extras[0].polygons == ((60, 50, 180, 50, 180, 90),)
    assert whole.extras[0].keypoints == ((70, 60, 2), (170, 60, 2))


@pytest.mark.parametrize("form", ["yolo", "coco", "voc"])
def test_tiles_as_files(tmp_path: Path, form: str) -> None:
    make_images(tmp_path / "in")
    dataset = memory_set(tmp_path / "in", {"c": [[0, 300, 50, 420, 90]], "a": []})
    done = convert([dataset], Output(form, tmp_path / "out"), Shaping(tile=400))
    # Every tile shows a part of the box: 100 or all of its 120 columns, and all of its rows.
    assert done.splits["train"] == {"images": 5, "background": 1, "boxes": 4}
    read = {sample.path.stem: sample for sample in open_dataset(tmp_path / "out").samples}
    assert sorted(read) == ["a", "c_0_0", "c_0_27", "c_240_0", "c_240_27"]
    tile = read["c_240_27"]
    assert tile.size == (400, 400)
    np.testing.assert_allclose(tile.ground_truth.xyxy, [[60, 23, 180, 63]])
    pixels = read_image(tmp_path / "in" / "c.png").rgb[27:427, 240:640]
    np.testing.assert_array_equal(tile.read().rgb, pixels)
