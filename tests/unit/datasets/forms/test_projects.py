"""VoTT, Supervisely, Oxford Pets and CreateML: what their examples do not show."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.exporters import cited
from tests.made_sets import write_image, write_json
from tests.unit.datasets.forms.reading import boxes, read_json_beside, refusals
from yolo_cli.datasets import Dataset, read_dataset

BOX = (10, 5, 30, 20)


def read_supervisely(folder: Path, *objects: Any, tags: tuple[str, ...] = (), **options: bool) -> Dataset:
    write_image(folder / "ds0" / "img" / "a.png", (100, 50))
    write_json(folder / "meta.json", {"classes": [{"title": "dog"}, {"title": "cat"}], "tags": []})
    document = {
        "size": {"height": 50, "width": 100},
        "objects": objects,
        "tags": [{"name": tag} for tag in tags],
    }
    write_json(folder / "ds0" / "ann" / "a.png.json", document)
    return read_dataset(folder, **options)


def thing(geometry: str, *points: tuple[float, float], **more: Any) -> dict[str, Any]:
    exterior = {"exterior": [list(point) for point in points], "interior": []}
    return {"classTitle": "cat", "geometryType": geometry, "points": exterior, "tags": []} | more


def bitmap(mask: np.ndarray[Any, Any], origin: tuple[int, int]) -> dict[str, Any]:
    """As in Bitmap.data_2_base64: a PNG, deflated, in base64."""
    data = base64.b64encode(zlib.compress(cv2.imencode(".png", mask)[1].tobytes())).decode()
    return {"classTitle": "cat", "geometryType": "bitmap", "bitmap": {"data": data, "origin": list(origin)}}


@pytest.mark.parametrize(
    "shape",
    [
        thing("rectangle", (29, 19), (10, 5)),  # 20 pixels from 10 to 29
        thing("polygon", (10, 5), (29, 5), (20, 19)),
        thing("line", (10, 5), (29, 19)),
        bitmap(np.full((15, 20), 255, np.uint8), (10, 5)),
    ],
)
def test_supervisely_counts_the_last_pixel(tmp_path: Path, shape: dict[str, Any]) -> None:
    found = read_supervisely(tmp_path, shape)
    assert boxes(found) == [("cat", BOX)]
    assert found.class_names == ("dog", "cat")


@pytest.mark.parametrize(
    "shape",
    [
        thing("point", (1, 2)),
        thing("graph"),
        thing("rectangle", (1, 2)),
        {"classTitle": "cat", "bitmap": {"data": "x"}},
    ],
)
def test_supervisely_refuses_what_has_no_box(tmp_path: Path, shape: dict[str, Any]) -> None:
    found = read_supervisely(tmp_path, thing("rectangle", (29, 19), (10, 5)), shape)
    assert len(found) == 0
    assert "has no box" in refusals(found)[0]


def test_a_tag_of_supervisely_is_the_split(tmp_path: Path) -> None:
    assert read_supervisely(tmp_path, tags=("night", "val")).splits == ("val",)
    assert read_supervisely(tmp_path).splits == ("all",)


def vott(*regions: Any, state: int = 2) -> dict[str, Any]:
    asset = {"name": "a.png", "size": {"width": 100, "height": 50}, "state": state, "format": "png"}
    return {"asset": asset, "regions": list(regions), "version": "2.2.0"}


REGION = {
    "tags": ["cat"],
    "type": "RECTANGLE",
    "boundingBox": {"left": 10, "top": 5, "width": 20, "height": 15},
}


def test_the_asset_files_of_a_vott_project(tmp_path: Path) -> None:
    assert boxes(read_json_beside(tmp_path, vott(REGION), "1f2e-asset.json")) == [("cat", BOX)]


def test_a_region_of_two_tags_is_two_objects(tmp_path: Path) -> None:
    found = read_json_beside(tmp_path, vott(REGION | {"tags": ["cat", "pet"]}), "x-asset.json")
    assert boxes(found) == [("cat", BOX), ("pet", BOX)]


def test_an_asset_that_nobody_visited_is_unlabelled(tmp_path: Path) -> None:
    found = read_json_beside(tmp_path, vott(state=0), "x-asset.json")
    assert len(found) == 0
    assert "nobody has labelled" in refusals(found)[0]
    assert len(read_json_beside(tmp_path, vott(state=1), "x-asset.json")) == 1


@pytest.mark.parametrize(
    ("region", "words"),
    [(REGION | {"tags": []}, "has no tag"), ({"tags": ["cat"]}, "has no box"), (None, "has no box")],
)
def test_vott_refuses_what_is_not_whole(tmp_path: Path, region: Any, words: str) -> None:
    assert words in refusals(read_json_beside(tmp_path, vott(region), "x-asset.json"))[0]


def test_pets_without_xml_are_not_background(tmp_path: Path) -> None:
    cited.oxford_pets(tmp_path)
    found = read_dataset(tmp_path)
    assert refusals(found) == ["the image has no annotation"]  # b is in trainval, and has no XML file
    assert read_dataset(tmp_path / "annotations" / "list.txt").kind == "oxford-pets"


def test_createml_refuses_a_box_without_numbers(tmp_path: Path) -> None:
    image = {"image": "a.png", "annotations": [{"label": "cat", "coordinates": {"x": 1, "y": 2, "width": 3}}]}
    found = read_json_beside(tmp_path, [image], "_annotations.createml.json")
    assert "needs a label, and x, y, width, height" in refusals(found)[0]


def test_two_entries_for_one_image_must_agree(tmp_path: Path) -> None:
    def entry(x: float) -> dict[str, Any]:
        return {
            "image": "a.png",
            "annotations": [{"label": "cat", "coordinates": {"x": x, "y": 9, "width": 4, "height": 4}}],
        }

    twice = read_json_beside(tmp_path, [entry(9), entry(9)], "_annotations.createml.json")
    assert boxes(twice) == [("cat", (7, 7, 11, 11))]
    assert refusals(twice) == ["a.png: the image is listed twice"]
    torn = read_json_beside(
        tmp_path, json.loads(json.dumps([entry(9), entry(8)])), "_annotations.createml.json"
    )
    assert len(torn) == 0
    assert "annotate the image differently" in refusals(torn)[0]


def test_supervisely_numbers_its_objects_from_one(tmp_path: Path) -> None:
    found = read_supervisely(tmp_path, thing("rectangle", (10, 5), (29, 19)), thing("cuboid"))
    [where] = [finding.where for finding in found.findings if "geometry" in finding.what]
    assert where.endswith("object 2")


def test_supervisely_gives_outlines_of_polygons_and_tags(tmp_path: Path) -> None:
    tags = {"tags": [{"name": "blurred", "value": None}, {"name": "colour", "value": "red"}]}
    triangle = thing("polygon", (10, 5), (29, 5), (20, 19), **tags)
    found = read_supervisely(tmp_path, triangle, thing("rectangle", (10, 5), (29, 19)), extras=True)
    [outline], none = (extra.polygons for extra in found.samples[0].extras)
    assert outline == (10, 5, 29, 5, 20, 19)
    assert none == ()
    assert dict(found.samples[0].extras[0].attributes) == {"blurred": True, "colour": "red"}


def test_a_region_of_vott_without_a_box_does_not_hide_the_next(tmp_path: Path) -> None:
    document = vott({"tags": ["cat"]})
    document["regions"].append(REGION)
    found = refusals(read_json_beside(tmp_path, document, "x-asset.json"))
    document["regions"].append({"tags": ["cat"]})
    assert len(refusals(read_json_beside(tmp_path, document, "x-asset.json"))) == len(found) + 1
