"""What annotations hold besides boxes, kept only when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.made_sets import coco_json, write_image, write_json, write_voc, write_yolo
from yolo_cli.datasets import Sample, open_dataset
from yolo_cli.datasets.extras import Extra

RING = [8, 12, 40, 12, 40, 36]


def one_coco(folder: Path, **more: Any) -> Path:
    value = coco_json("train")
    value["annotations"][0] |= more
    value["categories"][0] |= {"keypoints": ["nose", "tail"], "skeleton": [[1, 2], "broken"]}
    for seed, image in enumerate(value["images"]):
        write_image(folder / image["file_name"], (image["width"], image["height"]), seed)
    return write_json(folder / "annotations.json", value) or folder


def test_they_are_kept_only_when_asked_for(tmp_path: Path) -> None:
    place = one_coco(tmp_path, segmentation=[RING])
    assert open_dataset(place).samples[0].extras == ()
    assert open_dataset(place, extras=True).samples[0].extras[0].polygons == (tuple(map(float, RING)),)


def test_what_coco_has(tmp_path: Path) -> None:
    more = {"keypoints": [1, 2, 2, 0, 0, 0], "attributes": {"pose": "left", "tags": ["a"], "score": 0.5}}
    dataset = open_dataset(one_coco(tmp_path, segmentation=[RING, [1, 2]], id=77, **more), extras=True)
    first, second = dataset.samples[0].extras
    assert first.keypoints == ((1, 2, 2), (0, 0, 0))
    assert (first.attributes, first.annotation_id) == ({"pose": "left", "score": 0.5}, 77)
    assert len(first.polygons) == 1  # two numbers are not an outline
    assert (second.polygons, second.keypoints, second.mask) == ((), (), None)
    assert (dataset.keypoint_names, dataset.skeleton) == (("nose", "tail"), ((0, 1),))


def test_a_mask_in_run_lengths_is_kept_as_it_is(tmp_path: Path) -> None:
    mask = {"size": [48, 64], "counts": [0, 5, 3067]}
    assert open_dataset(one_coco(tmp_path, segmentation=mask), extras=True).samples[0].extras[0].mask == mask


@pytest.mark.parametrize("odd", [None, "x", [["a"] * 6], [[1.0] * 7], {"a": [1]}, [None]])
def test_odd_outlines_cost_no_box(tmp_path: Path, odd: Any) -> None:
    dataset = open_dataset(one_coco(tmp_path, segmentation=odd, attributes=odd), extras=True)
    assert len(dataset.samples[0].labels) == 2
    assert dataset.samples[0].extras[0].polygons == ()


def test_a_polygon_of_yolo_stays_in_fractions(tmp_path: Path) -> None:
    place = write_yolo(tmp_path) or tmp_path
    label = next(tmp_path.rglob("a.txt"))
    label.write_text("0 0.5 0.5 0.25 0.25\n1 0.1 0.2 0.5 0.3 0.4 0.9\n")
    sample = next(
        sample for sample in open_dataset(place, extras=True).samples if "a" in Path(sample.name).stem
    )
    assert sample.extras == (Extra(), Extra(polygons=((0.1, 0.2, 0.5, 0.3, 0.4, 0.9),)))


def test_the_flags_of_voc_and_the_attributes_of_cvat(tmp_path: Path) -> None:
    write_voc(tmp_path)
    label = tmp_path / "Annotations" / "a.xml"
    more = """<pose>Left</pose><truncated>1</truncated><occluded>0</occluded>
        <attributes><attribute><name>colour</name><value>red</value></attribute></attributes></object>"""
    label.write_text(label.read_text().replace("</object>", more, 1))
    sample = open_dataset(tmp_path, extras=True).samples[0]
    given = sample.extras[0].attributes
    assert given == {"pose": "Left", "truncated": True, "colour": "red"}


def test_extras_are_one_for_each_box_or_none() -> None:
    with pytest.raises(ValueError, match="1 extras for 0 boxes"):
        Sample("a", Path("a.jpg"), "all", "a", "", extras=(Extra(),))
