"""Names of classes, and COCO's numbers for them."""

from __future__ import annotations

import json

from tests.shared import SHARED, needs_shared
from yolo_cli.class_names import _COCO, class_key, coco_category_ids


def test_cocos_own_category_ids():
    assert len(_COCO) == 80
    ids = coco_category_ids(tuple(_COCO))
    assert ids == sorted(ids)
    # Taken from COCO's own annotation files.
    known = {
        "person": 1,
        "stop sign": 13,
        "bench": 15,
        "cat": 17,
        "backpack": 27,
        "cup": 47,
        "tv": 72,
        "toothbrush": 90,
    }
    assert {name: _COCO[class_key(name)] for name in known} == known


@needs_shared("darknet", "coco.names")
@needs_shared("data", "coco128-val")
def test_category_ids_agree_with_an_annotation_file_and_darknets_names():
    [path] = SHARED.glob("data/coco128-val/**/*.json")
    theirs = {entry["name"]: entry["id"] for entry in json.loads(path.read_text())["categories"]}
    assert {name: _COCO[class_key(name)] for name in theirs} == theirs
    names = (SHARED / "darknet" / "coco.names").read_text().split("\n")[:80]
    assert coco_category_ids(tuple(names)) == list(_COCO.values())


def test_other_data_sets_are_numbered_from_1():
    assert coco_category_ids(("person", "dog")) == [1, 2]
