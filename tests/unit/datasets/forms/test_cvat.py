from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.datasets.forms.reading import boxes, read_text_beside, refusals
from yolo_cli.datasets import Dataset
from yolo_cli.errors import DataError

META = """<meta><job><labels><label><name>dog</name></label><label><name>cat</name></label>
<label><name>nose</name><type>points</type><parent>dog</parent></label></labels></job></meta>"""
BOX = '<box label="cat" occluded="0" xtl="10.00" ytl="5.00" xbr="30.00" ybr="20.00" z_order="0"></box>'


def read(
    folder: Path, shapes: str, image: str = 'name="a.png"', meta: str = META, **options: bool
) -> Dataset:
    size = 'width="100" height="50"'
    one = f"<image id='0' {image} {size}>{shapes}</image>"
    text = f"<annotations><version>1.1</version>{meta}{one}</annotations>"
    return read_text_beside(folder, text, "annotations.xml", **options)


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (BOX, (10, 5, 30, 20)),
        ('<polygon label="cat" points="10.0,5.0;30.0,8.0;20.0,20.0"/>', (10, 5, 30, 20)),
        ('<polyline label="cat" points="10,5;30,20"/>', (10, 5, 30, 20)),
        ('<points label="cat" points="10,5;30,20"/>', (10, 5, 30, 20)),
        ('<ellipse label="cat" cx="20" cy="20" rx="5" ry="10" rotation="90"/>', (10, 15, 30, 25)),
        ('<mask label="cat" rle="0,9" left="10" top="5" width="20" height="15"/>', (10, 5, 30, 20)),
    ],
)
def test_the_box_of_a_shape(tmp_path: Path, shape: str, box: tuple[float, ...]) -> None:
    assert boxes(read(tmp_path, shape)) == [("cat", box)]


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (BOX.replace("occluded", 'rotation="12.50" occluded'), "a box turned by 12.5 degrees"),
        ('<cuboid label="cat" xtl1="1"/>', "the cuboid has no box"),
        ('<points label="cat" points="10,5"/>', "the points has no box"),
        (BOX.replace("30.00", ""), "the box has no box"),
        (BOX.replace('"cat"', '"bird"'), "there is no class 'bird'"),
        (BOX.replace('"cat"', '""'), "the shape has no label"),
    ],
)
def test_a_refused_shape_leaves_its_image_out(tmp_path: Path, shape: str, words: str) -> None:
    found = read(tmp_path, BOX + shape)
    assert len(found) == 0
    assert words in refusals(found)[0]
    assert found.findings[0].where == "annotations.xml: object 2"


def test_classes_are_declared_and_parts_of_skeletons_are_none(tmp_path: Path) -> None:
    assert read(tmp_path, BOX).class_names == ("dog", "cat")


def test_a_skeleton_has_the_box_of_its_points(tmp_path: Path) -> None:
    shape = """<skeleton label="dog"><points label="nose" outside="0" occluded="1" points="10,5"/>
    <points label="tail" outside="0" occluded="0" points="30,20"/>
    <points label="ear" outside="1" occluded="0" points="90,40"/></skeleton>"""
    found = read(tmp_path, shape, extras=True)
    assert boxes(found) == [("dog", (10, 5, 30, 20))]
    # Sorted by name; a point outside of the image is not labelled.
    assert found.keypoint_names == ("ear", "nose", "tail")
    wanted = ((0, 0, 0), (10, 5, 1), (30, 20, 2))
    assert found.samples[0].extras[0].keypoints == wanted
    np.testing.assert_array_equal(found.samples[0].ground_truth.keypoints, [wanted])


@pytest.mark.parametrize(
    ("image", "split"),
    [
        ('name="a.png" subset="Validation"', "val"),
        ('name="a.png" subset="default"', "all"),
        ('name="a.png" subset="night"', "night"),
    ],
)
def test_the_subset_is_the_split(tmp_path: Path, image: str, split: str) -> None:
    assert read(tmp_path, BOX, image).splits == (split,)


def test_attributes_are_kept(tmp_path: Path) -> None:
    shape = BOX.replace("></box>", '><attribute name="wet">yes</attribute></box>').replace('="0"', '="1"', 1)
    assert dict(read(tmp_path, shape, extras=True).samples[0].extras[0].attributes) == {
        "wet": "yes",
        "occluded": True,
    }


def test_flags_among_the_attributes(tmp_path: Path) -> None:
    flags = '><attribute name="is_crowd">true</attribute><attribute name="difficult">false</attribute></box>'
    sample = read(tmp_path, BOX.replace("></box>", flags), extras=True).samples[0]
    assert (sample.labels.crowd.tolist(), sample.labels.difficult.tolist()) == ([True], [False])
    assert dict(sample.extras[0].attributes) == {}


def test_an_export_of_a_video_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="export of a video; export it as 'CVAT for images"):
        read_text_beside(
            tmp_path, "<annotations><track id='0' label='cat'/></annotations>", "annotations.xml"
        )


def test_entities_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><annotations>&a;</annotations>'
    assert "XML entities" in refusals(read_text_beside(tmp_path, bomb, "annotations.xml"))[0]


def test_a_file_without_subsets_has_its_split_in_its_name(tmp_path: Path) -> None:
    text = (
        f'<annotations>{META}<image id="0" name="a.png" width="100" height="50">{BOX}</image></annotations>'
    )
    assert read_text_beside(tmp_path, text, "val.xml").splits == ("val",)
