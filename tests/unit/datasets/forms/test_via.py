from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.datasets.forms.reading import boxes, read_json_beside, read_text_beside, refusals
from yolo_cli.datasets import Dataset
from yolo_cli.errors import DataError

RECT = {"name": "rect", "x": 10, "y": 5, "width": 20, "height": 15}
BOX = (10, 5, 30, 20)


def region(shape: Any, **attributes: Any) -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": attributes}


def read(folder: Path, *regions: Any, **options: bool) -> Dataset:
    image = {"filename": "a.png", "size": 9, "regions": list(regions), "file_attributes": {}}
    return read_json_beside(folder, {"a.png9": image}, "via_region_data.json", **options)


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (RECT, BOX),
        ({"name": "circle", "cx": 20, "cy": 20, "r": 5}, (15, 15, 25, 25)),
        ({"name": "ellipse", "cx": 20, "cy": 20, "rx": 5, "ry": 10, "theta": 0}, (15, 10, 25, 30)),
        # Turned by 45 degrees, both half sides are sqrt((3² + 1²) / 2) = sqrt(5).
        ({"name": "ellipse", "cx": 20, "cy": 20, "rx": 3, "ry": 1, "theta": 0.7853981633974483},
         (17.763932, 17.763932, 22.236068, 22.236068)),
        ({"name": "polygon", "all_points_x": [10, 30, 20], "all_points_y": [5, 8, 20]}, BOX),
        ({"name": "polyline", "all_points_x": [10, 30], "all_points_y": [5, 20]}, BOX),
    ],
)  # fmt: skip
def test_the_box_of_a_shape(tmp_path: Path, shape: Any, box: tuple[float, ...]) -> None:
    assert boxes(read(tmp_path, region(shape, name="cat"))) == [("cat", box)]


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (region({"name": "point", "cx": 1, "cy": 2}, name="cat"), "the shape 'point' has no box"),
        (
            region({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1]}, name="cat"),
            "'polygon' has no box",
        ),
        (region(RECT), "the region has no name"),
        (region(RECT, name={"cat": True, "dog": True}), "the region has no name"),
    ],
)
def test_a_refused_region_leaves_its_image_out(tmp_path: Path, refused: Any, words: str) -> None:
    found = read(tmp_path, region(RECT, name="cat"), refused)
    assert len(found) == 0
    assert words in refusals(found)[0]


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"class": "cat", "colour": "red"}, "cat"),
        ({"species": "cat"}, "cat"),
        ({"type": {"cat": True, "dog": False}}, "cat"),
        ({}, "object"),
    ],
)
def test_the_attribute_that_is_the_class(tmp_path: Path, attributes: dict[str, Any], name: str) -> None:
    assert boxes(read(tmp_path, region(RECT, **attributes))) == [(name, BOX)]


def test_an_attribute_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="attributes breed, colour; call the one for the class 'class'"):
        read(tmp_path, region(RECT, breed="siam", colour="grey"))


def test_the_csv_of_another_locale(tmp_path: Path) -> None:
    head = (
        "#filename;file_size;file_attributes;region_count;region_id;region_shape_attributes;region_attributes"
    )
    shape = '"{""name"":""rect"",""x"":10,""y"":5,""width"":20,""height"":15}"'
    text = f'{head}\na.png;9;"{{}}";1;0;{shape};"{{""name"":""cat""}}"\n'
    assert boxes(read_text_beside(tmp_path, text, "via.csv")) == [("cat", BOX)]
